"""Quantises weights with bitsandbytes on the CPU, for host/models/tests/nf4.rs.

Every case becomes a file as bitsandbytes serialises it, and a line of `nf4/expected.json` with the SHA-256 of the file
and of the numbers read back (f32, little-endian). Large files are kept as digests only. One thread: the mean of
more than 32,768 magnitudes is summed in an order that depends on their number.

    python nf4.py              writes the goldens
    python nf4.py --check D    reads the files D/<case>.safetensors that Diapason wrote, and compares

Written with bitsandbytes 0.50.2, torch 2.15, safetensors 0.8.
"""

import hashlib
import json
import sys
from pathlib import Path

import torch
from bitsandbytes.backends.default.ops import _dequantize_4bit_compute
from bitsandbytes.functional import QuantState, dequantize_blockwise, quantize_4bit
from safetensors.torch import load_file, save_file

torch.set_num_threads(1)
GOLDEN = Path(__file__).parents[2] / "host/models/tests/golden/nf4"
KEPT = 16 * 1024

#        name        shape       dtype           double storage
CASES = [
    ("plain", (8, 64), torch.float32, False, torch.uint8),
    ("double", (6, 96), torch.bfloat16, True, torch.uint8),
    ("nested", (160, 128), torch.float16, True, torch.uint8),
    ("short", (10, 10), torch.float32, True, torch.uint8),
    ("odd", (5, 13), torch.float32, False, torch.uint8),
    ("odd-double", (7, 77), torch.bfloat16, True, torch.uint8),
    ("zeros", (4, 100), torch.float32, False, torch.uint8),
    ("zeros-double", (4, 100), torch.float32, True, torch.uint8),
    ("bf16-storage", (8, 64), torch.bfloat16, True, torch.bfloat16),
    ("f32-storage", (8, 64), torch.float32, True, torch.float32),
    ("large", (576, 1536), torch.bfloat16, True, torch.uint8),
    ("larger", (1000, 999), torch.float32, True, torch.uint8),
]


def values(name, shape, dtype):
    """The same numbers as the Rust test makes: integers over a power of two, so that nothing is rounded."""
    n = shape[0] * shape[1]
    i = torch.arange(n, dtype=torch.int64)
    numbers = (((i * 7919 + i * i % 523) % 10007 - 5003).float() / 4096) * ((i // 64) % 7 + 1).float() / 8
    if name.startswith("zeros"):
        numbers[:128] = 0
        numbers[-16:] = 0
    return numbers.reshape(shape).to(dtype)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def numbers(packed, state):
    """By the plain implementation: the one for AVX-512 takes the wrong block where a row is no multiple of 64 (0.50.2)."""
    absmax = dequantize_blockwise(state.absmax, state.state2) + state.offset if state.nested else state.absmax
    packed = packed.view(torch.uint8).flatten()
    whole = _dequantize_4bit_compute(packed, absmax, state.code, state.blocksize, state.shape, state.dtype)
    return digest(whole.float().numpy().tobytes())


def write():
    GOLDEN.mkdir(exist_ok=True)
    expected = {}
    for name, shape, dtype, double, storage in CASES:
        packed, state = quantize_4bit(
            values(name, shape, dtype), quant_type="nf4", compress_statistics=double, quant_storage=storage
        )
        tensors = {"w.weight": packed} | {f"w.weight.{k}": v for k, v in state.as_dict(packed=True).items()}
        path = GOLDEN / f"{name}.safetensors"
        save_file(tensors, path, metadata={"format": "pt"})
        expected[name] = {
            "shape": shape, "dtype": str(dtype).removeprefix("torch."), "double": double,
            "storage": str(storage).removeprefix("torch."),
            "file": digest(path.read_bytes()), "numbers": numbers(packed, state),
        }
        if path.stat().st_size > KEPT:
            path.unlink()
    (GOLDEN / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


def check(folder):
    expected = json.loads((GOLDEN / "expected.json").read_text())
    for name in expected:
        tensors = load_file(Path(folder) / f"{name}.safetensors")
        packed = tensors.pop("w.weight")
        state = QuantState.from_dict({k.removeprefix("w.weight."): v for k, v in tensors.items()}, device="cpu")
        assert numbers(packed, state) == expected[name]["numbers"], name
    print(f"{len(expected)} files of Diapason read with bitsandbytes: the same numbers")


if __name__ == "__main__":
    check(sys.argv[2]) if len(sys.argv) == 3 else write()
