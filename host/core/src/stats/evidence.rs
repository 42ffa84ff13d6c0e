//! Sufficient statistics: what has to be kept of the samples to make an interval at any level, so that a gate can be
//! decided again from a stored comparison.

use serde::{Deserialize, Serialize};

/// What the samples say about one value (a level, or a difference tuned − base).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Evidence {
    /// Independent samples that are 0 or 1.
    Rate {
        /// Samples.
        n: usize,
        /// Samples whose value is 1.
        ones: usize,
    },
    /// Independent pairs whose two values are 0 or 1.
    PairedRates {
        /// Both are 1.
        both: usize,
        /// Only the base model's is 1.
        base_only: usize,
        /// Only the tuned model's is 1.
        tuned_only: usize,
        /// Both are 0.
        neither: usize,
    },
    /// Real values whose mean has a usable standard error.
    Mean {
        /// Samples.
        n: usize,
        /// Mean of the samples.
        mean: f64,
        /// Standard error of the mean, robust to clusters where there are some.
        standard_error: f64,
        /// Degrees of freedom: samples − 1, or clusters − 1.
        degrees: usize,
        /// Smallest and largest possible mean, where they exist.
        bounds: Option<(f64, f64)>,
        /// Number of clusters, where samples share a source.
        clusters: Option<usize>,
    },
    /// Bounded values that (nearly) all agree: a standard error would promise too much, so only bounds that hold for
    /// every distribution are used.
    Sparse {
        /// Samples, or clusters where samples share a source.
        n: usize,
        /// Mean of the samples.
        mean: f64,
        /// Smallest and largest possible value.
        bounds: (f64, f64),
        /// How many values lie below the upper pivot (the upper bound of a level, 0 of a difference).
        below: usize,
        /// How many values lie above the lower pivot (the lower bound of a level, 0 of a difference).
        above: usize,
        /// Lower and upper pivot.
        pivots: (f64, f64),
    },
    /// Nothing can be said.
    TooFew {
        /// How many samples there were.
        n: usize,
    },
}
