//! Arms against each other, paired by sample: the content of `comparison.json`.

use crate::arm::{Arm, Contrast};
use crate::score::MeasureInfo;
use crate::stats::{Evidence, Interval};
use serde::{Deserialize, Serialize};

mod build;
mod grouping;
mod suite;
mod values;

pub use build::compare;
pub use grouping::Grouping;
pub use suite::{Described, Listed, Suite};

/// Every suite's measures, compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Two-sided confidence level of the intervals in it.
    pub level: f64,
    /// Every arm, in the order of the configuration; `base` and `tuned` come first.
    pub arms: Vec<Arm>,
    /// The pairs of arms whose differences are in it.
    pub contrasts: Vec<Contrast>,
    /// In the order of the configuration.
    pub suites: Vec<SuiteComparison>,
}

/// One suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuiteComparison {
    /// The suite's name.
    pub name: String,
    /// Its number of samples.
    pub samples: usize,
    /// One for each measure of each evaluator and comparator.
    pub measures: Vec<MeasureComparison>,
    /// How samples that share a source or a prompt were grouped; `None` where none do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grouping: Option<Grouping>,
}

/// One measure. An evaluator's has `levels` and `differences`; a comparator's, which sees two arms at once, has `pairs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasureComparison {
    /// The plugin's name in the suite's configuration.
    pub evaluator: String,
    /// What the measure means.
    pub info: MeasureInfo,
    /// Whether a comparator measures it, which sees two arms at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub comparator: bool,
    /// Each arm's level, in the order of the arms; an arm without any row is not among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<ArmLevel>,
    /// A comparator's level for each contrast.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<PairLevel>,
    /// Candidate − reference over the samples scored on both arms, for each contrast.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
}

/// The level of an arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmLevel {
    /// The arm.
    pub arm: Arm,
    /// Its level.
    #[serde(flatten)]
    pub level: Level,
}

/// The level of a comparator, which saw two arms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairLevel {
    /// The two arms.
    #[serde(flatten)]
    pub contrast: Contrast,
    /// The comparator's level.
    #[serde(flatten)]
    pub level: Level,
    /// The same by tag; exploratory, as a difference's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<Slice>,
}

impl MeasureComparison {
    /// How rules name it: `plugin.measure`.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.evaluator, self.info.name)
    }

    /// The level of an arm; `None` if it was not scored at all.
    pub fn level(&self, arm: &Arm) -> Option<&Level> {
        self.levels.iter().find(|one| one.arm == *arm).map(|one| &one.level)
    }

    /// A comparator's level for two arms.
    pub fn pair(&self, contrast: &Contrast) -> Option<&PairLevel> {
        self.pairs.iter().find(|one| one.contrast == *contrast)
    }

    /// The difference between two arms.
    pub fn difference(&self, contrast: &Contrast) -> Option<&Difference> {
        self.differences.iter().find(|one| one.contrast == *contrast)
    }
}

/// The mean of a measure on one arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Samples with a value.
    pub n: usize,
    /// Samples that the evaluator could not score, or scored without this measure though another arm has it.
    pub unscored: usize,
    /// Samples to which the measure does not apply: scored without it on every arm.
    pub not_applicable: usize,
    /// Samples of the suite without a row on this arm.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<String>,
    /// The mean; `None` without a value.
    pub mean: Option<f64>,
    /// Its interval.
    pub interval: Interval,
    /// What the gate decides on.
    pub evidence: Evidence,
}

/// Candidate − reference, paired by sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The two arms.
    #[serde(flatten)]
    pub contrast: Contrast,
    /// Pairs with a value on both sides.
    pub n: usize,
    /// The mean difference; `None` without a pair.
    pub mean: Option<f64>,
    /// Its interval.
    pub interval: Interval,
    /// Real-valued measures without clusters: the same from a seeded BCa bootstrap, to be read beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<Interval>,
    /// Test of "no difference", two-sided, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Test>,
    /// The smallest true difference that this many pairs would show in four of five repetitions.
    pub detectable: Option<f64>,
    /// Pairs in which the candidate is better.
    pub wins: usize,
    /// Pairs in which they are equal.
    pub ties: usize,
    /// Pairs in which the candidate is worse.
    pub losses: usize,
    /// Binary measures: samples that the reference has right and the candidate has wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub harmful: Vec<String>,
    /// Binary measures: samples that the reference has wrong and the candidate has right.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beneficial: Vec<String>,
    /// The same by tag; exploratory: not corrected for how many there are, and never used by the gate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<Slice>,
    /// What the gate decides on.
    pub evidence: Evidence,
}

/// A test's outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// The method; its interval stands beside it.
    pub name: String,
    /// Two-sided p value of "there is no difference"; at most 0.05 exactly where the 95 % interval leaves 0 out.
    pub p: f64,
    /// The same after Holm's correction over every test of the comparison.
    pub adjusted: f64,
}

/// A measure on the samples that share a tag's value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// The tag's name.
    pub tag: String,
    /// The tag's value.
    pub value: String,
    /// Pairs in the slice (samples, for a comparator).
    pub n: usize,
    /// Mean of the reference; `None` for a comparator.
    pub reference: Option<f64>,
    /// Mean of the candidate, or of the comparator.
    pub candidate: Option<f64>,
    /// Mean difference; `None` for a comparator.
    pub difference: Option<f64>,
    /// Interval of the difference, or of a comparator's level.
    pub interval: Interval,
}
