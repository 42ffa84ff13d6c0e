"""Makes host/models/tests/golden/decoding.json: what transformers 5.24.0 answers for a folder's generation_config.json.

    python tests/oracles/decoding.py host/models/tests/golden

Needs torch, transformers and tokenizers. `answers` are greedy answers of the golden models to a few prompts, each asked alone, with the
fields in generation_config.json or, where there is none, in config.json: the decoded text and the number of tokens before
the end, or the error. As lm-evaluation-harness does, `generate` is always given `do_sample` and `max_new_tokens`.
`logits` are made-up logits before and after the processors that `generate` builds of the fields; null is minus infinity.
"""

import json
import random
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, GenerationConfig

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity(transformers.logging.CRITICAL)
PROMPTS = ["Hello, world", "a", "The fork sounds: é ♪", "abcabcabc"]
NEW = 16
STEPS = 4
END = 257
VOCABULARY = 24

# What changes answers, alone and together.
RULES = [
    {"repetition_penalty": 1.3}, {"repetition_penalty": 0.6}, {"repetition_penalty": 1.0}, {"repetition_penalty": 1},
    {"no_repeat_ngram_size": 1}, {"no_repeat_ngram_size": 2}, {"no_repeat_ngram_size": 3}, {"no_repeat_ngram_size": 0},
    {"no_repeat_ngram_size": -1},
    {"encoder_repetition_penalty": 1.4}, {"encoder_repetition_penalty": 0.5},
    {"encoder_no_repeat_ngram_size": 1}, {"encoder_no_repeat_ngram_size": 3},
    {"suppress_tokens": [1, 2, 3, 5, 8, 13]}, {"suppress_tokens": []}, {"suppress_tokens": [-1, 9, 100000]},
    {"begin_suppress_tokens": [4, 5, 6, 7]}, {"begin_suppress_tokens": [4, 5], "forced_bos_token_id": 9},
    {"forced_bos_token_id": 7}, {"forced_eos_token_id": 11}, {"forced_eos_token_id": [12, 3]},
    {"min_new_tokens": 5}, {"min_length": 6}, {"min_length": 20, "min_new_tokens": 2}, {"min_new_tokens": -3},
    {"min_new_tokens": 40},
    {"bad_words_ids": [[3], [1, 2], [4, 5, 6], []]}, {"bad_words_ids": [[0]]}, {"bad_words_ids": [[10], [0, 10]]},
    {"sequence_bias": [[[3], -2.5], [[1, 2], 4.0], [[5, 2], 1.5], [[2], 1.0], [[7, 8, 2], 2.0]]},
    {"sequence_bias": [[[3], 1.0], [[4], 3.0], [[3], 9.0]]}, {"sequence_bias": [[[], 2.0], [[6], 2.0]]},
    {"exponential_decay_length_penalty": [2, 1.5]}, {"exponential_decay_length_penalty": [0, 3]},
    {"exponential_decay_length_penalty": [1, 1.2], "min_new_tokens": 8, "remove_invalid_values": True},
    {"remove_invalid_values": True}, {"remove_invalid_values": True, "suppress_tokens": [1, 2]},
    {"renormalize_logits": True, "repetition_penalty": 1.2},
    {"repetition_penalty": 1.2, "no_repeat_ngram_size": 2, "min_new_tokens": 4, "bad_words_ids": [[3], [1, 2]],
     "suppress_tokens": [6], "begin_suppress_tokens": [7, 8], "forced_eos_token_id": 2, "encoder_repetition_penalty": 1.1,
     "sequence_bias": [[[9], 1.0]], "exponential_decay_length_penalty": [6, 1.1]},
]
# What the project says, what is inert, what is refused by one side or both.
OTHERS = [
    {"do_sample": True, "temperature": 0.6, "top_k": 20, "top_p": 0.95, "min_p": 0.1}, {"typical_p": 0.5, "top_h": 0.4},
    {"epsilon_cutoff": 0.1, "eta_cutoff": 0.1}, {"max_length": 3}, {"max_new_tokens": 2}, {"max_new_tokens": 2, "max_length": 9},
    {"num_beams": 1}, {"num_beams": 3}, {"num_beams": 3, "num_beam_groups": 3, "diversity_penalty": 0.5},
    {"length_penalty": 0.2, "early_stopping": True, "diversity_penalty": 0.3}, {"early_stopping": "soon"},
    {"num_beam_groups": 2}, {"num_return_sequences": 2}, {"num_return_sequences": 2, "do_sample": True},
    {"penalty_alpha": 0.6}, {"penalty_alpha": 0.6, "top_k": 4}, {"penalty_alpha": 0.0}, {"dola_layers": "low"}, {"dola_layers": [1]},
    {"constraints": []}, {"force_words_ids": [[5]]}, {"guidance_scale": 1.5}, {"guidance_scale": 1}, {"guidance_scale": 1.0},
    {"stop_strings": ["a"]}, {"max_time": 0.0}, {"token_healing": True}, {"token_healing": False},
    {"watermarking_config": {"greenlist_ratio": 0.5, "bias": 2.5, "seeding_scheme": "lefthash", "context_width": 1}},
    {"use_mtp": True}, {"use_mtp": False}, {"prompt_lookup_num_tokens": 3}, {"prompt_lookup_num_tokens": 3, "max_matching_ngram_size": 2},
    {"assistant_early_exit": 1}, {"is_assistant": True}, {"is_assistant": False}, {"assistant_ensemble_weight": 2.0},
    {"num_assistant_tokens": 2, "num_assistant_tokens_schedule": "heuristic", "assistant_confidence_threshold": 0.9},
    {"assistant_lookbehind": 2, "target_lookbehind": 2}, {"speculation_type": "dflash"},
    {"use_cache": False}, {"cache_implementation": "static"}, {"cache_implementation": "hybrid"}, {"cache_implementation": "dynamic"},
    # "offloaded" needs a GPU.
    {"cache_implementation": "quantized"}, {"cache_implementation": "foo"},
    {"cache_config": {"nbits": 4}}, {"max_cache_len": 500}, {"prefill_chunk_size": 2}, {"disable_compile": True},
    {"compile_config": {}}, {"continuous_batching_config": {}}, {"low_memory": True}, {"output_scores": True},
    {"output_attentions": True, "output_hidden_states": True, "output_logits": True}, {"return_legacy_cache": True},
    {"pad_token_id": 3, "bos_token_id": 4, "decoder_start_token_id": 5}, {"pad_token_id": -1}, {"_from_model_config": True},
    {"_commit_hash": "x", "_original_object_hash": 1}, {"chat_format": "chatml", "max_window_size": 24, "user_token_id": 1},
    {"_attn_implementation": "eager", "dtype": "float16", "trust_remote_code": True, "model_type": "x", "vocab_size": 3},
    {"is_encoder_decoder": True}, {"logits_processor": []}, {"stopping_criteria": []}, {"foo": 1}, {"foo": None},
    {"frequency_penalty": 0.5}, {"repetition_penalty": 2}, {"repetition_penalty": 0.0}, {"repetition_penalty": -1.5},
    {"repetition_penalty": "1.2"}, {"repetition_penalty": None}, {"no_repeat_ngram_size": 2.0}, {"no_repeat_ngram_size": "2"},
    {"min_new_tokens": 2.5}, {"min_length": "3"}, {"suppress_tokens": 5}, {"suppress_tokens": None}, {"suppress_tokens": "ab"},
    {"bad_words_ids": []}, {"bad_words_ids": [5]}, {"bad_words_ids": [[-1]]}, {"bad_words_ids": [[100000]]}, {"bad_words_ids": [[1.5]]},
    {"sequence_bias": []}, {"sequence_bias": {"3": 1.0}}, {"sequence_bias": [[[3], 1]]}, {"sequence_bias": [[3, 1.0]]},
    {"sequence_bias": [[[100000], 1.0]]}, {"exponential_decay_length_penalty": [2]}, {"exponential_decay_length_penalty": 2},
    {"forced_bos_token_id": 100000}, {"forced_eos_token_id": -1}, {"forced_eos_token_id": "x"}, {"encoder_repetition_penalty": 2},
    {"forced_eos_token_id": 5, "suppress_tokens": [5, 6]}, {"forced_eos_token_id": [4, 5], "suppress_tokens": [5, 6]},
    {"forced_bos_token_id": 5, "suppress_tokens": [5]}, {"eos_token_id": []}, {"eos_token_id": [], "pad_token_id": 3},
]


def folder_of(golden, name, fields, file, end):
    """A copy of a golden model whose answers end at `end`, with the fields in one of the two files."""
    folder = Path(tempfile.mkdtemp())
    for path in (golden / name).iterdir():
        if path.suffix in (".safetensors", ".json"):
            shutil.copy(path, folder / path.name)
    fields = {"eos_token_id": end} | fields
    config = json.loads((folder / "config.json").read_text())
    if file == "config.json":
        (folder / "generation_config.json").unlink()
        (folder / file).write_text(json.dumps(config | fields))
    else:
        # What config.json says beside it has no say.
        (folder / "config.json").write_text(json.dumps(config | {"repetition_penalty": 5.0, "min_length": 9}))
        (folder / file).write_text(json.dumps(fields))
    return folder, fields


@torch.no_grad()
def answers(golden, name, fields, file, end):
    folder, fields = folder_of(golden, name, fields, file, end)
    found = {"folder": name, "file": file, "fields": fields}
    try:
        text = Tokenizer.from_file(str(folder / "tokenizer.json"))
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        found["answers"] = [answer(model, text, prompt) for prompt in PROMPTS]
    except Exception as error:
        found["error"] = f"{type(error).__name__}: {error}".splitlines()[0][:90]
    shutil.rmtree(folder)
    return found


def answer(model, text, prompt):
    ids = torch.tensor([text.encode(prompt, add_special_tokens=False).ids])
    out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW, do_sample=False)
    sequences = out.sequences if hasattr(out, "sequences") else out
    new = sequences[:, ids.shape[1]:].tolist()
    if len(new) > 1:
        return [text.decode(each) for each in new], 0
    ends = model.generation_config.eos_token_id
    stops = [i for i, token in enumerate(new[0]) if token in (ends if isinstance(ends, list) else [ends])]
    new = new[0][:stops[0]] if stops else new[0]
    return text.decode(new, skip_special_tokens=True), len(new)


def plain(golden, name):
    """A token that ends plain answers early: the fifth of the first one."""
    folder, _ = folder_of(golden, name, {}, "generation_config.json", END)
    text = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    ids = torch.tensor([text.encode(PROMPTS[0], add_special_tokens=False).ids])
    new = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW, do_sample=False)
    shutil.rmtree(folder)
    return int(new[0, ids.shape[1] + 4])


def logits(model, fields, number):
    """Logits of a few moments of one completion."""
    chance = random.Random(number)
    end, prompt = [10, 2], [chance.randrange(VOCABULARY) for _ in range(chance.choice([1, 5]))]
    config = GenerationConfig(**({"eos_token_id": end} | fields))
    config, _ = model._prepare_generation_config(config, do_sample=False, max_new_tokens=STEPS)
    model._prepare_special_tokens(config, True, device="cpu")
    config.max_length = config.max_new_tokens + len(prompt)
    if config.min_new_tokens is not None:
        config.min_length = config.min_new_tokens + len(prompt)
    first = torch.tensor([prompt])
    processors = model._get_logits_processor(config, len(prompt), first, device="cpu", model_kwargs={})
    found = {"fields": fields, "ends": end, "prompt": prompt, "moments": []}
    ids = list(prompt)
    for _ in range(STEPS):
        before = [chance.randrange(-32, 32) / 4 for _ in range(VOCABULARY)]
        after = processors(torch.tensor([ids]), torch.tensor([before]))[0].tolist()
        shown = [None if value == float("-inf") else round(value, 5) for value in after]
        found["moments"].append([list(ids[len(prompt):]), before, shown])
        ids.append(chance.choice([1, 2, 3, 4, 5, 6, 7, 8]))
    return found


if __name__ == "__main__":
    golden = Path(sys.argv[1])
    cases = []
    for number, name in enumerate(["llama-tied", "qwen2", "mistral-sharded"]):
        end = plain(golden, name)
        fields = RULES + (OTHERS if number == 0 else [])
        cases += [answers(golden, name, each, "generation_config.json", end) for each in fields]
        cases += [answers(golden, name, each, "config.json", end) for each in (fields if number == 1 else fields[::9])]
    model = AutoModelForCausalLM.from_pretrained(golden / "llama-tied", dtype=torch.float32)
    model.generation_config = GenerationConfig()
    rules = [each for each in RULES if not each.get("renormalize_logits") and each.get("repetition_penalty") != 1]
    made = [logits(model, each, number) for number, each in enumerate(rules * 2)]
    rows = lambda list: ",\n".join(json.dumps(one, ensure_ascii=False) for one in list)
    text = f'{{"prompts": {json.dumps(PROMPTS, ensure_ascii=False)}, "new": {NEW}, "answers": [\n{rows(cases)}\n], "logits": [\n{rows(made)}\n]}}\n'
    (golden / "decoding.json").write_text(text)
    print(len(cases), "cases,", sum("error" in one for one in cases), "refused by transformers;", len(made), "of logits")
