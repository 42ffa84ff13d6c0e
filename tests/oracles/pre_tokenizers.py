"""What llama.cpp makes of texts under its names of pre-tokenizers, beside the definitions of `tokenizers`.

    python tests/oracles/pre_tokenizers.py write        writes host/models/tests/golden/pre_tokenizers.json
    python tests/oracles/pre_tokenizers.py check DIR    asks llama.cpp for the ids of what Diapason exported to DIR

Each definition stands there as its users have it, on a byte-level BPE of one corpus whose last token no merge reaches, with the
ids of the texts below. `check` wants the same ids from llama.cpp of every file; the definitions that it reads otherwise under
any name are those that Diapason refuses. Needs tokenizers and xllamacpp (llama.cpp with its server). Published definitions:
gpt2, SmolLM2, Llama 3, Qwen2.5, Qwen3.5, DeepSeek V3 and Coder, Falcon, Seed Coder, Ling, GPT-4o, Mistral NeMo.
"""

import json
import pathlib
import random
import sys
import urllib.request

from tokenizers import Tokenizer, pre_tokenizers, trainers

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "host/models/tests/golden/pre_tokenizers.json"
SUFFIXES = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
END = r"\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA_3 = SUFFIXES + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + END
QWEN_2 = LLAMA_3.replace("{1,3}", "")
QWEN_35 = SUFFIXES + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|" + END
SEED = SUFFIXES + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|" + END
LING = (r"'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]|\s+(?!\S)|\s+")
DEEPSEEK_3 = (r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
              r"| ?[\p{P}\p{S}]+[\r\n]*|" + END)
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
WORD = r"[^\r\n\p{L}\p{N}]?" + f"{UPPER}*{LOWER}+@|" + r"[^\r\n\p{L}\p{N}]?" + f"{UPPER}+{LOWER}*@|"
GPT_4O = WORD.replace("@", SUFFIXES + "?") + r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + END
TEKKEN = WORD.replace("@", "") + r"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + END
GPT_2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"


def split(regex, removed=False):
    behavior = "Removed" if removed else "Isolated"
    return {"type": "Split", "pattern": {"Regex": regex}, "behavior": behavior, "invert": removed}


def byte_level(use_regex, space=False):
    return {"type": "ByteLevel", "add_prefix_space": space, "trim_offsets": True, "use_regex": use_regex}


def digits(one):
    return {"type": "Digits", "individual_digits": one}


def then(*steps):
    return {"type": "Sequence", "pretokenizers": list(steps)}


PUNCTUATION = {"type": "Punctuation", "behavior": "Contiguous"}
NFC = {"type": "NFC"}
# Name there (none where Diapason refuses), pre-tokenizer, whether words that are tokens are never cut, normalizer.
CASES = [
    ("gpt-2", byte_level(True), False, None),
    ("smollm", then(digits(True), byte_level(True)), False, None),
    ("llama-bpe", then(split(LLAMA_3), byte_level(False)), True, None),
    ("llama-bpe", then(split(LLAMA_3, True), byte_level(False)), True, None),
    ("smaug-bpe", then(split(LLAMA_3), byte_level(False)), False, None),
    ("stablelm2", then(split(QWEN_2), byte_level(False)), False, None),
    ("qwen2", then(split(QWEN_2), byte_level(False)), False, NFC),
    ("qwen35", then(split(QWEN_35), byte_level(False)), False, NFC),
    ("deepseek-v3", then(split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"), split(DEEPSEEK_3), byte_level(False)), False, None),
    ("falcon", then(PUNCTUATION, byte_level(True), digits(False), split("[0-9][0-9][0-9]")), False, None),
    ("seed-coder", then(split(SEED), byte_level(False)), False, None),
    ("bailingmoe", then(split(LING), byte_level(False)), False, None),
    ("default", then(split(r"[\p{P}\$\+<=>\^~\|]+"), split(GPT_2), split(r"\p{N}+"), split("[0-9][0-9][0-9]"),
                     byte_level(False)), False, None),
    # What llama.cpp approximates under deepseek-coder, gpt-4o and tekken, or has no name for.
    (None, then(split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split("[一-龥ࠀ-一가-퟿]+"), digits(True),
                byte_level(False)), False, None),
    (None, then(split(GPT_4O, True), byte_level(False)), False, None),
    (None, then(split(TEKKEN), byte_level(False)), True, None),
    (None, then(PUNCTUATION, byte_level(True), digits(True)), False, None),
    (None, byte_level(True, space=True), False, None),
    (None, byte_level(True), False, {"type": "Lowercase"}),
    (None, byte_level(True), False, NFC),
    (None, byte_level(True), True, None),
    ("qwen35", then(split(QWEN_35), byte_level(False)), False, None),
    (None, then(split(QWEN_2), byte_level(False)), True, None),
]
CORPUS = [
    "The quick brown fox can't jump over 12345 lazy dogs' tails, don't you think?",
    "I'll've said: \"it's 3.14159 or 2,718,281!\" and WE'RE shouting, THAT'S it.",
    "def f(x):\n\treturn x**2  # comment\n\n\nprint(f(10))",
    "Äpfel über Straße, ÉCOLE été naïve façade",
    "你好，世界！今天天气怎么样？ 한국어 문장입니다. 日本語のテキスト",
    "Привет, мир! Как дела? Ελληνικά κείμενο",
    "   leading   spaces\t\ttabs \r\n crlf\r\n\r\n",
    "emoji 😀👩‍👩‍👧 flags 🇩🇪 and math ∑ ≤ ½ ² Ⅷ",
    "HTTPServer camelCase SNAKE_CASE kebab-case unreachable",
    "1st 2nd 3rd 100th 1,000,000 0x1F",
]
PIECES = ["a", "B", "é", "É", "ß", "ʼ", "'", "’", "s", "S", "ll", "RE", " ", "  ", "\t", "\n", "\r\n", "\r", "\u00a0", "\u3000",
          "\u200b", "\u2028", "1", "12", "123", "1234", "٣", "½", "²", "Ⅷ", "一", "你好", "の", "ー", "가", "ไทย", "हिन्दी", "ि",
          "ñ", "ǅ", "ʰ", "ª", "😀", "👩‍👧", "🇩🇪", ".", ",", "!", "?!", "_", "-", "--", "$", "€", "+", "=", "<>", "^", "`", "~", "|",
          "\\", "/", "//", "(", "[", "{", "#", "@", "&", "*", "«", "»", "„", "…", "—", "'s", "'S", "'re", "'VE", "'d", "don't", "I'M",
          "İ", "ı", "ﬁ", "\x1c", "\x85", "\ufeff", "\x7f", " unreachable", "À"]

DECOMPOSED = ["e\u0301te\u0301 nai\u0308ve", "Stra\u00dfe o\u0308 A\u030angstro\u0308m 1\u0301"]


def texts():
    draw = random.Random(7)
    made = ["".join(draw.choice(PIECES) for _ in range(draw.randint(1, 9))) for _ in range(310)]
    return CORPUS + made + DECOMPOSED


def tokenizer(pre, whole, normalizer):
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
             "fuse_unk": False, "byte_fallback": False, "ignore_merges": whole, "vocab": {}, "merges": []}
    made = Tokenizer.from_str(json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": normalizer, "pre_tokenizer": pre,
        "post_processor": None, "decoder": byte_level(True), "model": model}))
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made.train_from_iterator(CORPUS * 20, trainers.BpeTrainer(
        vocab_size=318, initial_alphabet=alphabet, show_progress=False, min_frequency=1))
    made = json.loads(made.to_str())
    made["model"]["vocab"]["Ġunreachable"] = len(made["model"]["vocab"])
    return made


def write():
    cases = []
    for name, pre, whole, normalizer in CASES:
        made = tokenizer(pre, whole, normalizer)
        opened = Tokenizer.from_str(json.dumps(made))
        ids = [opened.encode(text, add_special_tokens=False).ids for text in texts()] if name else None
        # llama.cpp composes no characters, under no name.
        opened.normalizer = None
        plain = [opened.encode(text, add_special_tokens=False).ids for text in texts()]
        plain = {at: other for at, other in enumerate(plain) if name and other != ids[at]}
        vocabulary = made["model"]["vocab"]
        cases.append({"name": name, "pre_tokenizer": pre, "normalizer": normalizer, "ignore_merges": whole,
                      "tokens": sorted(vocabulary, key=vocabulary.get)[256:], "merges": made["model"]["merges"], "ids": ids, "uncomposed": plain})
    golden = {"alphabet": sorted(pre_tokenizers.ByteLevel.alphabet()), "texts": texts(), "cases": cases}
    lines = json.dumps(golden, ensure_ascii=True, separators=(",", ":")).replace('{"name"', '\n{"name"')
    GOLDEN.write_text(lines + "\n")


def asked(path, contents):
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path, params.n_ctx, params.n_parallel, params.warmup = str(path), 128, 1, False
    server = xllamacpp.Server(params)
    for content in contents:
        body = json.dumps({"content": content, "add_special": False, "parse_special": False}).encode()
        request = urllib.request.Request(server.listening_address + "/tokenize", body, {"Content-Type": "application/json"})
        yield json.loads(urllib.request.urlopen(request).read())["tokens"]


def check(folder):
    golden, wrong = json.loads(GOLDEN.read_text()), 0
    for number, case in enumerate(golden["cases"]):
        path = pathlib.Path(folder) / f"{number}.gguf"
        if case["name"] is None:
            continue
        found = list(asked(path, golden["texts"]))
        wanted = [case["uncomposed"].get(str(at), ids) for at, ids in enumerate(case["ids"])]
        differ = [text for text, ids, given in zip(golden["texts"], wanted, found) if ids != given]
        print(f"{case['name']}: {len(differ)} of {len(found)} texts differ {differ[:3]}")
        wrong += len(differ)
    sys.exit(wrong > 0)


if __name__ == "__main__":
    write() if sys.argv[1] == "write" else check(sys.argv[2])
