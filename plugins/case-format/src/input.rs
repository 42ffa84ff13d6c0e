//! What a case gives to a plugin.

use crate::{Result, from_value};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

mod fields;

/// A turn of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// `system`, `user`, `assistant`, …
    pub role: String,
    /// Its text; empty where its `content` is no text and stands in `extra`.
    pub content: String,
    /// All its other fields.
    pub extra: Map<String, Value>,
}

/// A row of a suite.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its id, or its number from 1.
    pub id: String,
    /// The conversation up to the answer.
    pub messages: Vec<Message>,
    /// The expected answer, or the first of several.
    pub reference: Option<String>,
    /// Answers to choose from.
    pub choices: Vec<String>,
    /// The text that the answer has to keep to.
    pub context: Option<String>,
    /// Names and values to group by.
    pub tags: BTreeMap<String, String>,
    /// The whole row as JSON.
    pub row: String,
}

/// What the model wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The text.
    pub text: String,
    /// How many tokens it has.
    pub tokens: u32,
    /// Whether it was cut off at the longest length allowed.
    pub cut_off: bool,
}

/// How likely the model finds a continuation.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Likelihood {
    /// Natural logarithm of its probability.
    pub logprob: f64,
    /// How many tokens it has.
    #[serde(default = "one")]
    pub tokens: u32,
    /// How many bytes it has.
    #[serde(default = "one")]
    pub bytes: u32,
    /// Whether each token is the likeliest one.
    #[serde(default)]
    pub greedy: bool,
}

/// A sample and what the model made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The sample.
    pub sample: Sample,
    /// What the model wrote.
    pub completions: Vec<Completion>,
    /// The likelihoods asked for.
    pub likelihoods: Vec<Likelihood>,
}

/// A sample, and what two arms made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The sample.
    pub sample: Sample,
    /// What the candidate is compared against; the expected answer is `sample.reference`.
    pub reference: Side,
    /// What is judged.
    pub candidate: Side,
}

/// What one arm made of a sample, and how that was scored.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// What it wrote.
    pub completions: Vec<Completion>,
    /// Measures of evaluators, as `plugin.measure`.
    pub measures: BTreeMap<String, f64>,
}

/// A row of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its dataset.
    pub split: String,
    /// Its line, from 1.
    pub line: u32,
    /// Its text.
    pub text: String,
}

/// A conversation to render.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    /// Its turns.
    pub messages: Vec<Message>,
    /// The tools that the model may call.
    pub tools: Option<Value>,
}

/// How conversations are rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Whole, with what is learned.
    Training,
    /// Up to the answer.
    Prompt,
}

/// The `input` of an evaluator's case.
///
/// # Errors
/// It is none; the error names the sample and the field.
pub fn observations(input: &Value) -> Result<Vec<Observation>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input {
        samples: Vec<Map<String, Value>>,
    }
    let samples = read::<Input>(input)?.samples;
    numbered("sample", samples, fields::observation)
}

/// The `input` of a comparator's case.
///
/// # Errors
/// It is none; the error names the pair and the field.
pub fn pairs(input: &Value) -> Result<Vec<Pair>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input {
        pairs: Vec<Value>,
    }
    let pairs = read::<Input>(input)?.pairs;
    numbered("pair", pairs, |number, pair| from_value::<fields::Pair>(pair)?.pair(number))
}

/// The `input` of a validator's case.
///
/// # Errors
/// It is none; the error names the row and the field.
pub fn rows(input: &Value) -> Result<Vec<Row>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input {
        rows: Vec<Value>,
    }
    let mut lines = BTreeMap::new();
    let rows = read::<Input>(input)?.rows;
    numbered("row", rows, |_, row| from_value::<fields::Row>(row)?.row(&mut lines))
}

/// The `input` of a chat template's case.
///
/// # Errors
/// It is none; the error names the conversation and the field.
pub fn conversations(input: &Value) -> Result<(Vec<Conversation>, Mode)> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input {
        conversations: Vec<Value>,
        mode: Mode,
    }
    let Input { conversations, mode } = read(input)?;
    let conversations =
        numbered("conversation", conversations, |_, one| Ok(from_value::<fields::Conversation>(one)?.conversation()))?;
    Ok((conversations, mode))
}

fn read<T: serde::de::DeserializeOwned>(input: &Value) -> Result<T> {
    from_value(input.clone()).map_err(|cause| format!("`input`: {cause}"))
}

fn numbered<T, R>(name: &str, list: Vec<T>, mut read: impl FnMut(usize, T) -> Result<R>) -> Result<Vec<R>> {
    let mut one = |(number, one)| read(number, one).map_err(|cause| format!("`input`: {name} {number}: {cause}"));
    (1..).zip(list).map(&mut one).collect()
}

fn one() -> u32 {
    1
}

#[cfg(test)]
mod tests;
