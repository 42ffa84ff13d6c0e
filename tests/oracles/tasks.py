"""What lm-evaluation-harness 0.4.13 makes of the tasks in `tests/tasks` with the demo's model: every prompt, likelihood and
answer, every sample's metrics, and the figures.

    python tests/oracles/tasks.py > tests/tasks/expected.json

The model's folder is copied, as the harness needs an end-of-text token to be named in tokenizer_config.json.
"""

import json
import os
import shutil
import tempfile

import torch
import yaml
from lm_eval import simple_evaluate
from lm_eval.models.huggingface import HFLM

BASE = os.path.abspath("templates/project/demo/base")
WAYS = {"plain": {}, "turns": {"apply_chat_template": True, "fewshot_as_multiturn": True},
        "turn": {"apply_chat_template": True, "fewshot_as_multiturn": False}}
TASKS = ["capitals", "letters", "lastword", "reading", "words"]


def model(folder):
    shutil.copytree(BASE, folder, dirs_exist_ok=True)
    with open(f"{folder}/tokenizer_config.json", "w") as file:
        json.dump({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|end|>", "pad_token": "<|pad|>"}, file)
    return HFLM(pretrained=folder, dtype="float32", device="cpu", batch_size=1)


def asked(sample):
    """A sample's prompt, what followed it, and its metrics."""
    arguments = [list(one.values()) for one in sample["arguments"].values()] if isinstance(sample["arguments"], dict) \
        else [list(one) for one in sample["arguments"]]
    responses = [one[0] for one in sample["resps"]]
    row = {"id": sample["doc_id"], "prompt": arguments[0][0], "filter": sample["filter"],
           "metrics": {name: sample[name] for name in sample["metrics"]}}
    if isinstance(arguments[0][1], dict):
        return row | {"answer": responses[0], "filtered": sample["filtered_resps"]}
    likelihoods = [(continuation, *response) for (_, continuation), response in zip(arguments, responses)]
    return row | {"likelihoods": [(text, float(logprob), str(greedy) == "True") for text, logprob, greedy in likelihoods]}


torch.set_num_threads(1)
with tempfile.TemporaryDirectory() as folder:
    harness = model(folder)
    os.chdir("tests/tasks")
    found = {}
    for way, settings in WAYS.items():
        for name in TASKS:
            with open(f"{name}.yaml") as file:
                task = yaml.safe_load(file)
            results = simple_evaluate(harness, tasks=[task], log_samples=True, bootstrap_iters=0, **settings)
            figures = {key: value for key, value in results["results"][name].items()
                       if "," in key and not key.split(",")[0].endswith("_stderr")}
            samples = sorted((asked(sample) for sample in results["samples"][name]), key=lambda row: (row["filter"], row["id"]))
            found[f"{name} {way}"] = {"figures": figures, "samples": samples}
rows = [f"{json.dumps(name)}: {{\"figures\": {json.dumps(one['figures'])}, \"samples\": [\n"
        + ",\n".join(json.dumps(sample, ensure_ascii=False) for sample in one["samples"]) + "\n]}" for name, one in found.items()]
print("{\n" + ",\n".join(rows) + "\n}")
