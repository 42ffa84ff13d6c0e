"""Makes host/models/tests/golden/configs.json: what transformers computes for configurations as users leave them.

    python tests/oracles/model_configs.py host/models/tests/golden

Needs torch, transformers and safetensors. The weights are those of the golden folders of `tiny_models.py`, so that a case
is a configuration and a few numbers: every eighth logit of the last and of a middle position. A case that transformers
itself refuses is written down with its error; the test wants it refused there too.
"""

import json
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
ABSENT = "(absent)"
IDS = [(i * 37 + 11) % 256 for i in range(48)]
SHORT = IDS[:7]
YARN = dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=16)
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=16)
FACTORS = [1.0, 1.5, 2.5, 4.0]
PLAIN = dict(rope_parameters=ABSENT, rope_scaling=ABSENT, rope_theta=ABSENT)


def rope():
    """Cases of the rotary embedding: both spellings, alone and beside each other."""
    one = {
        "default": {},
        "theta at the top": dict(rope_theta=500.0),
        "theta in rope_parameters": dict(rope_parameters=dict(rope_theta=500.0)),
        "theta in both": dict(rope_theta=77.0, rope_parameters=dict(rope_theta=500.0, rope_type="default")),
        "theta null": dict(rope_theta=None),
        "theta null inside": dict(rope_parameters=dict(rope_theta=None)),
        "theta a text": dict(rope_theta="10000"),
        "scaling null": dict(rope_scaling=None, rope_theta=500.0),
        "scaling empty": dict(rope_scaling={}, rope_parameters=dict(rope_theta=500.0, rope_type="linear", factor=2.0)),
        "both null": dict(rope_scaling=None, rope_parameters=None, rope_theta=500.0),
        "linear, old": dict(rope_scaling=dict(type="linear", factor=2.0), rope_theta=500.0),
        "linear, theta inside": dict(rope_scaling=dict(rope_type="linear", factor=2, rope_theta=500.0), rope_theta=9.0),
        "linear below 1": dict(rope_scaling=dict(type="linear", factor=0.5)),
        "linear without factor": dict(rope_scaling=dict(type="linear")),
        "linear, factor null": dict(rope_scaling=dict(type="linear", factor=None)),
        "factor without type": dict(rope_scaling=dict(factor=2.0)),
        "type null": dict(rope_scaling=dict(type=None, factor=2.0)),
        "two types": dict(rope_scaling=dict(type="linear", rope_type="llama3", **{k: v for k, v in LLAMA3.items() if k != "rope_type"})),
        "two types, default wins": dict(rope_scaling=dict(type="linear", rope_type="default", factor=2.0)),
        "unknown type": dict(rope_scaling=dict(type="foo", factor=2.0)),
        "no object": dict(rope_scaling="linear"),
        "a list": dict(rope_scaling=["linear", 2.0]),
        "scaling beside parameters": dict(rope_scaling=YARN, rope_parameters=dict(rope_theta=500.0, rope_type="default")),
        "scaling beside parameters and theta": dict(rope_scaling=dict(type="linear", factor=3.0), rope_theta=500.0,
                                                     rope_parameters=dict(rope_theta=77.0, rope_type="default")),
        "default scaling beside yarn parameters": dict(rope_scaling=dict(rope_type="default"), rope_parameters=YARN),
        "dynamic": dict(rope_scaling=dict(type="dynamic", factor=2.0)),
        "dynamic without factor": dict(rope_scaling=dict(type="dynamic")),
        "llama3": dict(rope_parameters=dict(LLAMA3, rope_theta=500.0)),
        "llama3, old": dict(rope_scaling=LLAMA3, rope_theta=500.0),
        "llama3 without original": dict(rope_scaling={k: v for k, v in LLAMA3.items() if "original" not in k}),
        "llama3 with original at the top": dict(rope_scaling=LLAMA3, original_max_position_embeddings=64),
        "llama3 without high": dict(rope_scaling={k: v for k, v in LLAMA3.items() if "high" not in k}),
        "yarn": dict(rope_parameters=dict(YARN, rope_theta=500.0)),
        "yarn, old": dict(rope_scaling=dict(type="yarn", factor=4.0, original_max_position_embeddings=16), rope_theta=500.0),
        "yarn, original at the top": dict(rope_scaling=YARN, original_max_position_embeddings=64),
        "yarn, original at the top null": dict(rope_scaling=YARN, original_max_position_embeddings=None),
        "yarn without original": dict(rope_scaling=dict(type="yarn", factor=4.0)),
        "yarn without factor": dict(rope_scaling=dict(type="yarn", original_max_position_embeddings=16)),
        "yarn, factor null": dict(rope_scaling=dict(YARN, factor=None)),
        "yarn, attention factor": dict(rope_scaling=dict(YARN, attention_factor=1.5)),
        "yarn, attention factor null": dict(rope_scaling=dict(YARN, attention_factor=None)),
        "yarn, betas": dict(rope_scaling=dict(YARN, beta_fast=8, beta_slow=0.25)),
        "yarn, betas null": dict(rope_scaling=dict(YARN, beta_fast=None, beta_slow=0)),
        "yarn, mscales": dict(rope_scaling=dict(YARN, mscale=2.0, mscale_all_dim=0.5)),
        "yarn, one mscale": dict(rope_scaling=dict(YARN, mscale=2.0)),
        "yarn, mscale 0": dict(rope_scaling=dict(YARN, mscale=0.0, mscale_all_dim=1.0)),
        "yarn, not truncated": dict(rope_scaling=dict(YARN, truncate=False)),
        "yarn below 1": dict(rope_scaling=dict(YARN, factor=0.5)),
        "longrope": dict(rope_scaling=dict(type="longrope", short_factor=FACTORS, long_factor=FACTORS, factor=4.0,
                                           original_max_position_embeddings=16)),
        "longrope without factor": dict(rope_scaling=dict(type="longrope", short_factor=FACTORS, long_factor=FACTORS,
                                                          original_max_position_embeddings=16)),
        "longrope, long and short": dict(rope_scaling=dict(type="longrope", short_factor=FACTORS, factor=4.0,
                                                           long_factor=[2 * x for x in FACTORS],
                                                           original_max_position_embeddings=16)),
        "proportional": dict(rope_scaling=dict(type="proportional", partial_rotary_factor=0.5)),
        "partial linear": dict(partial_rotary_factor=0.5, rope_scaling=dict(type="linear", factor=2.0)),
        "partial 1": dict(partial_rotary_factor=1.0, rope_theta=500.0),
    }
    return {f"rope: {name}": ("llama-tied", dict(PLAIN, **fields)) for name, fields in one.items()}


def windows():
    """Cases of sliding windows, most of them shorter than the long sequence."""
    mistral = {
        "window": dict(sliding_window=8), "window null": dict(sliding_window=None), "no window": dict(sliding_window=ABSENT),
        "use_sliding_window false": dict(sliding_window=8, use_sliding_window=False),
        "layer types": dict(sliding_window=8, layer_types=["full_attention", "sliding_attention"], head_dim=8),
        "layer types without head_dim": dict(sliding_window=8, layer_types=["full_attention", "sliding_attention"],
                                             head_dim=ABSENT),
        "layer types, head_dim null": dict(sliding_window=8, layer_types=["full_attention"] * 2, head_dim=None),
        "layer types null": dict(sliding_window=8, layer_types=None, head_dim=8),
        "layer types, all full": dict(sliding_window=8, layer_types=["full_attention"] * 2, head_dim=8),
        "layer types, window null": dict(sliding_window=None, layer_types=["full_attention"] * 2, head_dim=8),
        "layer types without window": dict(sliding_window=None, layer_types=["full_attention", "sliding_attention"], head_dim=8),
        "layer types, no window named": dict(sliding_window=ABSENT, layer_types=["full_attention", "sliding_attention"], head_dim=8),
        "ministral": dict(model_type="ministral", sliding_window=8, head_dim=8),
        "ministral without head_dim": dict(model_type="ministral", sliding_window=8, head_dim=ABSENT),
        "ministral, window null": dict(model_type="ministral", sliding_window=None, head_dim=8),
        "ministral, types": dict(model_type="ministral", sliding_window=8, layer_types=["full_attention"] * 2, head_dim=8),
        "bias that is not there": dict(sliding_window=None, attention_bias=True, mlp_bias=True),
        "key heads null": dict(num_key_value_heads=None),
    }
    cases = {f"mistral: {name}": ("mistral-sharded", fields) for name, fields in mistral.items()}
    qwen = {
        "window unused": dict(sliding_window=8, use_sliding_window=False, max_window_layers=0),
        "use absent": dict(sliding_window=8, use_sliding_window=ABSENT, max_window_layers=0),
        "window used": dict(sliding_window=8, use_sliding_window=True, max_window_layers=0),
        "window from layer 1": dict(sliding_window=8, use_sliding_window=True, max_window_layers=1),
        "window from layer 2 of 2": dict(sliding_window=8, use_sliding_window=True, max_window_layers=2),
        "window from the default layer": dict(sliding_window=8, use_sliding_window=True, max_window_layers=ABSENT),
        "window null": dict(sliding_window=None, use_sliding_window=True, max_window_layers=0),
        "window absent": dict(sliding_window=ABSENT, use_sliding_window=True, max_window_layers=0),
        "use null": dict(use_sliding_window=None),
        "types": dict(layer_types=["full_attention", "sliding_attention"], sliding_window=8, use_sliding_window=True),
        "types before max_window_layers": dict(layer_types=["full_attention"] * 2, sliding_window=8, use_sliding_window=True,
                                               max_window_layers=0),
        "types without window": dict(layer_types=["full_attention", "sliding_attention"]),
        "old types": dict(layer_types=["attention", "attention"]),
        "unknown types": dict(layer_types=["full_attention", "foo"]),
        "linear types": dict(layer_types=["full_attention", "linear_attention"]),
        "too few types": dict(layer_types=["full_attention"]),
        "attention_bias": dict(attention_bias=False),
        "dropout": dict(attention_dropout=0.5), "dropout whole": dict(attention_dropout=0),
        "dropout null": dict(attention_dropout=None), "dropout a text": dict(attention_dropout="0.1"),
        "hidden_act swish": dict(hidden_act="swish"), "hidden_act gelu": dict(hidden_act="gelu"),
        "hidden_act null": dict(hidden_act=None), "hidden_act absent": dict(hidden_act=ABSENT),
        "eps absent": dict(rms_norm_eps=ABSENT), "eps": dict(rms_norm_eps=0.01), "eps null": dict(rms_norm_eps=None),
        "positions absent": dict(max_position_embeddings=ABSENT), "positions null": dict(max_position_embeddings=None),
        "head_dim null": dict(head_dim=None), "key heads absent": dict(num_key_value_heads=ABSENT),
        "tied null": dict(tie_word_embeddings=None), "old type": dict(dtype=ABSENT, torch_dtype="bfloat16"),
        "generation": dict(temperature=0.7, top_p=0.8, max_length=9, do_sample=True, repetition_penalty=1.1),
        "keys of version 4": dict(use_cache=False, pretraining_tp=1, attention_dropout=0.0, output_attentions=False,
                                  _name_or_path="x", is_decoder=True, torchscript=False, pruned_heads={}, auto_map={}),
    }
    for kind in ["qwen2", "qwen3"]:
        base = dict(layer_types=ABSENT)
        cases |= {f"{kind}: {name}": (kind, dict(base, **fields)) for name, fields in qwen.items()}
    llama = {
        "window": dict(sliding_window=8), "tied head apart": {}, "head alone": {}, "key heads null": dict(num_key_value_heads=None),
        "head_dim null": dict(head_dim=None), "head_dim absent": dict(head_dim=ABSENT), "attention_bias null": dict(attention_bias=None),
        "mlp_bias a text": dict(mlp_bias="no"), "size a text": dict(hidden_size="32"), "size not whole": dict(hidden_size=32.0),
    }
    return cases | {f"llama: {name}": ("llama-tied", fields) for name, fields in llama.items()}


def folder_of(golden, name, base, fields):
    folder = Path(tempfile.mkdtemp())
    for path in (golden / base).iterdir():
        if path.suffix in (".safetensors", ".json"):
            shutil.copy(path, folder / path.name)
    config = json.loads((folder / "config.json").read_text())
    config = {key: value for key, value in (config | fields).items() if value != ABSENT}
    (folder / "config.json").write_text(json.dumps(config))
    weights = folder / "model.safetensors"
    if name == "llama: tied head apart":
        tensors = load_file(weights)
        tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].flip(0).contiguous()
        save_file(tensors, weights, {"format": "pt"})
    if name == "llama: head alone":
        tensors = load_file(weights)
        tensors["lm_head.weight"] = tensors.pop("model.embed_tokens.weight")
        save_file(tensors, weights, {"format": "pt"})
    return folder, config


@torch.no_grad()
def case(golden, name, base, fields):
    folder, config = folder_of(golden, name, base, fields)
    found = {"name": name, "folder": base, "config": config}
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        for key, ids in [("short", SHORT), ("long", IDS)]:
            logits = model(torch.tensor([ids]), use_cache=False).logits[0, -1]
            found[key] = [round(float(x), 5) for x in logits[::8]]
    except Exception as error:
        found["error"] = f"{type(error).__name__}: {error}".splitlines()[0][:100]
    shutil.rmtree(folder)
    return found


if __name__ == "__main__":
    golden = Path(sys.argv[1])
    cases = [case(golden, name, *rest) for name, rest in (rope() | windows()).items()]
    lines = ",\n".join(json.dumps(one) for one in cases)
    (golden / "configs.json").write_text(f'{{"ids": {json.dumps(IDS)}, "cases": [\n{lines}\n]}}\n')
    print(len(cases), "cases,", sum("error" in one for one in cases), "refused by transformers")
