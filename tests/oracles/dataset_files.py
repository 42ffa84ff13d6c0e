"""Writes small dataset files as `datasets` and OpenAI's export leave them, for host/core/src/dataset/tests/files.rs.

    python dataset_files.py

Written with datasets 5.2 and pyarrow 26. Mixed turns make `datasets` pad every turn and every call with nulls.
"""

import gzip
import json
from pathlib import Path

import pyarrow as pa
from datasets import Dataset

GOLDEN = Path(__file__).parents[2] / "host/core/tests/golden/datasets"
GOLDEN.mkdir(parents=True, exist_ok=True)


def call(name, **arguments):
    return {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}


CHATS = [
    {"messages": [
        {"role": "user", "content": "Weather in Oslo?"},
        {"role": "assistant", "content": None, "tool_calls": [call("weather", city="Oslo")]},
        {"role": "tool", "content": "mild", "name": "weather"},
        {"role": "assistant", "content": "It is mild."}],
     "tools": [{"type": "function", "function": {"name": "weather", "description": "Tells it."}},
               {"type": "function", "function": {"name": "clock"}}]},
    {"messages": [
        {"role": "user", "content": "Seven squared?"},
        {"role": "assistant", "content": None, "tool_calls": [call("square", x=7)]}],
     "tools": None},
    {"messages": [
        {"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "five", "weight": 0},
        {"role": "user", "content": "Again."},
        {"role": "assistant", "content": "four", "reasoning_content": "two and two"}], "tools": None},
]
PAIRS = [{"question": "Cap, of \"France\"?", "answer": "Paris"}, {"question": "2+2?\nSay it.", "answer": "4"},
         {"question": "None", "answer": ""}]

chats = Dataset.from_list(CHATS)
chats.to_parquet(GOLDEN / "padded.parquet")
chats.to_json(GOLDEN / "padded.jsonl")
chats.to_json(GOLDEN / "padded.json", lines=False)
pairs = Dataset.from_list(PAIRS)
pairs.to_csv(GOLDEN / "pairs.csv")
pairs.to_csv(GOLDEN / "pairs.tsv", sep="\t")
lines = (GOLDEN / "padded.jsonl").read_bytes()
(GOLDEN / "padded.jsonl.gz").write_bytes(gzip.compress(lines, mtime=0))
with pa.CompressedOutputStream(str(GOLDEN / "padded.jsonl.zst"), "zstd") as stream:
    stream.write(lines)
(GOLDEN / "pairs.csv.gz").write_bytes(gzip.compress((GOLDEN / "pairs.csv").read_bytes(), mtime=0))

# A row of OpenAI's export of stored completions, as its guide shows the keys.
EXPORT = {"messages": [
    {"role": "system", "content": "Be brief.", "name": None, "tool_calls": None, "function_call": None},
    {"role": "user", "content": [{"type": "text", "text": "Capital of "}, {"type": "text", "text": "Spain?"}], "name": None},
    {"role": "assistant", "content": "Madrid", "refusal": None, "audio": None, "function_call": None, "tool_calls": None,
     "annotations": [], "weight": 1}],
    "parallel_tool_calls": True, "tools": []}
(GOLDEN / "openai.jsonl").write_text(json.dumps(EXPORT) + "\n")
