//! What is compared: suites with their samples and measures.

use crate::digest;
use crate::sample::Sample;
use crate::score::MeasureInfo;
use std::collections::BTreeMap;

/// What a suite consists of; the scores say what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// Its samples, in order.
    pub samples: Vec<Listed>,
    /// Its evaluators and comparators, in order.
    pub evaluators: Vec<Described>,
}

/// A sample's id and tags.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The id, unique in its suite.
    pub id: String,
    /// Name and value; `cluster` is no slice.
    pub tags: BTreeMap<String, String>,
    /// Digest of the conversation up to the answer: samples that share it are one piece of evidence. Empty where it is
    /// not known.
    pub prompt: String,
}

impl From<&Sample> for Listed {
    fn from(sample: &Sample) -> Self {
        let prompt = serde_json::json!([sample.messages, sample.tools, sample.context, sample.choices]);
        let prompt = digest::of_bytes(prompt.to_string().as_bytes());
        Self { id: sample.id.clone(), tags: sample.tags.clone(), prompt }
    }
}

/// An evaluator or a comparator of a suite, with its measures.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// The plugin's name in the suite's configuration.
    pub name: String,
    /// Whether it sees both sides at once: its rows have no arm.
    pub comparator: bool,
    /// What it measures.
    pub measures: Vec<MeasureInfo>,
}
