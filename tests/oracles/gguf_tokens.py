"""Which tokens llama.cpp takes for special ones, and where it ends an answer.

    python tests/oracles/gguf_tokens.py write            writes host/models/tests/golden/gguf_tokens.json
    python tests/oracles/gguf_tokens.py check DIAPASON   exports model folders and asks llama.cpp about each token

`write` takes llama-biases.gguf with other texts and kinds of tokens and other keys; kept are the tokens that end an answer and
the ids of a text of all of them. `check` exports the golden folder llama-tied with other added tokens, ends and templates by
the built binary; wanted are the model's ends and those that the export says of llama.cpp, the ids of `tokenizers`, and its text
for each token. Needs gguf, tokenizers and xllamacpp (llama.cpp with its server).
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.request

import gguf
import xllamacpp
from tokenizers import Tokenizer

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "host/models/tests/golden"
SOURCE = GOLDEN / "llama-biases.gguf"
NORMAL, UNKNOWN, CONTROL, USER, UNUSED = 1, 2, 3, 4, 5
# Letters, 11 among them, which llama.cpp ends at where it is told nothing; and all that is no letter.
LOOKED_AT = [5, 11, 32, 65, 200, *range(256, 264)]
# Texts and kinds of the tokens from 257 on, and keys.
EOS = {"eos_token_id": 257}
READ = {
    "one end": ([("</s>", CONTROL)], EOS),
    "no key": ([("<x>", CONTROL)], {}),
    "out of range": ([("<x>", CONTROL)], {"eos_token_id": 99999}),
    "three keys": ([("<a>", CONTROL), ("<b>", CONTROL), ("<c>", USER)],
                   {"eos_token_id": 257, "eot_token_id": 258, "eom_token_id": 259}),
    "by text": ([("<x>", CONTROL), ("<|im_end|>", CONTROL), ("<|endoftext|>", USER), ("<eos>", NORMAL)], EOS),
    "by text, too": ([("<x>", CONTROL), ("[EOS]", UNUSED), ("<|eom_id|>", CONTROL), ("[e~[", CONTROL)], EOS),
    "infill": ([("<x>", CONTROL), ("<|fim_pad|>", USER), ("<|repo_name|>", USER), ("<|file_sep|>", USER),
                ("<|fim_prefix|>", USER), ("<SUF>", NORMAL)], EOS),
    "infill by key": ([("<x>", CONTROL), ("<PAD>", USER), ("[PAD]", USER), ("<r>", USER)],
                      EOS | {"fim_pad_token_id": 258, "fim_rep_token_id": 260}),
    "gpt-oss": ([("<|return|>", CONTROL), ("<|call|>", CONTROL), ("<|end|>", CONTROL), ("<|channel|>", CONTROL)], EOS),
    "gpt-oss, named": ([("<|return|>", CONTROL), ("<|call|>", CONTROL), ("<|end|>", CONTROL)],
                       {"eos_token_id": 257, "eot_token_id": 259}),
    "solar": ([("<|flush|>", CONTROL), ("<|calls|>", CONTROL), ("<|end|>", CONTROL)], EOS),
    "phi": ([("<|end|>", CONTROL), ("<|return|>", CONTROL)], EOS),
    "gemma": ([("<|tool_response>", CONTROL), ("</s>", USER), ("<turn|>", CONTROL)], EOS),
    "plamo": ([("<|plamo:eos|>", CONTROL), ("</s>", NORMAL)], EOS),
    "unknown": ([("<x>", CONTROL), ("<unk>", UNKNOWN), ("unused", UNUSED)], EOS),
    "empty": ([("<x>", CONTROL), ("", USER)], EOS),
}


def write_file(path, tokens, keys):
    reader = gguf.GGUFReader(SOURCE)
    writer = gguf.GGUFWriter(path, "llama")
    values = {name: (field.contents(), field.types[0], field.types[-1]) for name, field in reader.fields.items()
              if not name.startswith("GGUF.") and name != "general.architecture"}
    texts, kinds = values["tokenizer.ggml.tokens"][0], values["tokenizer.ggml.token_type"][0]
    for id, (text, kind) in enumerate(tokens, 257):
        texts[id], kinds[id] = text, kind
    values.pop("tokenizer.ggml.eos_token_id")
    for name, id in keys.items():
        values[f"tokenizer.ggml.{name}"] = (id, gguf.GGUFValueType.UINT32, None)
    strings = gguf.GGUFValueType.STRING
    values["tokenizer.ggml.tokens"] = (texts, gguf.GGUFValueType.ARRAY, strings)
    values["tokenizer.ggml.token_type"] = (kinds, gguf.GGUFValueType.ARRAY, gguf.GGUFValueType.INT32)
    values["tokenizer.ggml.merges"] = (["x y"], gguf.GGUFValueType.ARRAY, strings)
    for name, (value, kind, inner) in values.items():
        writer.add_key_value(name, value, kind, inner if kind == gguf.GGUFValueType.ARRAY else None)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


class Asked:
    """A server of llama.cpp."""

    def __init__(self, path):
        params = xllamacpp.CommonParams()
        params.model.path, params.n_ctx, params.n_parallel, params.warmup = str(path), 128, 1, False
        params.verbosity = -1
        self.server = xllamacpp.Server(params)

    def post(self, place, body):
        body = json.dumps(body).encode()
        request = urllib.request.Request(self.server.listening_address + place, body, {"Content-Type": "application/json"})
        return json.loads(urllib.request.urlopen(request).read())

    def ids(self, text):
        return self.post("/tokenize", {"content": text, "add_special": False, "parse_special": True})["tokens"]

    def answer(self, id):
        """The answer where this token comes next whatever the model says."""
        return self.post("/completion", {"prompt": [65, 66], "n_predict": 1, "temperature": 0.0, "cache_prompt": False,
                                         "logit_bias": [[id, 10000.0]]})

    def ends(self, ids):
        return [id for id in ids if self.answer(id)["stop_type"] == "eos"]


def write():
    cases = []
    for name, (tokens, keys) in READ.items():
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "model.gguf"
            write_file(path, tokens, keys)
            asked = Asked(path)
            text = "a" + "b".join(text for text, _ in tokens) + "c"
            cases.append({"name": name, "tokens": tokens, "keys": keys, "ends": asked.ends(LOOKED_AT), "text": text,
                          "ids": asked.ids(text)})
            print(cases[-1])
    lines = ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases)
    (GOLDEN / "gguf_tokens.json").write_text(f"[\n{lines}\n]\n")


def token(text, special=True, **more):
    return {"id": 0, "content": text, "special": special, "normalized": False, "single_word": False, "lstrip": False,
            "rstrip": False} | more


def text(word, **more):
    return token(word, special=False, **more)


DECODER = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
# Added tokens (in the place of the folder's), the folder's other changes, and what the export says where it refuses. `</s>` ends
# an answer where nothing else is said.
EXPORTED = {
    "as it is": (["<s>", "</s>"], {}, None),
    "several ends": (["<s>", "</s>", "<a>", "<b>"], {"eos": ["</s>", "<a>", "<b>"]}, None),
    "too many": (["<a>", "<b>", "<c>", "<d>", "<e>"], {"eos": ["<a>", "<b>", "<c>", "<d>"]}, "more tokens than"),
    "many by text": (["<|im_end|>", "<|eot_id|>", "<|endoftext|>", "<a>", "<b>"],
                     {"eos": ["<|im_end|>", "<|eot_id|>", "<|endoftext|>", "<a>", "<b>"]}, None),
    "no end": (["<s>", "<x>"], {"eos": None}, "no token that ends"),
    "the tokenizer's": (["<s>", "<x>"], {"eos": None, "eos_token": "<x>"}, None),
    "another than the tokenizer's": (["<s>", "<x>", "<y>"], {"eos": ["<y>"], "eos_token": "<x>"}, None),
    "which the template writes": (["<s>", "<x>", "<y>"], {"eos": ["<y>"], "eos_token": "<x>", "template": "{{ eos_token }}"},
                                  "writes `eos_token`"),
    "that llama.cpp adds": (["<s>", "<x>", "<|im_end|>", text("<|file_sep|>")], {"eos": ["<x>"]}, None),
    "gpt-oss": (["<|return|>", "<|call|>", "<|end|>"], {"eos": ["<|return|>", "<|end|>"]}, "ends a text at \"<|end|>\""),
    "hidden": (["</s>", text("<|im_end|>")], {}, None),
    "shown": (["</s>", "<|channel|>"], {}, None),
    "no bos": (["</s>"], {"bos_token": None, "template": "{{ bos_token }}a"}, "writes `bos_token`"),
    "gaps": ([token("<x>", id=258), token("<y>", id=262)], {"eos": ["<y>"]}, None),
    "other numbers": ([token("<x>", id=5), text("<y>", id=5), text("<z>", id=900)], {"eos": ["<y>"]}, None),
    "twice": ([token("<x>", id=257), text("<x>", id=258), text("<y>", id=259)], {"eos": ["<x>"]}, None),
    "no merges": (["</s>"], {"vocab": {}, "merges": []}, "no merges"),
    "a merge twice": (["</s>"], {"vocab": {"ab": 256, "bc": 257}, "merges": [["a", "b"], ["b", "c"], ["a", "b"]]}, None),
    "an id twice": (["</s>"], {"vocab": {"ab": 257}, "merges": [["a", "b"]]}, "the id 257"),
    "no decoder": (["</s>"], {"decoder": None}, "has the decoder null"),
    "fused": (["</s>"], {"decoder": {"type": "Sequence", "decoders": [DECODER, {"type": "Fuse"}]}}, None),
    "metaspace": (["</s>"], {"decoder": {"type": "Metaspace", "replacement": "x", "prepend_scheme": "never", "split": True}},
                  "has the decoder"),
    "stripped": (["</s>"], {"decoder": {"type": "Sequence", "decoders": [
        DECODER, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}}, "has the decoder"),
    "letters": (["</s>", text("\u00e9t\u00e9")], {}, "for the added token"),
    "letters, hidden": (["</s>", "\u00e9t\u00e9"], {}, None),
    "words": (["</s>", text("\u4f60 \u597d"), text("two words")], {}, None),
    "no letters": (["</s>"], {"vocab": {"\u0120t": 256, "\u4f60": 257}}, "for no byte"),
    "overlap": (["</s>", text("ab"), text("bcd")], {}, 'overlap in "abcd"'),
    "overlap, as long": (["</s>", text("abc"), text("cde")], {}, "overlap in"),
    "contained": (["</s>", text("abcd"), text("bc"), text("d")], {}, None),
    "spaces": (["</s>", text("  "), text("   "), text("    ")], {}, None),
    "within": (["</s>", text("b"), text("abc", normalized=True)], {}, "overlap in"),
    "padding": (["</s>", text("[PAD262]"), "[PAD]"], {}, None),
    "ordinary": (["<x>"], {"eos": ["<x>"], "vocab": {"</": 256, "s>": 257, "</s>": 258},
                           "merges": [["<", "/"], ["s", ">"], ["</", "s>"]]}, "as an ordinary token"),
    "a name": (["</s>", "<p>"], {"pad_token": "<p>", "template": "{{ pad_token }}"}, "writes `pad_token`"),
}
TEXTS = ["Hello, world", "a<x>b<y>c<z>", "abcde", "  a   b      c", "</s><s><|im_end|><|file_sep|>", "été [PAD260][PAD]",
         "two words你 好", "<|channel|>abab<p>"]


def folder_of(place, added, more):
    """Makes the folder, and gives its tokenizer."""
    shutil.copytree(GOLDEN / "llama-tied", place)
    path = place / "tokenizer.json"
    made = json.loads(path.read_text())
    vocabulary = more.get("vocab", {"\u0120t": 256})
    added = [token(one) if isinstance(one, str) else one for one in added]
    made["added_tokens"] = [one | {"id": one["id"] or 256 + len(vocabulary) + at} for at, one in enumerate(added)]
    made["model"]["merges"] = more.get("merges", [["\u0120", "t"]])
    made["model"]["vocab"] |= vocabulary
    made["decoder"] = more.get("decoder", DECODER)
    path.write_text(json.dumps(made))
    tokenizer = Tokenizer.from_file(str(path))
    config = json.loads((place / "config.json").read_text())
    (place / "generation_config.json").unlink()
    ends = more.get("eos", ["</s>"])
    config["eos_token_id"] = ends and list(map(tokenizer.token_to_id, ends))
    (place / "config.json").write_text(json.dumps(config))
    names = {"bos_token": added[0]["content"]} | {name: value for name, value in more.items() if name.endswith("_token")}
    (place / "tokenizer_config.json").write_text(json.dumps({name: value for name, value in names.items() if value}))
    if "template" in more:
        (place / "chat_template.jinja").write_text(more["template"])
    return tokenizer


def exported(diapason, place):
    done = subprocess.run([diapason, "export", "--model", place, "--out", f"{place}.gguf", "--type", "f16", "--format", "json"],
                          capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def differences(tokenizer, place, more, said):
    """What llama.cpp does otherwise than the folder and what was said."""
    asked, wrong = Asked(f"{place}.gguf"), []
    ends = more.get("eos", ["</s>"]) or [more["eos_token"]]
    wanted = sorted(map(tokenizer.token_to_id, {*ends, *said["llama_cpp_ends_at"]}))
    found = asked.ends(LOOKED_AT)
    if found != wanted:
        wrong.append(f"ends at {found}, not at {wanted}")
    for text in TEXTS:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        if asked.ids(text) != ids:
            wrong.append(f"{text!r}: {asked.ids(text)}, not {ids}")
    for id in LOOKED_AT:
        token, other = tokenizer.decode([id]), asked.answer(id)["content"]
        own = tokenizer.id_to_token(id)
        if own in said["llama_cpp_hides"]:
            token = ""
        if own in said["llama_cpp_shows"]:
            token = own
        # The server sends no incomplete character, and no end.
        if token != other and "\ufffd" not in token and id not in found:
            wrong.append(f"{id}: {other!r}, not {token!r}")
    return wrong


def check(diapason):
    failed = 0
    for name, (added, more, refused) in EXPORTED.items():
        with tempfile.TemporaryDirectory() as folder:
            place = pathlib.Path(folder) / "model"
            tokenizer = folder_of(place, added, more)
            code, out, error = exported(diapason, place)
            if refused or code:
                wrong = [] if code == 4 and refused and refused in error else [f"exit {code}: {error or out}"]
            else:
                wrong = differences(tokenizer, place, more, json.loads(out))
            print(f"{name}: {'refused' if code else 'exported'}{''.join(chr(10) + '   ' + one for one in wrong)}", flush=True)
            failed += bool(wrong)
    print(f"{len(EXPORTED) - failed} of {len(EXPORTED)} as they should be")
    sys.exit(failed > 0)


if __name__ == "__main__":
    write() if sys.argv[1] == "write" else check(sys.argv[2])
