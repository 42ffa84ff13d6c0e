//! The four shapes in which rows are written.

use serde_json::{Map, Value};

/// How a row is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// `{"messages": [{"role": …, "content": …}, …]}`
    Messages,
    /// `{"conversations": [{"from": …, "value": …}, …]}`
    ShareGpt,
    /// `{"instruction": …, "input": …, "output": …}`
    Alpaca,
    /// `{"prompt": …, "completion": …}`
    PromptCompletion,
}

/// All shapes, by the key that gives them away.
pub const SHAPES: [(&str, Shape); 4] = [
    ("messages", Shape::Messages),
    ("conversations", Shape::ShareGpt),
    ("instruction", Shape::Alpaca),
    ("prompt", Shape::PromptCompletion),
];

impl Shape {
    /// The shape of a row without nulls, or `None` for a row that has none of the shapes' first keys.
    pub fn of(row: &Map<String, Value>) -> Option<Self> {
        SHAPES.iter().find(|(key, _)| row.contains_key(*key)).map(|(_, shape)| *shape)
    }

    /// The shape's name, as findings write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::ShareGpt => "ShareGPT",
            Self::Alpaca => "alpaca",
            Self::PromptCompletion => "prompt/completion",
        }
    }

    /// The keys that a row of this shape is made of: what is asked, what may stand beside it, what is answered.
    pub(crate) fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Messages => &["messages"],
            Self::ShareGpt => &["conversations"],
            Self::Alpaca => &["instruction", "input", "output", "history"],
            Self::PromptCompletion => &["prompt", "completion", "history"],
        }
    }

    /// The key that gives the shape away.
    pub fn key(self) -> &'static str {
        self.keys()[0]
    }

    /// The key of its answer, where the answer stands apart.
    pub fn answer(self) -> Option<&'static str> {
        match self {
            Self::Alpaca => Some("output"),
            Self::PromptCompletion => Some("completion"),
            Self::Messages | Self::ShareGpt => None,
        }
    }
}
