//! The four shapes in which training rows are written.

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
    /// The shape of a row, or `None` for a row that has none of the shapes' first keys.
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

    /// The key that holds the turns and the keys of a turn's role and text, in the shapes made of turns.
    pub fn turns(self) -> Option<(&'static str, &'static str, &'static str)> {
        match self {
            Self::Messages => Some(("messages", "role", "content")),
            Self::ShareGpt => Some(("conversations", "from", "value")),
            Self::Alpaca | Self::PromptCompletion => None,
        }
    }
}
