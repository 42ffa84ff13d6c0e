"""What PyYAML, `ast.literal_eval` and `random.Random(1234)` make of small inputs.

    python tests/oracles/task_yaml.py host/project/src/tasks/golden
"""

import ast
import json
import random
import sys

import yaml

DOCUMENTS = [
    "a: yes\nb: No\nc: on\nd: y", "a: 1\nb: -1\nc: +1\nd: 0\ne: -0", "a: 1.5\nb: -1.5\nc: 1.\nd: .5\ne: 1e3\nf: 1.5e+3\ng: 1.5e3\nh: -.5\ni: +.5",
    "a:\nb: ~\nc: null\nd: ''", "a: 'x'\nb: \"x\\ny\\u00e9\\/\"\nc: 'it''s'", "a: |\n  x\n  y\nb: 1", "a: |-\n  x\n\n  y\n", "a: >\n  x\n  y\n\n  z\n",
    "a: |+\n  x\n\nb: 2", "a: >-\n  x\n    y\n  z", "- a\n- 1\n- [b, 'c', {d: e}]", "a: {b: 1, c: [x, y]}", "a: x # y\nb: x#y",
    "a: x: y", "a: \"{{x}}\"\nb: '{{y}}: z'", "a: 010\nb: 0x1f", "a: 1:30", "a: 2020-01-01", "a: 1_000", "a: .inf", "a: 0o7", "a: 08",
    "a: 4-bit\nb: 1e3\nc: 3abc\nd: 1.2.3\ne: -\nf: 1-2\ng: 12am\nh: e5", "---\na: 1\n...\n", "%YAML 1.1\n---\na: 1", "a: True\nb: TRUE\nc: tRUE",
    "doc_to_text: \"{{question.strip()}}\\nAnswer:\"\ntarget_delimiter: ' '", "a: [1, 2\n  ,3]", "a:\n- 1\n- 2", "a:\n  - b: 1\n    c: 2\n  - d",
    "a: 99999999999999999999", "a: =\n", "a: -x\nb: ?x\nc: :x", "a: @x", "a: `x`", "a: %x", "a: !x y", "a: &x 1", "a: \"x\n  y\"", "a: x\n  y\n\n  z",
    "\"a\": 1\n'b': 2", "a: \"\\x41\\t\"", "a: 'x\n\n  y'", "? a\n: b", "a: []\nb: {}", "a: 1 # x\n# y\nb: 2", "a: |2\n   x\n  y\n", "a: \u00e9\nb: \"\\u2028\"",
    "on: 1\nyes: 2", "a: 0.0\nb: 00\nc: 0.1", "a: 1.5e-3\nb: 1.5E+10\nc: 1.e+5", "a: Off\nb: nO", "a: 0b11\nb: 0b", "a: 1,000\nb: 50%\nc: $5",
]

LITERALS = [
    "['a', 'b']", "[]", "[1, 2]", "[1,]", "[,]", "['a' 'b']", "[\"a\", 'b']", "['it\\'s']", "[\"it's\"]", "['a\\n']", "['\\x41']", "['\\u00e9']",
    "['\\q']", "['''a''']", "[None, True, False]", "[1.5, -2.5]", "[1e5]", "[01]", "[-1]", "[+1]", "[1_000]", "[a]", "[a, b]", "[hello world]",
    "[unknown]", "[True, x]", "['a'", "'a'", "1", "[['a'], ['b']]", "['a', ['b', []]]", "(1, 2)", "{'a': 1}", "[{'a': 1}]", "[(1, 2)]", "[b'a']",
    "[r'a']", "[1 + 2]", "[1+2j]", "['a',\n 'b']", " ['a']", "['a'] ", "['a'] # x", "[...]", "[set()]", "[--1]", "['\\\\']", "['\\N{DASH}']", "['a\nb']",
    "[0]", "[-0]", "[0.0]", "['\u00e9\U0001f600']", "['\\ud83d']", "[]]", "[[]", "['a'b]", "[1 2]", "[nan]", "[inf]", "[True and False]", "[not, a]",
]


def plain(value):
    """As JSON has it; what JSON has no form for (infinity, half a surrogate pair) raises."""
    text = json.dumps(value, default=str, allow_nan=False, ensure_ascii=False)
    return json.loads(text.encode().decode())


def loaded(text):
    try:
        return plain(yaml.safe_load(text))
    except Exception:
        return None


def literal(text):
    try:
        return plain(ast.literal_eval(text))
    except Exception:
        return None


def write(name, rows):
    with open(f"{sys.argv[1]}/{name}.json", "w") as file:
        file.write("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")


draws = random.Random(1234)
rows = [(population, count, draws.sample(range(population), count))
        for population in [1, 2, 3, 5, 16, 21, 22, 37, 38, 64, 85, 86, 100, 277, 1000, 70000, 2**31 + 5]
        for count in [0, 1, 2, 3, 5, 6, 9, 21, 22, 40] if count <= population]
write("samples", rows)
write("yaml", [(text, loaded(text)) for text in DOCUMENTS])
write("literals", [(text, literal(text)) for text in LITERALS])
