"""Writes host/models/tests/golden/tokenizer_folders.json: the ids and special tokens that transformers finds in folders whose
`tokenizer.json` is not all that counts: beside it lie a class, added tokens, special tokens, in every spelling of the years.

Checked with transformers 5.24.0 and tokenizers 0.23.3. Run from anywhere: `python tests/oracles/tokenizer_folders.py`.
"""

import copy
import json
import tempfile
import warnings
from pathlib import Path

import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "host/models/tests/golden/tokenizer_folders.json"
WORDS = ["Hello world, it's 12 34 123 1234 hello hello", "the theory of user and assistant, user's words", " a  b", "12 12 12"]
TEXTS = [
    "Hello world",
    "  Hello  12345 it's\n\nthe\ttheory",
    "<s>user hello</s>\n<s>assistant the </s> x",
    "<|new|>a <|new|> <|end|> b",
    "<|endoftext|>ab<|endoftext|>",
    "Ünï e\u0301 ﬁ 🦀",
]
SHAPE = dict(vocab_size=512, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1)


def letters():
    """A byte-level BPE whose numbers are merged."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=["<|end|>", "<s>", "</s>"], initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(WORDS * 4, trainer)
    return json.loads(tokenizer.to_str())


def pieces():
    """A BPE of pieces with bytes to fall back to, written as the converters of Llama 2 wrote it."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=330, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(WORDS * 4, trainer)
    made = json.loads(tokenizer.to_str())
    made["added_tokens"] = [token for token in made["added_tokens"] if token["id"] < 3]
    made["pre_tokenizer"] = None
    steps = [dict(type="Prepend", prepend="▁"), dict(type="Replace", pattern=dict(String=" "), content="▁")]
    made["normalizer"] = dict(type="Sequence", normalizers=steps)
    steps = [dict(type="Replace", pattern=dict(String="▁"), content=" "), dict(type="ByteFallback"), dict(type="Fuse"),
             dict(type="Strip", content=" ", start=1, stop=0)]
    made["decoder"] = dict(type="Sequence", decoders=steps)
    return made


FILES = {"letters": letters(), "pieces": pieces()}
BASIC = {"tokenizer_class": "PreTrainedTokenizerFast"}


def flags(content, **more):
    return dict(dict(content=content, lstrip=False, rstrip=False, normalized=False, single_word=False, special=True), **more)


def marked(content, **more):
    token = flags(content, **more)
    del token["special"]
    return dict(token, __type="AddedToken")


def config(**more):
    return {"tokenizer_config.json": {**BASIC, **more}}


MAP, ADDED = "special_tokens_map.json", "added_tokens.json"
NEW = {"eos_token": "<|new|>"}


def classes():
    """Case: tokenizer.json, model_type, files."""
    cases = {}
    for model in ["llama", "mistral", "qwen2", "qwen3"]:
        cases[f"{model}, no configuration"] = ("letters", model, {})
        for name in ["PreTrainedTokenizerFast", "TokenizersBackend", "GPT2Tokenizer", "GPT2TokenizerFast", "Qwen2Tokenizer",
                     "GPTNeoXTokenizerFast", "LlamaTokenizerFast", "NoSuchTokenizer"]:
            cases[f"{model}, {name}"] = ("letters", model, {"tokenizer_config.json": {"tokenizer_class": name}})
        for name in ["LlamaTokenizer", "LlamaTokenizerFast", "CodeLlamaTokenizer", "PreTrainedTokenizerFast"]:
            if model == "qwen2":
                continue
            for legacy in [None, True, False]:
                own = dict(tokenizer_class=name, legacy=legacy, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
                cases[f"{model}, pieces, {name}, legacy {legacy}"] = ("pieces", model, {"tokenizer_config.json": own})
    llama = dict(tokenizer_class="LlamaTokenizer")
    cases["pieces without a prefix"] = ("pieces", "llama", {"tokenizer_config.json": dict(llama, add_prefix_space=False)})
    cases["pieces, special tokens by default"] = ("pieces", "llama", {"tokenizer_config.json": llama})
    cases["a prefix for letters"] = ("letters", "llama", {"tokenizer_config.json": dict(tokenizer_class="GPT2Tokenizer", add_prefix_space=True)})
    cases["a class in config.json"] = ("pieces", "llama", {"config.json": llama})
    return cases


def tokens():
    new = flags("<|new|>")
    return {
        "a token of added_tokens_decoder": config(added_tokens_decoder={"300": new}),
        "one that is not special": config(added_tokens_decoder={"300": flags("<|new|>", special=False, normalized=True)}),
        "one that takes spaces": config(added_tokens_decoder={"300": flags("<|new|>", lstrip=True, rstrip=True)}),
        "another id than written": config(added_tokens_decoder={"400": new}),
        "other properties": config(added_tokens_decoder={"0": flags("<|end|>", lstrip=True, rstrip=True)}),
        "a word of the vocabulary": config(eos_token="he"),
        "a named token": config(**NEW),
        "a named token with properties": config(eos_token=marked("<|new|>", lstrip=True)),
        "a null token": config(eos_token=None, bos_token="<s>"),
        "additional_special_tokens": config(additional_special_tokens=["<|new|>", "<|end|>"]),
        "extra_special_tokens, a list": config(extra_special_tokens=["<|new|>"]),
        "extra_special_tokens, named": config(extra_special_tokens={"new_token": "<|new|>"}),
        "both lists": config(extra_special_tokens=[], additional_special_tokens=["<|new|>"]),
        "a token of another name": config(image_token="<|new|>"),
        "added_tokens.json": {**config(), ADDED: {"<|new|>": 300}},
        "added_tokens.json, special": {**config(**NEW), ADDED: {"<|new|>": 300}},
        "added_tokens.json beside a decoder": {**config(added_tokens_decoder={}), ADDED: {"<|new|>": 300}},
        "special_tokens_map.json": {**config(), MAP: NEW},
        "it wins": {**config(eos_token="<|end|>"), MAP: NEW},
        "it does not count beside a decoder": {**config(eos_token="<|end|>", added_tokens_decoder={"0": flags("<|end|>")}), MAP: {**NEW, "bos_token": "<s>"}},
        "it has properties": {**config(), MAP: {"eos_token": {key: value for key, value in flags("<|new|>", lstrip=True).items() if key != "special"}}},
        "it has additional tokens": {**config(), MAP: {"additional_special_tokens": ["<|new|>"]}},
        "special tokens are text": config(split_special_tokens=True),
        "tokens of a class": {"tokenizer_config.json": dict(tokenizer_class="GPT2Tokenizer", added_tokens_decoder={"0": flags("<|end|>"), "300": new}, **NEW)},
        "tokens of a class, described nowhere": {"tokenizer_config.json": dict(tokenizer_class="GPT2Tokenizer", added_tokens_decoder={"0": flags("<|end|>")})},
        "tokens of Qwen's class": {"tokenizer_config.json": dict(tokenizer_class="Qwen2Tokenizer", added_tokens_decoder={"0": flags("<|end|>", lstrip=True)}, eos_token="<|end|>", pad_token="<|new|>")},
    }


def read(name, model, files):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        files = {"config.json": {}, **files}
        files["config.json"] = {**SHAPE, "model_type": model, **files["config.json"]}
        for file, content in {**files, "tokenizer.json": FILES[name]}.items():
            (folder / file).write_text(json.dumps(content))
        tokenizer = AutoTokenizer.from_pretrained(folder)
        ids = [tokenizer(text, add_special_tokens=False).input_ids for text in TEXTS]
        back = [tokenizer.decode(some, skip_special_tokens=True) for some in ids]
        return dict(ids=ids, back=back, special_tokens=dict(tokenizer.special_tokens_map), reader=type(tokenizer).__name__)


def main():
    cases = [(case, *what) for case, what in classes().items()]
    cases += [(case, "letters", "llama", files) for case, files in tokens().items()]
    made = []
    for case, name, model, files in cases:
        made.append(dict(case=case, tokenizer=name, model_type=model, files=files, **read(name, model, copy.deepcopy(files))))
    OUT.write_text(json.dumps(dict(tokenizers=FILES, texts=TEXTS, cases=made), ensure_ascii=False, separators=(",", ":")) + "\n")
    print(len(made), "cases,", OUT.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
