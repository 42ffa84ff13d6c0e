"""How lm-evaluation-harness 0.4.13 splits a context and its continuation into tokens.

    python tests/oracles/likelihood_pairs.py > host/models/tests/golden/likelihood_pairs.json

The tokenizers are those of the demo model, which has merges, and of a golden model, which has special tokens; these are
left out of texts, as templates write them.
"""

import json
from types import SimpleNamespace

from lm_eval.api.instance import Instance
from lm_eval.api.model import TemplateLM
from transformers import PreTrainedTokenizerFast


def split(folder, pairs, **special):
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=f"{folder}/tokenizer.json", **special)
    found = []
    first = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    stub = SimpleNamespace(backend="causal", prefix_token_id=first,
                           tok_encode=lambda text, **_: tokenizer.encode(text, add_special_tokens=False),
                           _loglikelihood_tokens=lambda requests, disable_tqdm: found.extend(requests))
    stub._encode_pair = lambda context, continuation: TemplateLM._encode_pair(stub, context, continuation)
    TemplateLM.loglikelihood(stub, [Instance("loglikelihood", {}, pair, 0) for pair in pairs], disable_tqdm=True)
    return [[folder, *pair, context, continuation] for pair, context, continuation in found]


pairs = [(context + space, continuation)
         for context in ["The capital of France is", "Question: 2 + 2 = ?\nAnswer:", "x"]
         for space in ["", " ", "  ", "\n", "\n\n", "\t", " \n ", "\r\n", "\u00a0", "\u2003", "\u3000", "\x1c", "\x1f", "\u200b", "\u0085"]
         for continuation in ["Paris", " Paris", "\nParis", "4"]]
rows = split("templates/project/demo/base", pairs)
rows += split("host/models/tests/golden/llama-tied", [("", "Paris"), ("", " Paris"), ("", "\n"), ("", "<s>Paris"), ("a\n", "b")],
              bos_token="<s>", eos_token="</s>")
print("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]")
