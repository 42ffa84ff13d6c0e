"""Opens what host/models/tests/saved.rs left in DIAPASON_SAVED_OUT in transformers: `saved_folders.py DIR`.

Each folder of DIR has a `base` and what Diapason saved of it. Both must compute the same logits for 100 tokens, longer than
the windows, and have the same configuration for generation, special tokens and ids. Written for transformers 5.24.
"""

import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

IDS = torch.tensor([[(i * 37 + 11) % 256 for i in range(100)]])
# How the weights are kept is all that may change.
KEPT = {"dtype", "torch_dtype", "_name_or_path", "transformers_version"}


@torch.no_grad()
def seen(folder):
    # Not as "torch_dtype" says: both in 32 bits, from bfloat16 there and from float32 here.
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    config = {key: value for key, value in model.config.to_dict().items() if key not in KEPT}
    generation = {key: value for key, value in model.generation_config.to_dict().items() if key not in KEPT}
    text = "Hello, <s>world</s> é"
    return model(IDS).logits, config, generation, tokenizer(text)["input_ids"], tokenizer.special_tokens_map


folders = sorted(Path(sys.argv[1]).iterdir())
for folder in folders:
    base, saved = seen(folder / "base"), seen(folder / "saved")
    difference = (base[0] - saved[0]).abs().max().item()
    print(f"{folder.name}: logits differ by {difference:.1e}; window {saved[1].get('sliding_window')}")
    if difference > 1e-5 or base[1:] != saved[1:]:
        sys.exit(f"{folder.name}: {[(a, b) for a, b in zip(base[1:], saved[1:]) if a != b]}")
print(f"{len(folders)} folders are the same to transformers")
