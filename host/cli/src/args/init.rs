//! `init` as it is typed.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `init`.
#[derive(Debug, Args)]
pub struct Init {
    /// The folder to write into.
    #[arg(default_value = ".")]
    pub folder: PathBuf,
    /// Your data: a file of rows with their answers (JSONL, JSON, Parquet, CSV or TSV), which is split into training and
    /// test data.
    #[arg(long, value_name = "FILE", requires = "model", conflicts_with_all = ["starter", "labels"])]
    pub data: Option<PathBuf>,
    /// What the rows of `--data` teach.
    #[arg(long, value_enum, value_name = "TASK", requires = "data")]
    pub task: Option<Task>,
    /// What the file of `--data` calls a column, such as `prompt=question`. May be repeated.
    #[arg(long = "column", value_name = "NAME=COLUMN", requires = "data")]
    pub columns: Vec<String>,
    /// A built-in chat template or a Jinja file for the project of `--data`, instead of the model's own.
    #[arg(long, value_name = "NAME", requires = "data")]
    pub template: Option<String>,
    /// Which starter.
    #[arg(long, default_value = "address")]
    pub starter: String,
    /// The base model: a safetensors folder or a GGUF file.
    #[arg(long, value_name = "PATH")]
    pub model: Option<PathBuf>,
    /// Address starter: the labelled addresses, `training/labeled.xml` of the package usaddress.
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
}

/// What rows teach, and so what a good answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Task {
    /// Free text: the words of the expected answer.
    Generation,
    /// A few words: the expected answer but for case, articles and punctuation.
    ShortAnswer,
    /// One of a few labels.
    Classification,
    /// One of the row's `choices`: the likeliest of them.
    Choice,
    /// A JSON document: its fields, and the form that all documents have.
    Extraction,
    /// A number, with its unit.
    Numeric,
}
