"""Writes small Parquet files with pyarrow, for host/core/src/dataset/tests.rs: the four shapes of rows, in three packings.

    python parquet_file.py

Written with pyarrow 22.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

GOLDEN = Path(__file__).parents[2] / "host/core/tests/golden"
MESSAGES = [[{"role": "user", "content": f"Say {word}"}, {"role": "assistant", "content": word}]
            for word in ["yes", "n\u00f6", "a \"quote\"", ""]]
ROWS = {
    "messages.snappy": {"messages": MESSAGES[:3], "id": ["a", "b", "c"]},
    "alpaca.zstd": {"instruction": ["Add", "Name it"], "input": ["1 + 1", None], "output": ["2", "Berlin"]},
    "prompt.gzip": {"prompt": ["One", "Two"], "completion": ["1", "2"]},
    "sharegpt.none": {"conversations": [[{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}]]},
    "lz4.lz4": {"prompt": ["One"], "completion": ["1"]},
}
# What JSON cannot hold, and what it would drop without a word.
CALL = [{"role": "user", "content": "?", "tool_calls": None},
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": {"x": float("nan")}}}]}]
ODD = {
    "bytes": pa.table({"prompt": ["a", "b"], "completion": pa.array([None, b"\xff"], pa.binary())}),
    "bytes-unread": pa.table({"prompt": ["a"], "completion": ["b"], "thumbnail": [b"\xff"], "score": [float("nan")]}),
    "nan": pa.table({"prompt": ["a", "b"], "completion": ["c", "d"], "tags": [{"s": 1.5}, {"s": float("inf")}]}),
    "nan-argument": pa.table({"messages": [CALL]}),
    "two-columns": pa.table([["a"], ["b"], ["c"]], names=["prompt", "completion", "completion"]),
}

GOLDEN.mkdir(parents=True, exist_ok=True)
for name, columns in ROWS.items():
    stem, packing = name.split(".")
    pq.write_table(pa.table(columns), GOLDEN / f"{stem}.parquet", compression=packing)
for stem, table in ODD.items():
    pq.write_table(table, GOLDEN / f"{stem}.parquet")
