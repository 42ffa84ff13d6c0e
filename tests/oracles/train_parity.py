"""Trains the tiny models of host/models/tests/golden with PyTorch and PEFT, for host/train/tests/train_parity.rs.

For each model, full training and the variants of LoRA: 100 AdamW steps (clip 1.0, weight decay 0.01 where
transformers' trainer has it, its cosine schedule with warm-up) on fixed rows in a fixed order; the loss of every step goes to
`train/<model>.json`, PEFT's initial A matrices and its trained adapters beside it. QLoRA trains on the weights that bitsandbytes gives back after 4-bit
quantisation, in f32.

    python train_parity.py               writes the goldens
    python train_parity.py --check D  opens the adapter that Diapason wrote into the folders D/<model>.<variant> with PEFT and
                                         compares the logits with logits.json there

Written with torch 2.11, transformers 5.23, peft 0.21.
"""

import json
import sys
from pathlib import Path

import torch
from bitsandbytes.backends.default.ops import _dequantize_4bit_compute
from bitsandbytes.functional import dequantize_blockwise, quantize_4bit
from peft import LoraConfig, PeftModel, get_peft_model
from peft.optimizers import create_loraplus_optimizer
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, Trainer, get_cosine_schedule_with_warmup

GOLDEN = Path(__file__).parents[2] / "host/models/tests/golden"
MODELS = ["llama-tied", "llama-biases", "qwen2", "qwen3"]
STEPS, WARMUP, BATCH, RANK, ALPHA = 100, 5, 4, 4, 8
# Full training at 1e-3 departs by 2.6e-5 between f32 and f64 in PyTorch itself, at 1e-4 by less than 8e-6.
FULL_RATE, LORA_RATE = 1e-4, 1e-3
PROBE = [1, 5, 9, 200, 31, 77, 8]


def rows():
    generator = torch.Generator().manual_seed(7)
    pick = lambda low, high: int(torch.randint(low, high, (1,), generator=generator))
    made = []
    for _ in range(24):
        length = pick(4, 20)
        prompt = pick(1, length - 1)
        ids = torch.randint(0, 256, (length,), generator=generator).tolist()
        made.append({"ids": ids, "learn": [i >= prompt for i in range(length)]})
    order = [torch.randperm(len(made), generator=generator)[:BATCH].tolist() for _ in range(STEPS)]
    return made, order


def batch(examples):
    width = max(len(row["ids"]) for row in examples)
    pad = lambda values, fill: values + [fill] * (width - len(values))
    ids = torch.tensor([pad(row["ids"], 0) for row in examples])
    mask = torch.tensor([pad([1] * len(row["ids"]), 0) for row in examples])
    labels = [[i if learn else -100 for i, learn in zip(row["ids"], row["learn"])] for row in examples]
    return ids, mask, torch.tensor([pad(row, -100) for row in labels])


def train(model, examples, order, rate, plus=None):
    model.train()
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    decays = Trainer.get_decay_parameter_names(None, model)
    groups = [
        {"params": [p for name, p in named if name in decays], "weight_decay": 0.01},
        {"params": [p for name, p in named if name not in decays], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=rate)
    if plus:
        optimizer = create_loraplus_optimizer(model, torch.optim.AdamW, lr=rate, loraplus_lr_ratio=plus,
                                              loraplus_weight_decay=0.01)
    schedule = get_cosine_schedule_with_warmup(optimizer, WARMUP, STEPS)
    losses, norms = [], []
    for step in order:
        ids, mask, labels = batch([examples[i] for i in step])
        logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1]
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_([p for _, p in named], 1.0)))
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses, norms


def load(name):
    return AutoModelForCausalLM.from_pretrained(GOLDEN / name, dtype=torch.float32, attn_implementation="eager")


def logits(model):
    model.eval()
    with torch.no_grad():
        return model(input_ids=torch.tensor([PROBE])).logits[0, -1].tolist()


def quantised(name):
    model = AutoModelForCausalLM.from_pretrained(GOLDEN / name, dtype="auto", attn_implementation="eager")
    for module in model.model.layers.modules():
        if isinstance(module, torch.nn.Linear):
            packed, state = quantize_4bit(module.weight.data, quant_type="nf4", compress_statistics=True)
            absmax = dequantize_blockwise(state.absmax, state.state2) + state.offset
            whole = _dequantize_4bit_compute(
                packed.flatten(), absmax, state.code, state.blocksize, state.shape, state.dtype)
            module.weight.data = whole
    return model.float()


LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
PATTERNS = {"use_rslora": True, "rank_pattern": {"layers.0.self_attn.q_proj": 3, "q_proj": 2, "up_proj": 6},
            "alpha_pattern": {"q_proj": 5, "down_proj": 12}}
#            name        base       settings                                            LoRA+ ratio
VARIANTS = [("lora", load, {}, None),
            ("dora", load, {"use_dora": True}, None),
            ("qlora", quantised, {}, None),
            ("patterns", load, PATTERNS, None),
            ("plus", load, {}, 3.0)]


def lora(name, variant, base, settings, plus, examples, order, out):
    torch.manual_seed(1)
    model = base(name)
    if variant == "patterns" and not model.config.tie_word_embeddings:
        settings = settings | {"modules_to_save": ["lm_head"]}
    config = LoraConfig(r=RANK, lora_alpha=ALPHA, lora_dropout=0.0, task_type="CAUSAL_LM", target_modules=LINEAR,
                        **settings)
    model = get_peft_model(model, config)
    model.peft_config["default"].base_model_name_or_path = name
    initial = {key.removeprefix("base_model.model.").replace(".default", ""): p.detach().clone()
               for key, p in model.named_parameters() if "lora_A" in key}
    if variant in ("lora", "patterns"):
        save_file(initial, out / f"{name}.{variant}.initial.safetensors")
    losses, norms = train(model, examples, order, LORA_RATE, plus)
    if variant in ("lora", "dora", "patterns"):
        model.save_pretrained(out / f"{name}.{variant}")
        (out / f"{name}.{variant}/README.md").unlink(missing_ok=True)
    print(name, variant, losses[0], "->", losses[-1])
    return {"rate": LORA_RATE, "losses": losses, "norms": norms, "logits": logits(model)}


def golden(name):
    examples, order = rows()
    out = GOLDEN / "train"
    out.mkdir(exist_ok=True)
    full = load(name)
    losses, norms = train(full, examples, order, FULL_RATE)
    runs = {"full": {"rate": FULL_RATE, "losses": losses, "norms": norms, "logits": logits(full)}}
    for variant, *rest in VARIANTS:
        runs[variant] = lora(name, variant, *rest, examples, order, out)
    (out / f"{name}.json").write_text(json.dumps({
        "rows": examples, "order": order, "warmup": WARMUP / STEPS, "rank": RANK, "alpha": ALPHA,
        "probe": PROBE, "runs": runs}) + "\n")


def check(folder):
    for path in sorted(Path(folder).iterdir()):
        base = path.name.rsplit(".", 1)[0]
        model = PeftModel.from_pretrained(load(base), path)
        theirs, ours = torch.tensor(logits(model)), torch.tensor(json.loads((path / "logits.json").read_text()))
        bare = torch.tensor(logits(load(base)))
        worst = float((theirs - ours).abs().max())
        moved = float((theirs - bare).abs().max())
        print(f"{path.name}: PEFT and Diapason differ by {worst:.2e}, the adapter moves logits by {moved:.2f}")
        assert worst <= 2e-4


if __name__ == "__main__":
    check(sys.argv[2]) if sys.argv[1:2] == ["--check"] else [golden(name) for name in MODELS]
