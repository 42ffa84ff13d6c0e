"""Golden values of IFEval's JSON check, from its own code in lm-evaluation-harness.

Usage: python tests/oracles/ifeval_json.py > plugins/eval-format/src/ifeval.json

Each row is a text, whether IFEval accepts it as JSON, and whether it is one document with prose around it, which IFEval
does not accept and which a reader finds all the same.
"""

import json
import sys
import types

# IFEval imports these for other instructions than the one that is asked here.
for name in ("langdetect", "nltk", "immutabledict"):
    try:
        __import__(name)
    except ImportError:
        sys.modules[name] = types.ModuleType(name)
sys.modules["lm_eval.tasks.ifeval.instructions_util"] = types.ModuleType("instructions_util")
sys.modules["lm_eval.tasks.ifeval.instructions_util"].LANGUAGE_CODES = {}
import lm_eval.tasks.ifeval as package

package.instructions_util = sys.modules["lm_eval.tasks.ifeval.instructions_util"]
from lm_eval.tasks.ifeval.instructions import JsonFormat

DOCUMENTS = [
    '{"a": 1}', "[1, 2]", "42", '"text"', "null", " {} ", '{"a": {"b": [true, null]}}', '{"a": "}"}', "{'a': 1}",
    '{"a": 1,}', "{a: 1}", '{"a": 1', '[{"a": 1}, {"a": 2}', '{"a": 1} {"b": 2}', '{"a": "x\\u00e9"}', "", "none",
    '{"a": 1, "a": 2}', "[1, 2", "{\"a\": tru}", "[1, 2,]", '{"a": 01}',
]
FENCES = ["{}", "```json\n{}\n```", "```\n{}\n```", "```JSON\n{}```"]
PROSE = ['See [1]: {"a": 1}', 'Here it is:\n```json\n{"a": 1}\n```', '{"a": 1}\nThat is all.', 'As shown in [1], no.']
FOUND = {PROSE[0], PROSE[1], PROSE[2]}


def main():
    check = JsonFormat("detectable_format:json_format").check_following
    texts = [fence.replace("{}", document) for fence in FENCES for document in DOCUMENTS] + PROSE
    rows = [[text, check(text), text in FOUND] for text in texts]
    assert any(row[1] for row in rows) and not all(row[1] for row in rows)
    print(json.dumps(rows, ensure_ascii=False, indent=0))


if __name__ == "__main__":
    main()
