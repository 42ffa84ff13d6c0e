"""Writes host/models/tests/golden/llama-biases.gguf from the folder beside it, with llama.cpp's own writer (PyPI `gguf`).

    python tests/oracles/gguf_file.py

What llama.cpp's converter does to a Llama: rows of q and k in the order of its rotary embedding, the tokenizer in the
metadata.
Written with gguf 0.19, safetensors 0.8, torch 2.11.
"""

import json
import pathlib

import gguf
import torch
from safetensors.torch import load_file

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "host/models/tests/golden"
SOURCE = GOLDEN / "llama-biases"
NAMES = {
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}


def own_name(name):
    if not name.startswith("model.layers."):
        return {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
                "lm_head.weight": "output.weight"}[name]
    _, _, layer, rest = name.split(".", 3)
    module, kind = rest.rsplit(".", 1)
    return f"blk.{layer}.{NAMES[module]}.{kind}"


def interleaved(weight, heads):
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


def main():
    config = json.loads((SOURCE / "config.json").read_text())
    tokenizer = json.loads((SOURCE / "tokenizer.json").read_text())
    writer = gguf.GGUFWriter(GOLDEN / "llama-biases.gguf", "llama")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_rope_scaling_type(gguf.RopeScalingType(config["rope_scaling"]["type"]))
    writer.add_rope_scaling_factor(config["rope_scaling"]["factor"])
    special = {token["id"]: token["content"] for token in tokenizer["added_tokens"]}
    plain = {id: token for token, id in tokenizer["model"]["vocab"].items()}
    ids = range(config["vocab_size"])
    tokens = [special.get(id) or plain.get(id) or f"[unused{id}]" for id in ids]
    kinds = [gguf.TokenType.CONTROL if id in special else gguf.TokenType.NORMAL if id in plain else gguf.TokenType.UNUSED
             for id in ids]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(merge) for merge in tokenizer["model"]["merges"]])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    for name, weight in load_file(SOURCE / "model.safetensors").items():
        if "q_proj" in name:
            weight = interleaved(weight, config["num_attention_heads"])
        if "k_proj" in name:
            weight = interleaved(weight, config["num_key_value_heads"])
        writer.add_tensor(own_name(name), weight.to(torch.float32).numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


main()
