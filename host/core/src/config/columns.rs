//! What a file calls its columns.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the columns of a file are called, by the names that rows have: `{ prompt = "question", completion = "answer" }`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Columns {
    /// The row's own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A list of `role` and `content`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<String>,
    /// A list of `from` and `value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversations: Option<String>,
    /// What is asked, in Alpaca's shape.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instruction: Option<String>,
    /// What the instruction is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// The answer to the instruction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// What is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// The answer to the prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion: Option<String>,
    /// A system message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Earlier exchanges, pairs of texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<String>,
    /// Tool definitions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<String>,
    /// The expected answer, or a list of answers of which any is right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The answers to choose from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choices: Option<String>,
    /// The text that an answer must be supported by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Variables of the template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_template_kwargs: Option<String>,
    /// Documents for the template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documents: Option<String>,
}

impl Columns {
    /// Whether every column has our name.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns our names with the file's.
    pub fn pairs(&self) -> Vec<(String, String)> {
        let Ok(Value::Object(names)) = serde_json::to_value(self) else { return Vec::new() };
        names.into_iter().filter_map(|(ours, theirs)| Some((ours, theirs.as_str()?.to_owned()))).collect()
    }
}
