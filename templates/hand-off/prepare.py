"""Makes the dataset that LLaMA-Factory's `tokenized_path` opens. README.md has the command."""

from pathlib import Path

from datasets import Dataset, DatasetDict

HERE = Path(__file__).resolve().parent
SPLITS = {"train": HERE / "rows.parquet", "validation": HERE / "held_out.parquet"}

if __name__ == "__main__":
    load = lambda path: Dataset.from_parquet(str(path), cache_dir=str(HERE / "cache"))
    DatasetDict({name: load(path) for name, path in SPLITS.items() if path.exists()}).save_to_disk(HERE / "tokenized")
