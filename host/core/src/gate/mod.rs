//! The gate: rules against a comparison, ending passed, failed or inconclusive.

use crate::stats::Interval;
use serde::{Deserialize, Serialize};

mod condition;
mod decide;
mod lookup;

pub use decide::decide;

/// How a condition, or the gate as a whole, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Shown to hold.
    Passed,
    /// Shown not to hold.
    Failed,
    /// Neither is shown.
    Inconclusive,
}

/// The gate's decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateResult {
    /// Failed if any condition failed, else inconclusive if any is, else passed.
    pub verdict: Verdict,
    /// Probability, over all conditions together, that one passes although it does not hold.
    pub alpha: f64,
    /// In the order of the rules.
    pub conditions: Vec<ConditionResult>,
}

/// Which field of the rule a condition stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConditionKind {
    /// The tuned model's level is at least the limit.
    Minimum,
    /// The tuned model's level is at most the limit.
    Maximum,
    /// The tuned model is not worse than base by more than the limit.
    Margin,
    /// The tuned model is better than base by more than the limit.
    Gain,
}

/// Where the value has to lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Above the threshold.
    Above,
    /// Below the threshold.
    Below,
}

/// One condition's decision. `estimate`, `interval` and `threshold` are in the measure's own unit: levels of the tuned
/// model, or differences tuned − base.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConditionResult {
    /// The suite.
    pub suite: String,
    /// `plugin.measure`.
    pub measure: String,
    /// Which field of the rule it stands for.
    pub kind: ConditionKind,
    /// The limit as given in the rule.
    pub limit: f64,
    /// What has to be shown, in words: `tuned − base ≥ -0.02`.
    pub requirement: String,
    /// How it ended.
    pub verdict: Verdict,
    /// Why, in a sentence.
    pub reason: String,
    /// The measured value.
    pub estimate: Option<f64>,
    /// The interval that decided it, at the level that remains after Holm's correction.
    pub interval: Interval,
    /// What the interval is held against.
    pub threshold: f64,
    /// The side of the threshold on which the interval has to lie.
    pub side: Side,
    /// One-sided p value of "the condition does not hold"; `None` without data.
    pub p: Option<f64>,
    /// The one-sided level it was decided at, after Holm's correction.
    pub alpha: f64,
    /// Samples or pairs behind it.
    pub n: usize,
    /// Inconclusive only: the smallest true distance from the threshold that this many samples would show in four of
    /// five repetitions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detectable: Option<f64>,
    /// Inconclusive only: about how many samples would settle it if the measured value is the true one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples_to_settle: Option<usize>,
}
