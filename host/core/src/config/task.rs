//! A task of lm-evaluation-harness as a suite.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A task of lm-evaluation-harness with local data: its rows, its prompts, and how it scores answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// The task's YAML. Relative paths in it start from its folder.
    #[schemars(length(min = 1, max = 4096))]
    pub file: PathBuf,
    /// Whether prompts are written by the chat template, as with `--apply_chat_template`. Otherwise they are plain text.
    #[serde(default)]
    pub apply_chat_template: bool,
    /// With a chat template, whether examples are turns of their own. Otherwise they stand in the user's turn.
    #[serde(default = "yes")]
    pub fewshot_as_multiturn: bool,
    /// What stands between the parts of a prompt of plain text, as the YAML says it.
    #[serde(default)]
    #[schemars(skip)]
    pub delimiters: Delimiters,
    /// The data files that the YAML names, with their SHA-256.
    #[serde(default)]
    #[schemars(skip)]
    pub data: BTreeMap<String, String>,
}

/// What stands between the parts of a prompt of plain text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delimiters {
    /// Between an example's question and its answer.
    pub target: String,
    /// After each example.
    pub example: String,
}

fn yes() -> bool {
    true
}
