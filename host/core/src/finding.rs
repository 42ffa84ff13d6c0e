//! What validators find in datasets: the rows of `findings.jsonl`.

use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Someone should look.
    Warning,
    /// Training must not start.
    Error,
}

/// Something found in a dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The plugin that found it, or `diapason` for the host's own checks.
    pub validator: String,
    /// How bad it is.
    pub severity: Severity,
    /// Kebab-case name of the rule that was broken.
    pub rule: String,
    /// `train` or a suite's name.
    pub split: String,
    /// Line in the file, from 1; 0 for the dataset as a whole.
    pub line: u32,
    /// JSON Pointer into the row; empty for the whole row.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// One line of a dataset file, as a validator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// `train` or `test`.
    pub split: String,
    /// Line in the file, from 1.
    pub line: u32,
    /// The line as it stands in the file.
    pub text: String,
}
