//! The interfaces of the plugin package that a component exports and imports.

use serde::Serialize;
use std::fmt;

/// What a plugin can do: an interface that it exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// Renders conversations.
    ChatTemplate,
    /// Finds what is wrong with a dataset.
    Validator,
    /// Scores what a model made of samples.
    Evaluator,
    /// Judges two models' answers side by side.
    Comparator,
}

impl Capability {
    pub(crate) const ALL: [Self; 4] = [Self::ChatTemplate, Self::Validator, Self::Evaluator, Self::Comparator];

    /// The interface's name: `chat-template`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ChatTemplate => "chat-template",
            Self::Validator => "validator",
            Self::Evaluator => "evaluator",
            Self::Comparator => "comparator",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a plugin asks for: an interface that it imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// Writing to the run's log.
    Log,
    /// Using the tokenizer of the model under evaluation.
    Tokenizer,
    /// Calling a judge model.
    Model,
}

impl Permission {
    pub(crate) const ALL: [Self; 3] = [Self::Log, Self::Tokenizer, Self::Model];

    /// The interface's name: `tokenizer`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Tokenizer => "tokenizer",
            Self::Model => "model",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
