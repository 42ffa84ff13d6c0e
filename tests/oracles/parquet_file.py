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

GOLDEN.mkdir(parents=True, exist_ok=True)
for name, columns in ROWS.items():
    stem, packing = name.split(".")
    pq.write_table(pa.table(columns), GOLDEN / f"{stem}.parquet", compression=packing)
