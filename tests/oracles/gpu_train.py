"""Trains a Llama shape with random weights in PyTorch and PEFT, for `cargo x gpu`, which measures Diapason beside it.

    python gpu_train.py '{"config": {...}, "device": "cuda:0", "method": "lora", ...}'

The only argument is a JSON object: `config` as transformers' config.json, `device`, `method` (lora, qlora, full), `rank`,
`sequence`, `rows`, `warm_up`, `steps`, `gradient_checkpointing`. Prints one JSON line: `tokens_per_second` over the
steps after the warm-up, `peak` in bytes (null on a CPU), `loss` of the last step, `trainable` parameters, `versions`.

On a GPU: LoRA with weights in bf16, QLoRA with bitsandbytes' NF4 (double quantisation, computing in bf16), full training
with weights in f32 under autocast to bf16; attention by SDPA, AdamW fused. On a CPU everything is f32.

Written for torch 2.15, transformers 5.23, peft 0.21, bitsandbytes 0.50.
"""

import json
import sys
import time

import peft
import torch
import transformers
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def quantised(linear: torch.nn.Linear, device: torch.device, compute: torch.dtype) -> torch.nn.Module:
    """The layer with its weight in 4 bits."""
    import bitsandbytes as bnb

    layer = bnb.nn.Linear4bit(
        linear.in_features, linear.out_features, bias=False, compute_dtype=compute, compress_statistics=True, quant_type="nf4"
    )
    layer.weight = bnb.nn.Params4bit(
        linear.weight.data.cpu(), requires_grad=False, compress_statistics=True, quant_type="nf4"
    )
    return layer.to(device)


def build(job: dict, device: torch.device) -> torch.nn.Module:
    """The model, ready to train."""
    method = job["method"]
    half = torch.bfloat16 if device.type == "cuda" else torch.float32
    kept = torch.float32 if method == "full" else half
    config = LlamaConfig(**{key: value for key, value in job["config"].items() if key != "model_type"})
    config._attn_implementation = "sdpa"
    torch.set_default_dtype(kept)
    with device:
        model = LlamaForCausalLM(config)
    torch.set_default_dtype(torch.float32)
    model.config.use_cache = False
    if job["gradient_checkpointing"]:
        model.gradient_checkpointing_enable()
        model.enable_input_require_grads()
    if method == "full":
        return model
    if method == "qlora":
        for layer in model.model.layers:
            for part in (layer.self_attn, layer.mlp):
                for name, child in list(part.named_children()):
                    if name in LINEAR:
                        setattr(part, name, quantised(child, device, half))
    return get_peft_model(model, LoraConfig(r=job["rank"], lora_alpha=2 * job["rank"], target_modules=LINEAR))


def main() -> None:
    job = json.loads(sys.argv[1])
    device = torch.device(job["device"])
    on_gpu = device.type == "cuda"
    torch.manual_seed(1)
    model = build(job, device)
    model.train()
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=2e-4, weight_decay=0.01, fused=True)
    autocast = torch.autocast("cuda", torch.bfloat16, enabled=on_gpu and job["method"] == "full")
    rows, sequence = job["rows"], job["sequence"]
    # As many tokens with a loss as Diapason has: nothing is learned at the last one of a row.
    steps = torch.randint(job["config"]["vocab_size"], (job["warm_up"] + job["steps"], rows, sequence), device=device)
    for number, ids in enumerate(steps):
        if number == job["warm_up"]:
            if on_gpu:
                torch.cuda.synchronize(device)
            start = time.perf_counter()
        with autocast:
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    if on_gpu:
        torch.cuda.synchronize(device)
    seconds = time.perf_counter() - start
    result = {
        "tokens_per_second": job["steps"] * rows * sequence / seconds,
        "peak": torch.cuda.max_memory_allocated(device) if on_gpu else None,
        "loss": loss.item(),
        "trainable": sum(parameter.numel() for parameter in parameters),
        "versions": f"torch {torch.__version__}, peft {peft.__version__}, transformers {transformers.__version__}",
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
