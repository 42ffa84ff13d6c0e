//! Datasets: JSONL rows to samples.
