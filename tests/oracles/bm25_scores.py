"""Golden scores for host/project's BM25, from bm25s.

    python tests/oracles/bm25_scores.py > host/project/tests/golden/bm25.json

Made with bm25s 0.3.16.
"""

import json
import re

import bm25s
import numpy as np

SUBJECTS = ["lamp", "order", "parcel", "invoice", "account", "refund", "voucher", "courier"]
VERBS = ["returns", "arrives", "expires", "changes", "costs"]
PLACES = ["in Reno", "by post", "within 30 days", "at the shop", "on Monday"]


def documents():
    texts = [
        f"The {subject} {verb} {PLACES[(at + times) % 5]}. " * (1 + times % 3) + f"See {SUBJECTS[(at * 3 + times) % 8]}!"
        for at, subject in enumerate(SUBJECTS)
        for times, verb in enumerate(VERBS)
    ]
    return texts + ["Lamp", "the the the the", "A much longer text: " + " ".join(SUBJECTS * 9)]


QUERIES = [
    "When can a lamp be returned?",
    "refund refund refund courier",
    "THE LAMP returns in Reno",
    "voucher",
    "nothing that is there: zebra",
    "the",
]


def words(text):
    return re.findall(r"[a-z0-9]+", text.lower())


def main():
    texts = documents()
    index = bm25s.BM25(method="lucene", k1=1.2, b=0.75, dtype="float64")
    index.index([words(text) for text in texts], show_progress=False)
    # A word that no document has is left out: bm25s knows the vocabulary only.
    known = set(word for text in texts for word in words(text))
    scores = []
    for query in QUERIES:
        asked = [word for word in words(query) if word in known]
        found = index.get_scores(asked) if asked else np.zeros(len(texts))
        scores.append([float(score) for score in found])
    print(json.dumps({"documents": texts, "queries": QUERIES, "scores": scores}))


main()
