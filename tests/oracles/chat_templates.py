"""Writes plugins/chat-jinja/cases/*.json: what transformers' apply_chat_template makes of templates.

Needs `pip install transformers jinja2`. With `--gguf FILE` (and `pip install gguf`) also the template that a GGUF file
carries, as smollm2.json. Run from anywhere: `python tests/oracles/chat_templates.py`.
"""

import argparse
import datetime
import json
import pathlib
import re
from types import SimpleNamespace
from unittest import mock

from transformers import PreTrainedTokenizerBase
import transformers.utils.chat_template_utils as hf

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = ROOT / "plugins" / "chat-jinja" / "cases"
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}

TURNS = [
    {"role": "user", "content": "What is the capital of France?"},
    {"role": "assistant", "content": "Paris."},
    {"role": "user", "content": "And of  Österreich? 🎻"},
    {"role": "assistant", "content": "Vienna,\n\nor \"Wien\" <b>&</b>."},
]
SYSTEM = {"role": "system", "content": "You are brief."}
CONVERSATIONS = {
    "one exchange": TURNS[:2],
    "two exchanges": TURNS,
    "with a system turn": [SYSTEM, *TURNS],
    "spaces at the ends": [{"role": "user", "content": " hi\n"}, {"role": "assistant", "content": "\n hello  "}],
    "an empty answer": [TURNS[0], {"role": "assistant", "content": ""}],
}

TOOLS = [{"type": "function", "function": {"name": "größe", "description": "It's <big>", "parameters": {
    "type": "object", "properties": {"b": {"type": "number", "default": 1.0}, "a": {"enum": [True, None, 2]}}}}}]
CALL = {"role": "assistant", "content": "", "tool_calls": [
    {"function": {"name": "größe", "arguments": {"b": 1e-05, "a": [1, "x"]}}}]}

# Each is a template and the turns it is given (default: TURNS), for what one feature does.
FEATURES = {
    "tojson": ("{{ tools | tojson }}\n{{ tools | tojson(indent=2) }}{{ messages[0] | tojson(separators=(',', ':')) }}"
               "{{ {'b': 1, 'a': 'ä\u2028\x7f'} | tojson(sort_keys=true, ensure_ascii=true) }}", [CALL]),
    "tojson of numbers": ("{{ [1, 1.0, 0.1, 1e16, 1.5e-7, 123456789012345680.0, -0.0, 2**10] | tojson }}", TURNS),
    "printing values": ("{{ true }} {{ none }} {{ 1.0 }} {{ [1, 'a'] }} {{ {'k': None} }} {{ missing }}|{{ 7 // 2 }}", TURNS),
    "trimmed blocks": ("{% for m in messages %}\n  {% if m.role == 'user' %}\n  U {{ m.content }}\n  {% else %}\n\tA\n"
                       "  {%+ endif %}\n{% endfor %}\nend\n", TURNS),
    "loop controls": ("{% for m in messages %}{% if loop.index0 == 1 %}{% continue %}{% endif %}{{ m.content }}"
                      "{% if loop.index > 2 %}{% break %}{% endif %};{% endfor %}", TURNS),
    "loop variables": ("{% for m in messages %}{{ loop.index }}/{{ loop.length }} {{ loop.first }} {{ loop.last }} "
                       "{{ loop.revindex0 }} {{ loop.previtem.role if not loop.first }} {{ loop.nextitem.role if loop.nextitem is defined }}\n{% endfor %}", TURNS),
    "string methods": ("{% set s = '  A-b-c ' %}[{{ s.strip() }}][{{ s.lstrip() }}][{{ s.rstrip() }}]{{ s.upper() }}"
                       "{{ s.strip().split('-') }}{{ s.strip().split('-')[-1] }}{{ s.replace('-', '+') }}"
                       "{{ s.startswith('  A') }}{{ s.endswith('x') }}{{ '-'.join(['a', 'b']) }}{{ 'x</t>y'.split('</t>')[0] }}"
                       "{{ 'abc'.find('c') }}{{ 'aXb'.lower() }}{{ 'ab cd'.title() }}{{ 'ab'.capitalize() }}"
                       "{{ 'aab'.count('a') }}{{ 'xxaxx'.strip('x') }}{{ 'prefix-a'.removeprefix('prefix-') }}"
                       "{{ 'a.txt'.removesuffix('.txt') }}{{ 'a.b.c'.rsplit('.', 1) }}{{ 'a=b'.partition('=')[2] }}", TURNS),
    "dict methods": ("{% for k, v in messages[0].items() %}{{ k }}={{ v }};{% endfor %}{{ messages[0].get('x') is none }}"
                     "{{ messages[0].get('x', 'd') }}{{ messages[0].keys() | list }}{{ messages[0].values() | list | length }}"
                     "{{ 'role' in messages[0] }}{{ messages[0].x is defined }}", TURNS),
    "slices and negatives": ("{{ messages[1:] | length }}{{ messages[-1].role }}{{ messages[::-1][0].role }}"
                             "{{ messages[0].content[:4] }}{{ messages[0]['content'][-1] }}", TURNS),
    "filters": ("{{ messages | selectattr('role', 'equalto', 'user') | list | length }}{{ messages | map(attribute='role')"
                " | join(',') }}{{ ' a ' | trim }}{{ messages | rejectattr('role', 'eq', 'user') | list | length }}"
                "{{ '<a>' | length }}{{ 'x' | default('y') }}{{ u | default('y') }}{{ '<&>' }}{{ 'b,a' | upper }}", TURNS),
    "namespace and macro": ("{% set ns = namespace(n=0, seen=false) %}{% macro turn(m, end='!') %}<{{ m.role }}>{{ m.content }}"
                            "{{ end }}{% endmacro %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{{ turn(m) }}"
                            "{{ turn(m, end='?') }}{% endfor %}{{ ns.n }}{{ ns.seen }}", TURNS),
    "tests": ("{{ messages is iterable }}{{ messages[0].content is string }}{{ messages[0] is mapping }}{{ none is none }}"
              "{{ 1 is number }}{{ true is boolean }}{{ tools is defined }}{{ tools is none }}{{ x is not defined }}"
              "{{ messages is sequence }}{{ 3 is odd }}{{ 'a' is in ['a'] }}", TURNS),
    "a fixed clock": ("{{ strftime_now('%d %b %Y') }} {{ strftime_now('%Y-%m-%d %A %B %H:%M') }}", TURNS),
    "set blocks": ("{% set text %}<{{ messages[0].role }}>{% endset %}{{ text * 2 }}{{ text | length }}"
                   "{% set a = 1 if messages else 2 %}{{ a }}{{ 'x' ~ 1 ~ none }}", TURNS),
    "missing tokens": ("{{ bos_token }}{{ pad_token }}{{ messages[0].content }}{{ eos_token }}", TURNS),
    "reasoning": ("{% for m in messages %}{{ m.reasoning_content }}|{{ m.thinking }};{% endfor %}",
                  [TURNS[0], {**TURNS[1], "reasoning": "Easy."}]),
    "parts of content": ("{% for m in messages %}{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}"
                         "[{{ p.type }}:{{ p.text }}]{% endfor %}{% endif %}{% endfor %}",
                         [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image"}]}]),
}

CALL_TURN = {"role": "assistant", "content": None, "tool_calls": [
    {"type": "function", "function": {"name": "weigh", "arguments": {"kg": 2}}}]}

# Kinds that templates of models need and other engines get wrong: a template, its turns and tools.
KINDS = {
    "without tools, `tools` is not iterable": (
        "{% if tools is iterable and tools | length > 0 %}{{ tools | length }} tools{% else %}no tools{% endif %}", TURNS[:1], None),
    "a text and an object are sequences": (
        "{{ messages is sequence }}{{ messages[0] is sequence }}{{ 'a' is sequence }}{{ 1 is sequence }}", TURNS[:1], None),
    "a loop over a text's letters knows the last": (
        "{% for letter in messages[0].content[:3] %}{{ letter }}{{ '-' if not loop.last }}{% endfor %}", TURNS[:1], None),
    "indent keeps the last line break": ("{{ 'calls: [\n' | indent(2, first=True) }}]", TURNS[:1], None),
    "a line break right after `raw` stays": (
        "<|{{ messages[0].role }}|>{% raw %}\n{% endraw %}{{ messages[0].content }}", TURNS[:1], None),
    "a turn that only calls has no content": (
        "{% for m in messages %}{{ m.role }}={{ m.content }};{% endfor %}",
        [TURNS[0], CALL_TURN, {"role": "tool", "content": "2"}], None),
    "a field that is null is absent": (
        "{% for m in messages %}{% if 'tool_calls' in m %}CALLS{{ m.tool_calls }}{% else %}{{ m.content }}{% endif %};{% endfor %}",
        [TURNS[0], {**TURNS[1], "tool_calls": None}], None),
    "split takes its arguments by name": ("{{ 'a: b: c'.split(sep=': ', maxsplit=1) | last }}", TURNS[:1], None),
    "int and float fall back": ("{{ 'many' | int }}{{ 'few' | int(-1) }}{{ 'none' | float }}", TURNS[:1], None),
    "dict takes pairs, and copy copies": (
        "{% set d = dict(messages[0].items() | list, name='Jo') %}{{ d | tojson }}{{ d.copy() | length }}", TURNS[:1], None),
    "text joined to safe text is escaped": (
        "{{ 'Use '|safe + tools[0].function | tojson }}", TURNS[:1],
        [{"type": "function", "function": {"name": "weigh", "description": "in <kg>"}}]),
    "the order of a turn's fields with reasoning": (
        "{% for m in messages %}{{ m | tojson }}{% endfor %}",
        [TURNS[0], {**TURNS[1], "thinking": "Easy.", "name": "Jo"}, {**TURNS[1], "reasoning": "Easy.", "weight": 1}], None),
    "values print as in Python": (
        "{{ 1e16 }} {{ 1e-05 }} {{ '%s-%03d' % ('a', 7) }} {{ +3 }} {{ {'a': [1, none]} }}", TURNS[:1], None),
    "cycler, joiner and block": (
        "{% set c = cycler('a', 'b') %}{% set j = joiner('|') %}{% for m in messages %}{{ j() }}{{ c.next() }}{% endfor %}"
        "{% block end %}!{% endblock %}", TURNS, None),
}

# Prompts that end within the last turn: a template and its turns.
CHATML = ("{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
          "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}")
TRIMMED = CHATML.replace("m.content", "m.content | trim")
PARTS = CHATML.replace("m.content", "m.content[0].text")
CONTINUED = {
    "the answer goes on": (CHATML, TURNS[:2]),
    "spaces at the end stay": (CHATML, [TURNS[0], {"role": "assistant", "content": "The capital "}]),
    "spaces at the end are trimmed where the template trims": (
        TRIMMED, [TURNS[0], {"role": "assistant", "content": "The capital \n"}]),
    "a user's turn goes on too": (CHATML, TURNS[:3]),
    "an empty answer is the header": (CHATML, [TURNS[0], {"role": "assistant", "content": ""}]),
    "the last text of the parts goes on": (
        PARTS, [{"role": role, "content": [{"type": "text", "text": "Hm "}]} for role in ("user", "assistant")]),
    "generation blocks are no obstacle": (
        CHATML.replace("{{ m.content }}<|im_end|>", "{% generation %}{{ m.content }}<|im_end|>{% endgeneration %}"), TURNS[:2]),
}

NAMED = {"default": "plain {{ messages[0].content }}", "tool_use": "tools {{ tools | length }}", "rag": "{{ documents }}"}

# Whitespace around generation tags, learnt pieces included.
GENERATION = {
    "generation on lines of its own": "{% for m in messages %}\n<{{ m.role }}>\n{% if m.role == 'assistant' %}\n"
        "  {% generation %}\n  {{ m.content }}</s>\n  {% endgeneration %}\n\n{% else %}\n{{ m.content }}\n{% endif %}\n{% endfor %}",
    "generation with whitespace control": "{% for m in messages -%}\n {{ m.role }}: {%- generation -%}  \n {{ m.content }} "
        "{%- endgeneration +%}\n.{% endfor %}",
    "generation around a condition": "{% for m in messages %}{{ m.role }} {% generation %}{% if m.role == 'assistant' %}"
        "{{ m.content }}{% endif %}{% endgeneration %};{% endfor %}",
}

# Templates that say nothing about generation, and what must be learnt of TURNS: written down, as transformers has no
# answer here.
PLAIN = {
    "prefixes: a token ends the turn": (
        "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}<|end|>\n{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}",
        ["Paris.<|end|>", TURNS[3]["content"] + "<|end|>"]),
    "prefixes: no generation prompt": (
        "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]{% else %} {{ m.content }}{{ eos_token }}{% endif %}{% endfor %}",
        [" Paris.</s>", " " + TURNS[3]["content"] + "</s>"]),
    "prefixes: nothing ends the turn": (
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}",
        ["Paris.\n", TURNS[3]["content"] + "\n"]),
}

ALWAYS = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>"
BEHIND = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{{ '<assistant>' if add_generation_prompt else eos_token }}"
NEXT = "{% for m in messages %}{{ eos_token if loop.index0 in [2, 4] }}<{{ m.role }}>{{ m.content }}{% endfor %}{{ '<assistant>' if add_generation_prompt }}"
COLLECTED = ("{% set ns = namespace(text='') %}{% for m in messages %}{% set ns.text = ns.text + '<' + m.role + '>' + m.content "
             "+ '|end|\n' %}{% endfor %}{{ ns.text }}{{ '<assistant>' if add_generation_prompt }}")
BY_NUMBER = ("{% for i in range(messages | length) %}<{{ messages[i].role }}>{{ messages[i].content }}|end|\n{% endfor %}"
             "{{ '<assistant>' if add_generation_prompt }}")
PLAIN |= {
    "a template that always asks": (ALWAYS, ["Paris.", TURNS[3]["content"]]),
    "what ends the turn stands behind all turns": (BEHIND, ["Paris.", TURNS[3]["content"] + "</s>"]),
    "what ends the turn stands in the next": (NEXT, ["Paris.</s>", TURNS[3]["content"]]),
    "the text is collected in a variable": (COLLECTED, ["Paris.|end|", TURNS[3]["content"] + "|end|"]),
    "turns by their number": (BY_NUMBER, ["Paris.|end|", TURNS[3]["content"] + "|end|"]),
}

ERRORS = [
    ("an exception of the template", "\n{% if messages %}\n{{ raise_exception('roles must take turns') }}{% endif %}",
     "line 3 of the template: roles must take turns"),
    ("a syntax error", "{% for m in messages %}\n{{ m.role }\n{% endfor %}", "line 2 of the template: syntax error"),
    ("an unknown filter", "a\n{{ messages | nonsense }}", "unknown filter"),
    ("an attribute of nothing", "\n\n{{ messages[0].a.b }}", "line 3 of the template"),
    ("an endless template", "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
     "does not end"),
    ("an open generation block", "\n{% generation %}x", "line 2 of the template: syntax error: `generation` is not ended"),
    ("a template that drops what it said", "{% for m in messages %}{% if loop.last or m.role == 'user' %}<{{ m.content }}>"
     "{% endif %}{% endfor %}", "turn 2: the template does not write the answer"),
]


class FixedDate(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2026, 1, 1)


def render(template, messages, tools=None, prompt=False, tokens=TOKENS, **more):
    """The text, and the pieces (text, learn) between which generation starts and ends."""
    marked = re.search(r"{%-?\+?\s*generation", template) is not None and not more.get("continue_final_message")
    messages = hf._normalize_chat_messages(messages)
    with mock.patch.object(hf, "datetime", FixedDate):
        texts, indices = hf.render_jinja_template(
            [messages], tools=tools, chat_template=template, add_generation_prompt=prompt,
            return_assistant_tokens_mask=marked, **tokens, **more)
    text, pieces, done = texts[0], [], 0
    for start, end in indices[0] if marked else []:
        pieces += [(text[done:start], False), (text[start:end], True)]
        done = end
    pieces.append((text[done:], False))
    return text, [{"text": piece, "learn": learn} for piece, learn in pieces if piece]


def case(name, template, messages, mode, expect=None, tools=None, error=None, tokens=TOKENS, **more):
    conversation = {"messages": messages, **({"tools": tools} if tools is not None else {})}
    head = {"name": name, "capability": "chat-template", "settings": {"template": template, **tokens, **more},
            "input": {"conversations": [conversation], "mode": mode}}
    return {**head, **({"error": error} if error else {"expect": [expect]})}


def joined(pieces):
    merged = []
    for piece in pieces:
        if merged and merged[-1]["learn"] == piece["learn"]:
            merged[-1]["text"] += piece["text"]
        else:
            merged.append(dict(piece))
    return merged


def golden(template, tokens=TOKENS):
    """Every conversation for training, and as a prompt without its last turn."""
    for name, messages in CONVERSATIONS.items():
        text, pieces = render(template, messages, tokens=tokens)
        marked = any(piece["learn"] for piece in pieces)
        yield case(name, template, messages, "training", joined(pieces) if marked else text, tokens=tokens)
        prompt, _ = render(template, messages[:-1], prompt=True, tokens=tokens)
        yield case(f"{name}, as a prompt", template, messages[:-1], "prompt", prompt, tokens=tokens)


def learnt(template, answers):
    text, _ = render(template, TURNS)
    pieces, done = [], 0
    for answer in answers:
        at = text.index(answer, done)
        pieces += [{"text": text[done:at], "learn": False}, {"text": answer, "learn": True}]
        done = at + len(answer)
    return [piece for piece in [*pieces, {"text": text[done:], "learn": False}] if piece["text"]]


def features():
    for name, (template, messages) in FEATURES.items():
        text, _ = render(template, messages, tools=TOOLS if "tool" in name or "tojson" == name else None)
        yield case(name, template, messages, "prompt", text, tools=TOOLS if "tojson" == name else None)
    for name, template in GENERATION.items():
        yield case(name, template, TURNS, "training", joined(render(template, TURNS)[1]))
    for name, (template, answers) in PLAIN.items():
        yield case(name, template, TURNS, "training", learnt(template, answers))


def kinds():
    for name, (template, messages, tools) in KINDS.items():
        yield case(name, template, messages, "prompt", render(template, messages, tools)[0], tools=tools)
    documents = [{"title": "A", "text": "b"}]
    template = "{% for d in documents %}{{ d.title }}: {{ d.text }}{% endfor %}"
    yield case("documents are a setting", template, TURNS[:1], "prompt",
               render(template, TURNS[:1], documents=documents)[0], documents=documents)
    for wrong in ("text", ["text"]):
        yield case(f"documents cannot be {json.dumps(wrong)}", template, TURNS[:1], "prompt", documents=wrong,
                   error="`documents` is a list of objects")
    # Texts of numbers that a reader of JSON gets wrong by one bit unless it rounds exactly.
    numbers = [0.1 + 0.2, 51.24817837550540, -93.3113703768803, 52.31400820410624, 5e-324, 1.7976931348623157e308, 1e23, 3.0]
    function = {"name": "f", "arguments": {f"a{index}": number for index, number in enumerate(numbers)}}
    turns = [TURNS[0], {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": function}]}]
    template = "{% for m in messages %}{{ m.content }}{{ m.tool_calls | tojson if m.tool_calls }}{% endfor %}"
    yield case("floats in calls", template, turns, "prompt", render(template, turns)[0])
    yield from defaults()
    yield case("a conversation without turns", template, [], "prompt", error="the conversation has no turns")


def defaults():
    """A template with its settings in front, as a trained model is written: nothing of it changes its meaning, and what is
    given goes before."""
    own = "\n  {% if think %}\n on {{ think.a }}\n  {% endif %}\n{{ bos_token }}|{{ messages[0].content }}"
    front = '{% set bos_token = "<\\"b\\">" %}{% if think is not defined %}{% set think = {"a": [none, 1.5, true]} %}{% endif %}\n'
    given = {"think": {"a": [None, 1.5, True]}, "tokens": {**TOKENS, "bos_token": '<"b">'}}
    text = render(own, TURNS[:1], **given)[0]
    assert render(front + own, TURNS[:1])[0] == text
    yield case("settings as defaults", front + own, TURNS[:1], "prompt", text)
    off = render(own, TURNS[:1], **{**given, "think": False})[0]
    assert render(front + own, TURNS[:1], think=False)[0] == off
    yield case("what is given goes before defaults", front + own, TURNS[:1], "prompt", off, think=False)


def continued():
    setting = {"continue_final_message": True}
    for name, (template, messages) in CONTINUED.items():
        yield case(name, template, messages, "prompt", render(template, messages, **setting)[0], **setting)
    # What transformers refuses; the words are ours.
    refused = {
        "no content to continue": (CHATML, [TURNS[0], CALL_TURN], "the last turn has no `content`"),
        "a template that reads no content": ("{{ messages | length }}", TURNS[:2], "the template does not read `content`"),
        "no text to continue": (PARTS, [{"role": "assistant", "content": [{"type": "image"}]}], "has no text to continue"),
        "an answer that the template leaves out": (
            "{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}", TURNS[:2], "does not write the last turn's"),
        "an answer that the template cuts": (CHATML.replace("m.content", "m.content.split('</t>')[-1]"),
                                             [TURNS[0], {"role": "assistant", "content": "a</t>b"}], "does not write the last turn's"),
    }
    for name, (template, messages, error) in refused.items():
        try:
            render(template, messages, **setting)
        except ValueError:
            yield case(name, template, messages, "prompt", error=error, **setting)
        else:
            raise AssertionError(f"transformers renders {name}")
    yield case("a prompt cannot both go on and begin anew", CHATML, TURNS[:2], "prompt", error="exclude each other",
               add_generation_prompt=True, **setting)


def named():
    """Which of several templates is used: transformers' get_chat_template says it."""
    rest = {name: text for name, text in NAMED.items() if name != "default"}
    for name, tools, chosen in [("without tools the default is used", None, None), ("with tools `tool_use` is used", TOOLS, None),
                                ("an empty list of tools is tools", [], None), ("a name goes before tools", TOOLS, "rag"),
                                ("the default by its name", TOOLS, "default")]:
        template = PreTrainedTokenizerBase.get_chat_template(SimpleNamespace(chat_template=NAMED), chosen, tools)
        more = {"named_templates": rest, **({"template_name": chosen} if chosen else {})}
        yield case(name, NAMED["default"], TURNS, "prompt", render(template, TURNS, tools)[0], tools=tools, **more)
    only = {"tool_use": NAMED["tool_use"]}
    without = lambda one: {**one, "settings": {key: value for key, value in one["settings"].items() if key != "template"}}
    yield without(case("tools need no default", None, TURNS, "prompt", "tools 1", tools=TOOLS, named_templates=only))
    yield without(case("no default", None, TURNS, "prompt", named_templates=rest,
                       error="none is the default: set `template_name` to one of `rag`, `tool_use`"))
    yield case("an unknown name", "", TURNS, "prompt", named_templates=rest, template_name="chat",
               error="no template named `chat`; `template_name` is one of `default`, `rag`, `tool_use`")
    yield case("two defaults", "a", TURNS, "prompt", named_templates={"default": "b"}, error="another `default` than")
    yield without(case("no template at all", None, TURNS, "prompt", error="set `template`"))
    yield case("a broken template that is not used", "ok", TURNS, "prompt", "ok", named_templates={"tool_use": "{% if %}"})


def write(name, cases):
    CASES.mkdir(exist_ok=True)
    text = json.dumps(list(cases), ensure_ascii=False, indent=1)
    (CASES / name).write_text(text + "\n", encoding="utf-8")


def embedded(path):
    """The chat template and the special tokens of a GGUF file."""
    import gguf

    reader = gguf.GGUFReader(path)
    read = lambda key: reader.get_field(key).contents()
    tokens = read("tokenizer.ggml.tokens")
    names = {"bos_token": "tokenizer.ggml.bos_token_id", "eos_token": "tokenizer.ggml.eos_token_id"}
    return read("tokenizer.chat_template"), {name: tokens[read(key)] for name, key in names.items()}


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--gguf", help="a GGUF file whose template is rendered as well")
    path = arguments.parse_args().gguf
    for template in sorted((ROOT / "templates" / "chat").glob("*.jinja")):
        write(f"{template.stem}.json", golden(template.read_text(encoding="utf-8")))
    write("features.json", features())
    write("kinds.json", kinds())
    write("continued.json", continued())
    write("named.json", named())
    write("errors.json", [
        *(case(name, text, TURNS, "training", error=error) for name, text, error in ERRORS),
        case("a call that is not written", CHATML, [TURNS[0], {**CALL_TURN, "content": ""}], "training",
             error="turn 2: the template does not write the call of `weigh`"),
        case("a call in a text that is collected in a variable", COLLECTED.replace("m.content", "(m.tool_calls | tojson)"),
             [{**TURNS[0], "tool_calls": []}, {**CALL_TURN, "content": ""}], "training",
             error="turn 2: it cannot be told what the template writes for the answer"),
    ])
    if path:
        write("smollm2.json", golden(*embedded(path)))


if __name__ == "__main__":
    main()
