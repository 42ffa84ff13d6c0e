"""Trains the tiny models of host/model/tests/golden with PyTorch and PEFT, for host/model/tests/train_parity.rs.

For each model, LoRA and full: 100 AdamW steps (clip 1.0, weight decay 0.01 on matrices, transformers' cosine schedule
with warm-up) on fixed rows in a fixed order; the loss of every step goes to `train/<model>.json`, PEFT's initial A
matrices and its trained adapter beside it.

    python train_parity.py               writes the goldens
    python train_parity.py --check D  opens the adapter that Diapason wrote into the folder D/<model> with PEFT and
                                         compares the logits with D/<model>/logits.json

Written with torch 2.11, transformers 5.23, peft 0.21.
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, get_cosine_schedule_with_warmup

GOLDEN = Path(__file__).parents[2] / "host/model/tests/golden"
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


def train(model, examples, order, rate):
    model.train()
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    groups = [
        {"params": [p for _, p in named if p.dim() > 1], "weight_decay": 0.01},
        {"params": [p for _, p in named if p.dim() == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=rate)
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


def golden(name):
    examples, order = rows()
    out = GOLDEN / "train"
    full = load(name)
    full_losses, full_norms = train(full, examples, order, FULL_RATE)
    torch.manual_seed(1)
    config = LoraConfig(r=RANK, lora_alpha=ALPHA, lora_dropout=0.0, task_type="CAUSAL_LM",
                        target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"])
    lora = get_peft_model(load(name), config)
    lora.peft_config["default"].base_model_name_or_path = name
    initial = {key.removeprefix("base_model.model.").replace(".default", ""): p.detach().clone()
               for key, p in lora.named_parameters() if "lora_A" in key}
    out.mkdir(exist_ok=True)
    save_file(initial, out / f"{name}.initial.safetensors")
    lora_losses, lora_norms = train(lora, examples, order, LORA_RATE)
    lora.save_pretrained(out / f"{name}.adapter")
    (out / f"{name}.adapter/README.md").unlink(missing_ok=True)
    (out / f"{name}.json").write_text(json.dumps({
        "rows": examples, "order": order, "warmup": WARMUP / STEPS, "rank": RANK, "alpha": ALPHA,
        "full": {"rate": FULL_RATE, "losses": full_losses, "norms": full_norms},
        "lora": {"rate": LORA_RATE, "losses": lora_losses, "norms": lora_norms},
        "probe": PROBE, "full_logits": logits(full), "lora_logits": logits(lora)}) + "\n")
    print(name, "full", full_losses[0], "->", full_losses[-1], "lora", lora_losses[0], "->", lora_losses[-1])


def check(folder):
    for path in sorted(Path(folder).iterdir()):
        model = PeftModel.from_pretrained(load(path.name), path)
        theirs, ours = torch.tensor(logits(model)), torch.tensor(json.loads((path / "logits.json").read_text()))
        bare = torch.tensor(logits(load(path.name)))
        worst = float((theirs - ours).abs().max())
        moved = float((theirs - bare).abs().max())
        print(f"{path.name}: PEFT and Diapason differ by {worst:.2e}, the adapter moves logits by {moved:.2f}")
        assert worst <= 2e-4


if __name__ == "__main__":
    check(sys.argv[2]) if sys.argv[1:2] == ["--check"] else [golden(name) for name in MODELS]
