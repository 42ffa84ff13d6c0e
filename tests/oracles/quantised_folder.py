"""Lets transformers and bitsandbytes write a tiny model in 4 bits, for host/models/tests/convert.rs, with its logits.

    python quantised_folder.py              writes golden/nf4-qwen3
    python quantised_folder.py --check D  opens the folders in D that Diapason wrote and prints the logits' differences

Written with transformers 5.23, bitsandbytes 0.50.2, torch 2.15.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from bitsandbytes.backends.default.ops import _dequantize_4bit_compute
from bitsandbytes.functional import dequantize_blockwise
from bitsandbytes.nn import Linear4bit
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

GOLDEN = Path(__file__).parents[2] / "host/models/tests/golden"
PROBE = [1, 5, 9, 200, 31, 77, 8]


def dense(model):
    """The same model with plain layers: bitsandbytes' product on the CPU fails for rows of less than 64 (0.50.2)."""
    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, Linear4bit):
                state = layer.weight.quant_state
                absmax = dequantize_blockwise(state.absmax, state.state2) + state.offset if state.nested else state.absmax
                weight = _dequantize_4bit_compute(
                    layer.weight.data.flatten(), absmax, state.code, state.blocksize, state.shape, state.dtype)
                plain = torch.nn.Linear(layer.in_features, layer.out_features, bias=layer.bias is not None)
                plain.weight.data = weight.float()
                if layer.bias is not None:
                    plain.bias.data = layer.bias.data.float()
                setattr(parent, name, plain)
    return model


def logits(model):
    model = torch.nn.Module.float(dense(model))
    model.eval()
    with torch.no_grad():
        return model(input_ids=torch.tensor([PROBE])).logits[0, -1].float().tolist()


def write():
    config = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
                                bnb_4bit_compute_dtype=torch.float32)
    source, out = GOLDEN / "qwen3", GOLDEN / "nf4-qwen3"
    model = AutoModelForCausalLM.from_pretrained(source, quantization_config=config, dtype="auto")
    model.save_pretrained(out)
    (out / "generation_config.json").unlink(missing_ok=True)
    for name in ["tokenizer.json", "tokenizer_config.json"]:
        shutil.copy(source / name, out / name)
    (out / "logits.json").write_text(json.dumps(logits(model)) + "\n")


def check(folder):
    for path in sorted(Path(folder).iterdir()):
        model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
        ours = torch.tensor(json.loads((path / "logits.json").read_text()))
        worst = float((torch.tensor(logits(model)) - ours).abs().max())
        print(f"{path.name}: transformers and Diapason differ by {worst:.2e}")
        assert worst <= 2e-4


if __name__ == "__main__":
    check(sys.argv[2]) if len(sys.argv) == 3 else write()
