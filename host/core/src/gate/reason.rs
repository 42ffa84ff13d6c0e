//! Why a condition ended as it did: what a renderer makes a sentence of.

use crate::arm::{Arm, Contrast};
use serde::{Deserialize, Serialize};

/// Why a condition passed, failed or is inconclusive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Reason {
    /// Its interval against its threshold: beyond it, short of it, or on both sides.
    Interval,
    /// An arm has no scores.
    NoScores {
        /// Which.
        of: Scored,
    },
    /// Samples have no score of an arm.
    Lost {
        /// Which.
        of: Scored,
        /// Samples without one.
        lost: usize,
        /// Samples of the suite.
        samples: usize,
        /// The first that has none.
        first: String,
    },
    /// The measure applies to no sample.
    NotApplicable,
    /// More samples are unscored than the gate allows.
    Unscored {
        /// In which arm.
        of: Scored,
        /// Samples without a score.
        unscored: usize,
        /// Samples that the measure applies to.
        applicable: usize,
        /// Share of them that may be unscored.
        allowed: f64,
    },
    /// More samples lack a score of one arm or the other than the gate allows.
    Unpaired {
        /// Samples that are no pair.
        unpaired: usize,
        /// Samples that the measure applies to.
        applicable: usize,
        /// Share of them that may be unscored.
        allowed: f64,
    },
    /// The samples are too few to vary, or do not vary.
    NoInterval,
    /// The measure has no bounds, and the samples are too few for its mean.
    FewUnbounded,
    /// The measure has no bounds, and a few large values carry its mean.
    SkewedUnbounded,
}

/// What has scores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scored {
    /// An arm.
    Arm(Arm),
    /// Two arms, by a comparator.
    Pair(Contrast),
}
