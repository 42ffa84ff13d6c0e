"""Golden values for eval-accuracy, from formulas written independently of it.

Usage: python tests/oracles/evaluators.py [--check] > plugins/eval-accuracy/src/golden.json

- token F1 and the normal form: after SQuAD 2.0's evaluate-v2.0.py (the definition, with Python's own re and Counter),
  but for texts of which the normal form leaves nothing; where it leaves something on both sides, the script holds its
  values against SQuAD's own functions, as lm-evaluation-harness carries them (`--check`);
- pass@k: exact, from binomial coefficients over integers (Chen et al. 2021, equation 1);
- extraction: Python's re with lm-evaluation-harness's two GSM8K patterns.
"""

import collections
import fractions
import json
import math
import random
import re
import string
import sys

WORDS = ["the", "a", "An", "Paris", "paris,", "U.S.", "co-op", "1,000", "don't", "été", "—", "the—end", "a_b", "THE", "", "  ", "x\ty"]
STRICT = r"#### (-?[0-9.,]+)"
FLEXIBLE = r"(-?[$0-9.,]{2,})|(-?[0-9]+)"
RESPONSES = [
    "2 + 2 = 4\n#### 4",
    "so the answer is $1,234.50.",
    "#### -7 and then #### 8",
    "no digits here",
    "9",
    "",
    "3 then 44 then 5",
]


def normal_words(text):
    text = "".join(ch for ch in text.lower() if ch not in set(string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def words(text):
    """SQuAD's words; where there are none, those with articles; where there are none either, the text's own."""
    lower = text.lower()
    bare = "".join(ch for ch in lower if ch not in set(string.punctuation))
    return normal_words(text) or bare.split() or lower.split()


def token_f1(answer, reference):
    given, wanted = words(answer), words(reference)
    if not given or not wanted:
        return float(given == wanted)
    shared = sum((collections.Counter(given) & collections.Counter(wanted)).values())
    if shared == 0:
        return 0.0
    precision, recall = shared / len(given), shared / len(wanted)
    return 2 * precision * recall / (precision + recall)


def pass_at_k(drawn, right, k):
    return float(1 - fractions.Fraction(math.comb(drawn - right, k), math.comb(drawn, k)))


def extract(pattern, text, index):
    found = re.findall(pattern, text)
    if not found:
        return None
    match = found[index]
    return next(group for group in match if group) if isinstance(match, tuple) else match


def hold_against_squad(rows):
    """The same values from SQuAD's own functions in lm-evaluation-harness, where the normal form is not empty."""
    from lm_eval.tasks.qasper.metrics import f1_abstractive, normalize_answer

    for answer, reference, f1, exact in rows:
        if normalize_answer(answer) and normalize_answer(reference):
            assert abs(f1_abstractive([answer], [reference]) - f1) < 1e-12, (answer, reference)
            assert (normalize_answer(answer) == normalize_answer(reference)) == exact, (answer, reference)


def main():
    draw = random.Random(7)
    phrase = lambda: " ".join(draw.choice(WORDS) for _ in range(draw.randrange(6)))
    texts = [(phrase(), phrase()) for _ in range(60)]
    counts = [(n, c, k) for n in (1, 2, 5, 10, 200) for c in sorted({0, 1, n // 2, n}) for k in sorted({1, max(1, n // 2), n})]
    golden = {
        "f1": [[a, b, token_f1(a, b), words(a) == words(b)] for a, b in texts],
        "pass": [[n, c, k, pass_at_k(n, c, k)] for n, c, k in counts],
        "extract": [[text, extract(STRICT, text, 0), extract(FLEXIBLE, text, -1)] for text in RESPONSES],
    }
    if "--check" in sys.argv:
        hold_against_squad(golden["f1"])
    for name, rows in golden.items():
        assert len(rows) > 5, name
    print(json.dumps(golden, ensure_ascii=False, indent=0))


if __name__ == "__main__":
    main()
