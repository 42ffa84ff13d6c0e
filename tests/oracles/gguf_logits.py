"""Exports the golden models and asks llama.cpp what transformers computes of their folders: `gguf_logits.py DIAPASON`.

DIAPASON is the built binary. Needs torch, transformers and xllamacpp (llama.cpp with its server). The exports are in 16 bits:
log-probabilities after 7 and after 48 tokens agree to 0.03. The folders get one merge, without which llama.cpp opens no BPE.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import xllamacpp
from transformers import AutoModelForCausalLM

GOLDEN = Path(__file__).resolve().parents[2] / "host/models/tests/golden"
IDS = [(i * 37 + 11) % 256 for i in range(48)]


def asked(server, ids):
    # An "a" comes next whatever the model says, see gguf_ropes.py.
    answer = server.handle_completions({"prompt": ids, "n_predict": 1, "n_probs": 264, "temperature": 0.0,
                                        "cache_prompt": False, "logit_bias": [[64, 1000.0]]})
    answer = answer if isinstance(answer, dict) else json.loads(answer)
    top = answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    return {one["id"]: one["logprob"] for one in top}


@torch.no_grad()
def compare(name, place):
    folder, path = place / name, place / f"{name}.gguf"
    shutil.copytree(GOLDEN / name, folder)
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"]["ab"], tokenizer["model"]["merges"] = 256, [["a", "b"]]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    subprocess.run([sys.argv[1], "export", "--model", folder, "--out", path, "--type", "f16"], check=True)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    params = xllamacpp.CommonParams()
    params.model.path, params.n_ctx, params.n_parallel, params.warmup = str(path), 64, 1, False
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    server, worst = xllamacpp.Server(params), 0.0
    for count in (7, 48):
        found = asked(server, IDS[:count])
        expected = torch.log_softmax(model(torch.tensor([IDS[:count]])).logits[0, -1], -1)
        worst = max([worst, *(abs(found[id] - expected[id].item()) for id in range(256))])
    print(f"{name}: log-probabilities differ by at most {worst:.4f}")
    return worst


with tempfile.TemporaryDirectory() as place:
    names = ["llama-tied", "llama-biases", "qwen2", "qwen3"]
    sys.exit(any(compare(name, Path(place)) > 0.03 for name in names))
