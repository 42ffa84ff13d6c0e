//! What evaluators and comparators say of samples, and the rows of `outputs.*.jsonl` and `scores.jsonl`.

use crate::arm::{Arm, Contrast};
use crate::language_model::{Completion, Likelihood};
use crate::sample::Sample;
use serde::{Deserialize, Serialize};

/// What a measure means; the statistics are chosen by it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasureInfo {
    /// Short, in kebab-case: `exact-match`.
    pub name: String,
    /// One line for the report.
    pub summary: String,
    /// Whether a larger value is the better one.
    pub higher_is_better: bool,
    /// Whether every value is 0 or 1.
    pub binary: bool,
    /// Smallest and largest possible value, where they exist.
    pub bounds: Option<(f64, f64)>,
}

/// A named, finite value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// One of the names that the plugin described.
    pub name: String,
    /// Its value.
    pub value: f64,
}

/// What came of scoring one sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The sample's measures.
    Scored(Vec<Measure>),
    /// Why there is no score; counted and shown, never a zero.
    Unscored(String),
}

/// An outcome, and what a reader needs to understand it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The scores, or why there are none.
    pub outcome: Outcome,
    /// Name and text, shown beside the sample.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<(String, String)>,
}

/// What an evaluator needs the model to do for one sample.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// How many completions: 1 for the ordinary one, more for draws at one temperature.
    pub completions: usize,
    /// Answers whose likelihood after the prompt is wanted.
    pub continuations: Vec<String>,
}

/// A row of an arm's outputs: what it made of one sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// The suite.
    pub suite: String,
    /// The sample's id.
    pub sample: String,
    /// The rendered prompt.
    pub prompt: String,
    /// The ordinary completion, where an evaluator asked for one or a comparator looks on; empty otherwise.
    pub completions: Vec<Completion>,
    /// Draws at one temperature, for evaluators that asked for more than one completion: as many as the one that wanted
    /// most. The ordinary completion is none of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Completion>,
    /// The continuations asked for, with their likelihoods.
    pub likelihoods: Vec<(String, Likelihood)>,
}

/// A row of `scores.jsonl`: what one evaluator said of one sample on one arm, or one comparator of two arms' answers to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The suite.
    pub suite: String,
    /// The plugin's name in the suite's configuration.
    pub evaluator: String,
    /// The arm; for a comparator the candidate.
    pub arm: Arm,
    /// The reference that a comparator saw beside it; `None` for evaluators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Arm>,
    /// The sample's id.
    pub sample: String,
    /// The sample's cluster (`tags.cluster`), if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// What the plugin said.
    #[serde(flatten)]
    pub judgement: Judgement,
}

impl Score {
    /// The arms that a comparator saw; `None` for an evaluator's row.
    pub fn contrast(&self) -> Option<Contrast> {
        let reference = self.against.clone()?;
        Some(Contrast { candidate: self.arm.clone(), reference })
    }
}

/// A sample and what one model made of it: what an evaluator scores.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The sample.
    pub sample: Sample,
    /// As many completions as were asked for.
    pub completions: Vec<Completion>,
    /// A likelihood for each continuation asked for, in that order.
    pub likelihoods: Vec<Likelihood>,
}

/// One model's side of a sample: what a comparator sees.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Side {
    /// What it wrote.
    pub completions: Vec<Completion>,
    /// The evaluators' measures, named `plugin.measure`; empty where the sample was not scored.
    pub measures: Vec<Measure>,
}

/// A sample with both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The sample.
    pub sample: Sample,
    /// What the candidate is compared against; the expected answer is `sample.reference`.
    pub reference: Side,
    /// What is judged.
    pub candidate: Side,
}
