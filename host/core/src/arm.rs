//! Arms: what answers the prompts of a suite, by name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The name of an arm: `base`, `tuned`, or that of an `[[arm]]` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Arm(#[schemars(length(min = 1, max = 64))] String);

impl Arm {
    /// The model before fine-tuning.
    pub fn base() -> Self {
        Self("base".into())
    }

    /// The model after fine-tuning.
    pub fn tuned() -> Self {
        Self("tuned".into())
    }

    /// Whether it is the model before fine-tuning.
    pub fn is_base(&self) -> bool {
        self.0 == "base"
    }

    /// Whether it is the model after fine-tuning.
    pub fn is_tuned(&self) -> bool {
        self.0 == "tuned"
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Arm {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Two arms in a comparison.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Contrast {
    /// What would be released.
    pub candidate: Arm,
    /// What it is held against.
    pub reference: Arm,
}

impl Contrast {
    /// Tuned against base.
    pub fn of_training() -> Self {
        Self { candidate: Arm::tuned(), reference: Arm::base() }
    }
}

impl fmt::Display for Contrast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} against {}", self.candidate, self.reference)
    }
}

/// The arms of an evaluation, and which of them are held against each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arms {
    /// In their order in reports.
    pub all: Vec<Arm>,
    /// In their order in reports; each once.
    pub contrasts: Vec<Contrast>,
}

impl Arms {
    /// Base, tuned, and tuned against base.
    pub fn of_training() -> Self {
        Self { all: vec![Arm::base(), Arm::tuned()], contrasts: vec![Contrast::of_training()] }
    }
}
