"""Where transformers 5.24.0 stops a generation, for each way in which a folder can name the ends of a text.

    python tests/oracles/stop_ids.py > host/models/tests/golden/stop_ids.json

Each row has the keys put into config.json, generation_config.json (null: there is no such file), and the ids that
`generate` stops at (null: none). The model is a golden one, whose own keys of this kind are taken away first.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

GOLDEN = Path(__file__).parents[2] / "host/models/tests/golden/llama-tied"
CASES = [
    ({"eos_token_id": 5}, None),
    ({"eos_token_id": [5, 6]}, None),
    ({"eos_token_id": None}, None),
    ({}, None),
    ({"eos_token_id": 5}, {}),
    ({"eos_token_id": 5}, {"eos_token_id": None}),
    ({"eos_token_id": 5}, {"bos_token_id": 1, "do_sample": True, "temperature": 0.5}),
    ({"eos_token_id": 5}, {"eos_token_id": 7}),
    ({"eos_token_id": 5}, {"eos_token_id": [8, 7, 8]}),
    ({"eos_token_id": [5, 6]}, {"eos_token_id": [6]}),
    ({"eos_token_id": None}, {"eos_token_id": [7, 5]}),
    ({}, {"eos_token_id": 7, "pad_token_id": 3}),
    ({"eos_token_id": 5, "max_length": 30}, None),
]


def stops(config, generation):
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(GOLDEN, folder, dirs_exist_ok=True)
        own = json.loads((GOLDEN / "config.json").read_text())
        own.pop("eos_token_id", None)
        Path(folder, "config.json").write_text(json.dumps(own | config))
        Path(folder, "generation_config.json").unlink(missing_ok=True)
        if generation is not None:
            Path(folder, "generation_config.json").write_text(json.dumps(generation))
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        settings, _ = model._prepare_generation_config(None)
        model._prepare_special_tokens(settings, True, device="cpu")
        found = settings._eos_token_tensor
        return None if found is None else sorted(set(found.tolist()))


rows = [[config, generation, stops(config, generation)] for config, generation in CASES]
sys.stdout.write("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")
