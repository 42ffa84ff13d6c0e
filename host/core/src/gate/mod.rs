//! The gate: rules against a comparison, ending passed, failed or inconclusive.

use crate::arm::Arm;
use crate::stats::Interval;
use crate::stats::power::SampleSize;
use serde::{Deserialize, Serialize};

mod condition;
mod decide;
mod history;
mod lookup;
mod reason;

pub use crate::stats::Side;
pub use decide::decide;
pub use history::{History, Look, Plan};
pub use reason::{Reason, Scored};

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
///
/// PASSED is an intersection–union test (R. Berger, Technometrics 24 (1982) 295): it needs every condition, so each is
/// held at the gate's whole level. A single condition's tick and FAILED answer for themselves and are held at Holm's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateResult {
    /// Failed if any condition failed, else inconclusive if any is, else passed.
    pub verdict: Verdict,
    /// Probability that the gate passes although a condition does not hold, over all looks and candidates.
    pub alpha: f64,
    /// What of it is left for this look at this candidate.
    pub level: f64,
    /// Which look this is, from 1, and of how many.
    pub look: (usize, usize),
    /// How many candidates share `alpha`.
    pub candidates: usize,
    /// Models that the run folder's gate has held against these samples.
    pub models: usize,
    /// Earlier looks at this model with other samples or scores.
    #[serde(default)]
    pub looked_before: usize,
    /// In the order of the rules.
    pub conditions: Vec<ConditionResult>,
}

/// Which field of the rule a condition stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConditionKind {
    /// The arm's level is at least the limit.
    Minimum,
    /// The arm's level is at most the limit.
    Maximum,
    /// The arm is not worse than the reference by more than the limit.
    Margin,
    /// The arm is better than the reference by more than the limit.
    Gain,
}

/// One condition's decision. `estimate`, `interval` and `threshold` are in the measure's own unit: levels of the arm, or
/// differences arm − reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConditionResult {
    /// The suite.
    pub suite: String,
    /// `plugin.measure`.
    pub measure: String,
    /// The arm, the candidate.
    pub arm: Arm,
    /// The reference, where two arms are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Arm>,
    /// Which field of the rule it stands for.
    pub kind: ConditionKind,
    /// The limit as given in the rule.
    pub limit: f64,
    /// How it ended.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The measured value.
    pub estimate: Option<f64>,
    /// The interval that decided it: on the side that the condition needs, at the level at which it passed or not; on the
    /// other, at Holm's level for failing.
    pub interval: Interval,
    /// What the interval is held against.
    pub threshold: f64,
    /// The side of the threshold on which the interval has to lie.
    pub side: Side,
    /// One-sided p value of "the condition does not hold"; `None` without data.
    pub p: Option<f64>,
    /// The one-sided level that `p` was held at.
    pub alpha: f64,
    /// Passed only together with all others: by itself, at Holm's level, it would be inconclusive.
    #[serde(default)]
    pub jointly: bool,
    /// Samples or pairs behind it.
    pub n: usize,
    /// Inconclusive only: the smallest true distance from the threshold that this many samples would show in four of
    /// five repetitions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detectable: Option<f64>,
    /// Inconclusive only: how many samples would settle it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples_to_settle: Option<SampleSize>,
}
