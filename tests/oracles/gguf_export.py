"""Reads an exported GGUF file with llama.cpp's own reader and compares it with the folder that it was made of:
`gguf_export.py FOLDER FILE.gguf`. Needs gguf, numpy, safetensors and torch."""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFReader, MODEL_ARCH, get_tensor_name_map
from gguf.quants import dequantize
from safetensors import safe_open

# Largest error of a tensor, relative to its largest number.
TOLERANCE = {"F32": 0.0, "F16": 1e-3, "Q8_0": 1e-2, "Q4_0": 0.13}

folder, path = Path(sys.argv[1]), sys.argv[2]
config = json.loads((folder / "config.json").read_text())
arch = {"llama": MODEL_ARCH.LLAMA, "mistral": MODEL_ARCH.LLAMA, "qwen2": MODEL_ARCH.QWEN2, "qwen3": MODEL_ARCH.QWEN3}
names = get_tensor_name_map(arch[config["model_type"]], config["num_hidden_layers"])
reader = GGUFReader(path)
tensors = {tensor.name: tensor for tensor in reader.tensors}


def interleaved(weight, heads):
    """Llama's queries and keys, from the halves of transformers to llama.cpp's pairs."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


seen, worst = 0, {}
for shard in sorted(folder.glob("*.safetensors")):
    with safe_open(shard, framework="pt") as file:
        for name in file.keys():
            own = names.get_name(name, try_suffixes=(".weight", ".bias"))
            if own not in tensors:
                sys.exit(f"{name} is not in the file as {own}")
            tensor = tensors[own]
            kind = tensor.tensor_type.name
            expected = file.get_tensor(name).to(torch.float32).numpy()
            if config["model_type"] in ("llama", "mistral") and ("q_proj" in name or "k_proj" in name):
                heads = config["num_attention_heads" if "q_proj" in name else "num_key_value_heads"]
                expected = interleaved(expected, heads)
            found = dequantize(tensor.data, tensor.tensor_type).reshape(expected.shape)
            error = np.abs(found - expected).max() / np.abs(expected).max()
            if not error <= TOLERANCE[kind]:
                sys.exit(f"{own} ({kind}) is off by {error:.2e} of its largest number")
            worst[kind] = max(worst.get(kind, 0.0), float(error))
            seen += 1
if seen != len(tensors):
    sys.exit(f"the file has {len(tensors)} tensors, the folder {seen}")
for field in ["general.architecture", "tokenizer.ggml.model", "tokenizer.ggml.tokens", "tokenizer.chat_template"]:
    if field not in reader.fields:
        sys.exit(f"the file has no `{field}`")
print(f"{seen} tensors, largest errors {worst}")
