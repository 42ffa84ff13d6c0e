"""Writes host/models/tests/golden/named_templates.json: which chat templates transformers finds in a folder, and which of them
it uses, with tools and without, and by name.

Checked with transformers 5.24.0. Run from anywhere: `python tests/oracles/named_templates.py`.
"""

import json
import shutil
import tempfile
from pathlib import Path

import transformers

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "host/models/tests/golden/llama-tied"
OUT = ROOT / "host/models/tests/golden/named_templates.json"

FILE = "chat_template.jinja"
MORE = "additional_chat_templates/"
LIST = [{"name": "default", "template": "listed"}, {"name": "rag", "template": "listed rag"}]

# Case: files beside the tokenizer, and `chat_template` of tokenizer_config.json.
CASES = {
    "none": ({}, None),
    "a file": ({FILE: "file"}, None),
    "a text in the configuration": ({}, "configured"),
    "the file wins over the text": ({FILE: "file"}, "configured"),
    "a list": ({}, LIST),
    "a list with tools": ({}, [*LIST, {"name": "tool_use", "template": "listed tools"}]),
    "a list without a default": ({}, LIST[1:]),
    "a list of tools alone": ({}, [{"name": "tool_use", "template": "listed tools"}]),
    "a list that names one twice": ({}, [*LIST, {"name": "rag", "template": "again"}]),
    "an object": ({}, {"default": "object", "rag": "object rag"}),
    "the file wins over the list": ({FILE: "file"}, LIST),
    "files": ({FILE: "file", MORE + "tool_use.jinja": "tools", MORE + "rag.jinja": "rag"}, None),
    "files win over the list": ({FILE: "file", MORE + "tool_use.jinja": "tools"}, LIST),
    "further files without the first win over the text": ({MORE + "rag.jinja": "rag"}, "configured"),
    "further files without the first win over the list": ({MORE + "tool_use.jinja": "tools"}, LIST),
    "a further file that is called default": ({MORE + "default.jinja": "further"}, None),
    "a further file that is called default wins": ({FILE: "file", MORE + "default.jinja": "further"}, None),
    "a further file that is called file wins": ({FILE: "file", MORE + "file.jinja": "further"}, None),
    "a further file that is called file": ({MORE + "file.jinja": "further"}, None),
    "other endings": ({FILE: "file", MORE + "rag.txt": "rag", MORE + "a.b.jinja": "dots"}, None),
    "an empty file": ({FILE: ""}, "configured"),
    "line breaks of Windows": ({FILE: "a\r\nb\rc\n", MORE + "rag.jinja": "a\r\nb"}, None),
    "a mark at the beginning": ({FILE: "\ufeffa"}, None),
    "an empty list": ({}, []),
}


def found(folder):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)

    def used(name, tools):
        try:
            return tokenizer.get_chat_template(name, tools)
        except ValueError:
            return None

    templates = tokenizer.chat_template
    named = templates if isinstance(templates, dict) else {} if templates is None else {"default": templates}
    return {"templates": named, "plain": used(None, None), "tools": used(None, [{}])}


def main():
    cases = []
    for name, (files, template) in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            for path in MODEL.glob("*token*.json"):
                shutil.copy(path, folder)
            shutil.copy(MODEL / "config.json", folder)
            path = folder / "tokenizer_config.json"
            config = json.loads(path.read_text())
            config["eos_token"] = "</s>"
            path.write_text(json.dumps(config if template is None else {**config, "chat_template": template}))
            for file, text in files.items():
                (folder / file).parent.mkdir(exist_ok=True)
                (folder / file).write_bytes(text.encode())
            cases.append({"case": name, "files": files, "chat_template": template, **found(folder)})
    OUT.write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n")


main()
