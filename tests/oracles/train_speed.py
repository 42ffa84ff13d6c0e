"""Speed and memory of LoRA in PyTorch with PEFT, for `cargo x bench train`: prints one line of JSON.

The same rows as the benchmark's own: every token is learned, rank 16 on all linear layers, no dropout, f32, AdamW.
"""

import argparse
import json
import statistics
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

parser = argparse.ArgumentParser()
parser.add_argument("--model", required=True)
for name in ["steps", "batch", "length", "threads"]:
    parser.add_argument(f"--{name}", type=int, required=True)
options = parser.parse_args()

torch.set_num_threads(options.threads)
torch.manual_seed(1)
model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32)
frozen = [p for name, p in model.named_parameters() if name.endswith("_proj.weight")]
bits = 8 * sum(p.numel() * p.element_size() for p in frozen) / sum(p.numel() for p in frozen)
model = get_peft_model(
    model, LoraConfig(r=16, lora_alpha=32, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM")
)
model.train()
trained = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.0)

rates = []
for step in range(options.steps + 1):
    rows = range(step * options.batch, (step + 1) * options.batch)
    ids = torch.tensor([[(row * 7919 + i * 104_729) % 1000 for i in range(options.length + 1)] for row in rows])
    start = time.perf_counter()
    logits = model(input_ids=ids[:, :-1]).logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    optimizer.zero_grad()
    value = loss.item()
    del logits, loss
    rates.append(options.batch * options.length / (time.perf_counter() - start))

with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
print(json.dumps({"tokens_per_second": statistics.median(rates[1:]), "peak_bytes": peak, "bits": bits, "loss": value}))
