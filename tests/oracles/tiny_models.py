"""Makes the golden folders of host/models/tests/golden: tiny random models with what transformers computes for them.

    python tests/oracles/tiny_models.py host/models/tests/golden

Needs torch, transformers and tokenizers. Weights are rounded to the stored type first, so that both sides read the same.
"""

import json
import sys
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM

SHAPE = dict(
    vocab_size=264, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=128, eos_token_id=257, bos_token_id=256, initializer_range=0.4,
)
LLAMA3 = dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=32)
MODELS = {
    "llama-tied": ("llama", dict(tie_word_embeddings=True, rope_parameters=LLAMA3), torch.bfloat16),
    "llama-biases": ("llama", dict(attention_bias=True, mlp_bias=True, tie_word_embeddings=False,
                                   rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=2.0)),
                     torch.float16),
    "mistral-sharded": ("mistral", dict(tie_word_embeddings=False, sliding_window=64), torch.bfloat16),
    "qwen2": ("qwen2", dict(tie_word_embeddings=True), torch.bfloat16),
    "qwen3": ("qwen3", dict(tie_word_embeddings=False, head_dim=16), torch.bfloat16),
}
TEXTS = ["Hello, world", "a", "The fork sounds: é ♪"]


def tokenizer():
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE({token: i for i, token in enumerate(alphabet)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken("<s>", special=True), AddedToken("</s>", special=True)])
    return made


def older_spelling(config):
    """What transformers 4 wrote."""
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    config["rope_scaling"] = {"type": rope.pop("rope_type"), **rope}
    config["torch_dtype"] = config.pop("dtype")


@torch.no_grad()
def make(folder, kind, fields, dtype):
    torch.manual_seed(sum(map(ord, folder.name)))
    config = AutoConfig.for_model(kind, **SHAPE, **fields)
    model = AutoModelForCausalLM.from_config(config).eval()
    for name, weight in model.named_parameters():
        if name.endswith("bias") or "norm" in name:
            weight.add_(torch.randn_like(weight) * 0.2)
    model = model.to(dtype)
    model.save_pretrained(folder, max_shard_size="40KB" if "sharded" in folder.name else "5GB")
    text = tokenizer()
    text.save(str(folder / "tokenizer.json"), pretty=False)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    if "biases" in folder.name:
        older_spelling(config)
    path.write_text(json.dumps(config, indent=1) + "\n")
    (folder / "tokenizer_config.json").write_text('{"bos_token": "<s>", "eos_token": {"content": "</s>"}}\n')
    # Read back, not cast back: a cast to half precision would have rounded the rotary frequencies too.
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    (folder / "expected.json").write_text(json.dumps([expected(model, text, each) for each in TEXTS]) + "\n")


def expected(model, text, prompt):
    ids = text.encode(prompt, add_special_tokens=False).ids
    logits = model(torch.tensor([ids])).logits[0]
    greedy = list(ids)
    for _ in range(24):
        following = int(model(torch.tensor([greedy])).logits[0, -1].argmax())
        if following == 257:
            break
        greedy.append(following)
    logprobs = logits.log_softmax(-1)
    tail = sum(float(logprobs[i, ids[i + 1]]) for i in range(len(ids) - 1))
    return {"text": prompt, "ids": ids, "logits": [round(float(x), 6) for x in logits[-1]],
            "greedy": greedy[len(ids):], "first": text.decode(ids[:1]), "tail_logprob": tail}


if __name__ == "__main__":
    for name, model in MODELS.items():
        target = Path(sys.argv[1]) / name
        target.mkdir(parents=True, exist_ok=True)
        make(target, *model)
