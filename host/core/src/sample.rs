//! Samples: rows of an evaluation suite or of a training set.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// The text of the turn.
    pub content: String,
    /// Further fields (`name`, `tool_calls`, …).
    #[serde(flatten, default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub extra: serde_json::Map<String, serde_json::Value>,
}

impl Message {
    /// A turn without further fields.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Self { role: role.into(), content: content.into(), extra: serde_json::Map::new() }
    }
}

/// A row: a conversation up to the point where the model answers, and what is known about the answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Unique within its suite and stable between runs.
    pub id: String,
    /// The conversation up to the answer.
    pub messages: Vec<Message>,
    /// The expected answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The answers to choose from, where the row is a multiple choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// The text that an answer must be supported by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Name and value; `cluster` names the source that rows share, the others slice the report.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// JSON array of tool definitions, if the row has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<serde_json::Value>,
    /// The whole row as it stood in the file.
    pub row: String,
}

impl Sample {
    /// The conversation with the expected answer as its last turn: what training sees.
    pub fn conversation(&self) -> Vec<Message> {
        let answer = self.reference.iter().map(|text| Message::new("assistant", text));
        self.messages.iter().cloned().chain(answer).collect()
    }
}

/// A piece of rendered text; the pieces of a conversation joined are its rendering.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// The text.
    pub text: String,
    /// Whether the model is trained to produce it.
    pub learn: bool,
}

/// A conversation for a chat template.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Conversation {
    /// The turns, first to last.
    pub messages: Vec<Message>,
    /// JSON array of tool definitions, if the row has any.
    pub tools: Option<serde_json::Value>,
}
