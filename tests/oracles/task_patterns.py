"""What Python's `re` finds: pattern, text, groups of `findall`, what `sub` leaves.

    python tests/oracles/task_patterns.py > plugins/eval-harness/src/golden.json
"""

import json
import re

PATTERNS = [
    r"#### (\-?[0-9\.\,]+)", r"(-?[$0-9.,]{2,})|(-?[0-9]+)", r"The answer is (\-?[0-9\.\,]+).", r"(?<=The answer is )(.*)(?=.)",
    r"((?<=The answer is )(.*)(?=.)|(?<=answer is )(.*)(?=.)|(?<=The answer: )(.*)(?=.))", r"answer is \(?([ABCDEFGHIJ])\)?",
    r"\s*([A-D])", r"\$?\(?([A-D])\)?", r",", r"\$", r"(?s).*#### ", r"\.$", r"\s+$", r"^\s+", r"$", r"^", r"x*", r"x*?", r"(x*)(y?)",
    r"\b\w+\b", r"\bA\b", r"\w+", r"\W+", r"\d+", r"\D", r"\S+", r"[\w.]+", r"[^\w\s]", r"[][]", r"[^]]+", r"[a&&b]+", r"[a~~b]+",
    r"(?i)the ANSWER", r"(?m)^a.*$", r"(?is)a.b", r"a{2}", r"a{2,}", r"a{,2}", r"a{1,2}?", r"\Aa", r"a\Z", r"(?P<n>a)b?", r"(a)|b",
    r"(?:ab)+", r"a(?!b)", r"(?<!a)b", r"\x41", r"\u00e9", r"[\x41-\x43]+", r"\.", r"\-", r"[\-a]", r"\"", r"[.,]", r"\\", r"\/",
    r"-?\d+(?:\.\d+)?", r"(?:[Aa]nswer|ANSWER)\s*[:=]\s*(.+)", r"\*\*(.+?)\*\*", r"<b>(.*?)</b>", r"boxed\{([^}]*)\}", r"[\s,]+",
    r"(yes|no)", r"\((\w)\)", r"[A-Za-z]+", r"\n", r"\t", r".", r"(?s).", r"a|", r"|a", r"(|a)", r"()", r"(a|ab)(c|bcd)", r"[0-9]*",
    r"(\d+)\s*/\s*(\d+)", r"é+", r"[é-ü]+", r"\s", r"(?m)$", r"\bis\b", r"[$]", r"[\]]", r"[\^a]", r"\(|\)",
]
TEXTS = [
    "", "a", "The answer is 42.", "The answer is (B). The answer is 7.\n#### 1,234.50", "#### -3\n#### 4", "$12.50 and 7", "aab ab b",
    "xxyx y", "Answer: yes\nANSWER = no", "A) one\nB) two\n", "**bold** <b>x</b> \\boxed{3}", "a.b\na\nb", "caf\u00e9 na\u00efve \u00fcber \u0661\u0662",
    "a\x1cb\u00a0c\u2003d\x85", "[x] ^a& ~b", " A \n", "1/2, 3 / 4", "abcd", "the answer", "word\n", "a\u0301b\u00b2\u2167\u4e00",
]

rows = []
for pattern in PATTERNS:
    for text in TEXTS:
        found = [[one] if isinstance(one, str) else list(one) for one in re.findall(pattern, text)]
        if found or not text:
            rows.append(json.dumps([pattern, text, found, re.sub(pattern, "", text)]))
print("[\n" + ",\n".join(rows) + "\n]")
