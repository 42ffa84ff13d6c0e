//! Samples: rows of an evaluation suite or of a training set.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The further field of a turn that is context only: it is 0 there.
pub const WEIGHT: &str = "weight";

/// One turn of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// The text of the turn.
    pub content: String,
    /// The turn has no content at all, as one that only calls tools; `content` is empty then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_content: bool,
    /// Further fields (`name`, `tool_calls`, …), none of them null. An assistant's turn with `"weight": 0` is context that
    /// is not learned; the reader of rows writes every spelling of that so.
    #[serde(flatten, default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

impl Message {
    /// A turn without further fields.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Self { role: role.into(), content: content.into(), ..Self::default() }
    }

    /// Whether it is an assistant's turn that the model is trained to write.
    pub fn is_learned(&self) -> bool {
        self.role == "assistant" && self.extra.get(WEIGHT).is_none_or(|weight| weight.as_f64() != Some(0.0))
    }
}

/// A row: a conversation up to the point where the model answers, and what is known about the answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Unique within its suite and stable between runs.
    pub id: String,
    /// The conversation up to the answer.
    pub messages: Vec<Message>,
    /// The expected answer, as evaluators are shown it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Further answers that are as right as `reference`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<String>,
    /// The assistant's turn that the row ends with, as training sees it: with its calls, its reasoning and its weight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Message>,
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
    pub tools: Option<Value>,
    /// The row's own variables of the template (`enable_thinking`, `documents`, …).
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub variables: Map<String, Value>,
    /// The only message's text is the prompt as it stands, which no chat template writes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain: bool,
    /// The whole row as it stood in the file.
    pub row: String,
    /// Where the row stands, for messages: `line 3 of t.jsonl`. Empty where it is of no file.
    #[serde(skip)]
    pub place: String,
}

impl Sample {
    /// Whether the expected answer is a turn that is marked as not to be learned, which is usually a wrong one.
    pub fn has_unlearned_reference(&self) -> bool {
        let said = |answer: &Message| !answer.is_learned() && self.reference.as_deref() == Some(&answer.content);
        self.answer.as_ref().is_some_and(said)
    }

    /// The conversation with the answer as its last turn: what training sees. A row that has no turn to learn but a
    /// reference is taught that.
    pub fn conversation(&self) -> Vec<Message> {
        let reference = || self.reference.as_deref().map(|text| Message::new("assistant", text));
        self.messages.iter().cloned().chain(self.answer.clone().or_else(reference)).collect()
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
    pub tools: Option<Value>,
    /// The row's own variables of the template, which go before those of the settings.
    pub variables: Map<String, Value>,
    /// As [`Sample::plain`].
    pub plain: bool,
    /// Where the row stands, as [`Sample::place`].
    pub place: String,
}

impl Conversation {
    /// What a template needs of `sample` to write the prompt.
    pub fn prompt(sample: &Sample) -> Self {
        Self {
            messages: sample.messages.clone(),
            tools: sample.tools.clone(),
            variables: sample.variables.clone(),
            plain: sample.plain,
            place: sample.place.clone(),
        }
    }

    /// What a template needs of `sample` to write all that is trained on.
    pub fn training(sample: &Sample) -> Self {
        Self { messages: sample.conversation(), ..Self::prompt(sample) }
    }
}
