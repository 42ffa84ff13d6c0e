"""Writes plugins/chat-jinja/cases/family-*.json: what is learnt in families of templates that do not say it.

The templates of plugins/chat-jinja/families and of templates/chat say it, in `{% generation %}` blocks. transformers renders
them and returns the blocks: that is expected. The plugin is given the same templates without the blocks. Checked here:
both render the same text, and what is given before the last answer is the prompt for it, wherever the text starts with
that prompt.

Needs `pip install transformers jinja2`. Run from anywhere: `python tests/oracles/chat_families.py`.
"""

import json
import re

from chat_templates import CASES, ROOT, SYSTEM, TOKENS, TOOLS, TURNS, joined, render, write

FAMILIES = ROOT / "plugins" / "chat-jinja" / "families"
BLOCKS = re.compile(r"\s*{%-? (?:end)?generation -?%}\s*")
QUESTION, ANSWER, SECOND, LAST = TURNS
THOUGHTS = ["Paris has been it since 987.", "Austria's is on the Danube."]


def reasoned(turn, thought):
    return {**turn, "reasoning_content": thought}


def thinking(turn, thought):
    return {**turn, "content": f"<think>\n{thought}\n</think>\n\n{turn['content']}"}


def call(city):
    function = {"name": "größe", "arguments": {"city": city, "years": [1, 2.5]}}
    return {"role": "assistant", "content": "", "tool_calls": [{"id": "abcdefg12", "type": "function", "function": function}]}


def reply(text):
    return {"role": "tool", "name": "größe", "tool_call_id": "abcdefg12", "content": text}


BASE = {
    "one exchange": [QUESTION, ANSWER],
    "two exchanges": TURNS,
    "a system turn": [SYSTEM, *TURNS],
    "the same words everywhere": [{**turn, "content": "Yes."} for turn in TURNS],
    "marks in the words": [{**QUESTION, "content": "<|user|> assistant"}, {**ANSWER, "content": "<|a|>\n<think"}, *TURNS],
    "spaces": [{**QUESTION, "content": " hi\n"}, {**ANSWER, "content": "\n hello  "}, *TURNS],
    "context": [QUESTION, {**ANSWER, "weight": 0}, SECOND, {**LAST, "weight": 1}],
    "six exchanges": TURNS * 3,
}
CALLS = {
    "tools and no call": [QUESTION, ANSWER],
    "a call": [QUESTION, call("Paris")],
    "a call and its reply": [QUESTION, call("Paris"), reply("105 km²"), ANSWER],
    "calls in two exchanges": [QUESTION, call("Paris"), reply("105 km²"), ANSWER, SECOND, call("Wien"), reply("415"), LAST],
}
REASONING = {
    "reasoning": [QUESTION, reasoned(ANSWER, THOUGHTS[0])],
    "earlier reasoning": [QUESTION, reasoned(ANSWER, THOUGHTS[0]), SECOND, reasoned(LAST, THOUGHTS[1])],
    "reasoning only earlier": [QUESTION, reasoned(ANSWER, THOUGHTS[0]), SECOND, LAST],
}
THINKING = {
    "reasoning in the words": [QUESTION, thinking(ANSWER, THOUGHTS[0])],
    "earlier reasoning in the words": [QUESTION, thinking(ANSWER, THOUGHTS[0]), SECOND, thinking(LAST, THOUGHTS[1])],
}
CALLS_REASONED = {
    "a reasoned call": [QUESTION, reasoned(call("Paris"), THOUGHTS[0]), reply("105 km²"), reasoned(ANSWER, THOUGHTS[1])],
}
OFF = {"enable_thinking": False}

# What each family can do, and the settings it is tried with.
DOES = {
    "alpaca": (BASE, {}, [{}]),
    "chatml": (BASE, CALLS, [{}]),
    "command-r7b": (BASE, CALLS, [{}]),
    "deepseek-r1": ({**BASE, **THINKING}, CALLS, [{}]),
    "deepseek-v3.2": ({**BASE, **REASONING}, {**CALLS, **CALLS_REASONED}, [{}, OFF]),
    "gemma": (BASE, {}, [{}]),
    "gemma-4": (BASE, CALLS, [{}]),
    "glm-4.5": ({**BASE, **REASONING, **THINKING}, {**CALLS, **CALLS_REASONED}, [{}]),
    "gpt-oss": ({**BASE, **REASONING}, {**CALLS, **CALLS_REASONED}, [{}]),
    "llama-2": (BASE, {}, [{}]),
    "llama-3": (BASE, {}, [{}]),
    "llama-3.1": (BASE, CALLS, [{}]),
    "mistral-v3": (BASE, {}, [{}]),
    "mistral-v7": (BASE, CALLS, [{}]),
    "phi": (BASE, {}, [{}]),
    "phi-3.5": (BASE, {}, [{}]),
    "qwen2.5": (BASE, CALLS, [{}]),
    "qwen3": ({**BASE, **REASONING, **THINKING}, {**CALLS, **CALLS_REASONED}, [{}]),
    "qwen3 without thinking": (BASE, CALLS, [OFF]),
    "smollm3": (BASE, {}, [{}, OFF]),
    "zephyr": (BASE, {}, [{}]),
}


def without_context(pieces, messages):
    """Takes learning from the blocks of turns that are context: each of the answers has one block."""
    answers = [message for message in messages if message["role"] == "assistant"]
    blocks = [piece for piece in pieces if piece["learn"]]
    if any(answer.get("weight") == 0 for answer in answers):
        assert len(blocks) == len(answers)
        for block, answer in zip(blocks, answers):
            block["learn"] = answer.get("weight") != 0
    return joined(pieces)


def expected(tagged, plain, messages, tools, settings):
    text, pieces = render(tagged, messages, tools, **settings)
    assert text == render(plain, messages, tools, **settings)[0]
    pieces = without_context(pieces, messages)
    last = max(index for index, message in enumerate(messages) if message["role"] == "assistant")
    prompt, _ = render(plain, messages[:last], tools, prompt=True, **settings)
    given = max((index for index, piece in enumerate(pieces) if piece["learn"]))
    if text.startswith(prompt):
        assert "".join(piece["text"] for piece in pieces[:given]) == prompt, (prompt, pieces)
    return pieces


def family(name, tagged):
    plain = BLOCKS.sub("", tagged)
    talks, calls, variants = DOES[name]
    for settings in variants:
        for tools, conversations in ((None, talks), (TOOLS, calls)):
            for title, messages in conversations.items():
                pieces = expected(tagged, plain, messages, tools, settings)
                conversation = {"messages": messages, **({"tools": tools} if tools else {})}
                shown = "".join(f", {key} {value}" for key, value in settings.items())
                yield {"name": f"{name}: {title}{shown}", "capability": "chat-template",
                       "settings": {"template": plain, **TOKENS, **settings},
                       "input": {"conversations": [conversation], "mode": "training"}, "expect": [pieces]}


def talk(number):
    return [{"role": "user", "content": f"q{number}"}, {"role": "assistant", "content": f"a{number}"}]


def called(number):
    """A call and its reply, which some templates look for among all turns."""
    ids = {"id": f"call{number:05}"}
    function = {"name": "area", "arguments": {"city": f"c{number}"}}
    return [{"role": "assistant", "content": "", "tool_calls": [{**ids, "type": "function", "function": function}]},
            {"role": "tool", "name": "area", "tool_call_id": ids["id"], "content": f"r{number}"}]


def long(name, calls):
    """A thousand turns, which have to do with the fuel that a row has."""
    question, answer = zip(*(talk(number) for number in range(250 if calls else 500)))
    turns = [turn for number, (asks, says) in enumerate(zip(question, answer))
             for turn in (asks, *(called(number) if calls else []), says)]
    tools = [{"type": "function", "function": {"name": "area", "description": "d", "parameters": {"type": "object"}}}]
    plain = BLOCKS.sub("", source(name))
    given = {"messages": turns, **({"tools": tools} if calls else {})}
    return {"name": f"{name}: a thousand turns", "capability": "chat-template", "settings": {"template": plain, **TOKENS},
            "input": {"conversations": [given], "mode": "training"},
            "expect": [expected(source(name), plain, turns, tools if calls else None, {})]}


LONG = {"qwen3": False, "gpt-oss": False, "llama-3.1": False, "gemma-4": True, "deepseek-v3.2": True, "command-r7b": True}


def source(name):
    path = FAMILIES / f"{name}.jinja"
    path = path if path.exists() else ROOT / "templates" / "chat" / f"{name}.jinja"
    return path.read_text(encoding="utf-8")


def main():
    for old in CASES.glob("family-*.json"):
        old.unlink()
    for name in DOES:
        write(f"family-{name.replace(' ', '-')}.json", family(name, source(name.split(" ")[0])))
    lines = (json.dumps(long(name, LONG[name]), ensure_ascii=False, separators=(",", ":")) for name in LONG)
    (CASES / "long.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
