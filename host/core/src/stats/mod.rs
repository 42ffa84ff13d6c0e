//! Statistics: intervals, tests and sample sizes. Own numerics, checked against scipy and statsmodels; `STATISTICS.md` has
//! the simulations.
//!
//! Missing is a variant: where the data cannot carry an interval there is [`Interval::TooFew`], never 0 and never NaN.

use serde::{Deserialize, Serialize};

pub mod bootstrap;
pub mod bounded;
pub mod distribution;
mod evidence;
pub mod holm;
pub mod looks;
pub mod mean;
pub mod paired;
pub mod power;
pub mod proportion;
mod special;

pub use evidence::{Clusters, Evidence, Weakness};

/// A side of a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Above the threshold.
    Above,
    /// Below the threshold.
    Below,
}

impl Side {
    /// The other side.
    pub fn opposite(self) -> Self {
        match self {
            Self::Above => Self::Below,
            Self::Below => Self::Above,
        }
    }
}

/// A confidence interval, or the admission that there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Interval {
    /// The value lies between `low` and `high`.
    Known {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
        /// Two-sided confidence level: 0.95 leaves 0.025 on each side.
        level: f64,
        /// How it was made, for a reader: `Wilson`, `Student's t`, …
        method: String,
    },
    /// `n` samples (or clusters) say nothing about it.
    TooFew {
        /// How many there were.
        n: usize,
    },
}

impl Interval {
    /// Its lower and its upper end, where it is known.
    pub fn ends(&self) -> Option<(f64, f64)> {
        match self {
            Self::Known { low, high, .. } => Some((*low, *high)),
            Self::TooFew { .. } => None,
        }
    }
}
