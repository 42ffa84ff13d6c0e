//! Sufficient statistics: what has to be kept of the samples to make an interval at any level, so that a gate can be
//! decided again from a stored comparison.

use super::Interval;
use super::mean::{Bounded, Moments, bounded, mean};
use super::proportion::{Pairs, clopper_pearson, exact_flips, newcombe, wilson};
use serde::{Deserialize, Serialize};

/// With fewer flips than this, Newcombe's interval promises too much (simulated for n = 50 and 200: its one-sided error
/// reaches 0.11 at a nominal 0.05, and 0.053 with this limit), so the gate uses exact bounds.
const FEW_FLIPS: usize = 30;

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

impl Evidence {
    /// Of independent values that are 0 or 1.
    pub fn of_rate(values: &[f64]) -> Self {
        match values.len() {
            0 => Self::TooFew { n: 0 },
            n => Self::Rate { n, ones: values.iter().filter(|value| **value == 1.0).count() },
        }
    }

    /// Of independent pairs (base, tuned) whose values are 0 or 1.
    pub fn of_paired_rates(pairs: &[(f64, f64)]) -> Self {
        if pairs.is_empty() {
            return Self::TooFew { n: 0 };
        }
        let count = |base: f64, tuned: f64| pairs.iter().filter(|pair| **pair == (base, tuned)).count();
        Self::PairedRates {
            both: count(1.0, 1.0),
            base_only: count(1.0, 0.0),
            tuned_only: count(0.0, 1.0),
            neither: count(0.0, 0.0),
        }
    }

    /// Of the mean of levels within `bounds`. `clusters` holds the same values grouped by source, where sources are
    /// shared.
    pub fn of_levels(values: &[f64], clusters: Option<&[Vec<f64>]>, bounds: Option<(f64, f64)>) -> Self {
        Self::of_mean(values, clusters, bounds.map(|(low, high)| ((low, high), (low, high))))
    }

    /// Of the mean of differences between levels within `bounds`.
    pub fn of_differences(values: &[f64], clusters: Option<&[Vec<f64>]>, bounds: Option<(f64, f64)>) -> Self {
        Self::of_mean(values, clusters, bounds.map(|(low, high)| ((low - high, high - low), (0.0, 0.0))))
    }

    /// `limits` are the values' bounds and their pivots.
    fn of_mean(values: &[f64], clusters: Option<&[Vec<f64>]>, limits: Option<((f64, f64), (f64, f64))>) -> Self {
        let of_clusters = clusters.map(|clusters| clusters.iter().map(|cluster| mean(cluster)).collect::<Vec<f64>>());
        let units = of_clusters.as_deref().unwrap_or(values);
        let (Some(moments), n) = (clusters.map_or_else(|| Moments::of(values), Moments::of_clusters), units.len())
        else {
            return Self::TooFew { n: units.len() };
        };
        match limits {
            Some((bounds, pivots)) if nearly_all_agree(units) => Self::Sparse {
                n,
                mean: mean(units),
                bounds,
                pivots,
                below: units.iter().filter(|unit| **unit < pivots.1).count(),
                above: units.iter().filter(|unit| **unit > pivots.0).count(),
            },
            _ if nearly_all_agree(units) && all_agree(units) => Self::TooFew { n },
            _ => Self::Mean {
                n: values.len(),
                mean: moments.mean,
                standard_error: moments.standard_error,
                degrees: moments.degrees,
                bounds: limits.map(|(bounds, _)| bounds),
                clusters: clusters.map(<[_]>::len),
            },
        }
    }

    /// Samples, pairs, or clusters behind it.
    pub fn n(&self) -> usize {
        match self {
            Self::Rate { n, .. } | Self::Mean { n, .. } | Self::Sparse { n, .. } | Self::TooFew { n } => *n,
            Self::PairedRates { both, base_only, tuned_only, neither } => both + base_only + tuned_only + neither,
        }
    }

    /// The measured value.
    pub fn estimate(&self) -> Option<f64> {
        match self {
            Self::Rate { n, ones } => Some(*ones as f64 / *n as f64),
            Self::PairedRates { .. } => Some(self.pairs(1.0)?.difference()),
            Self::Mean { mean, .. } | Self::Sparse { mean, .. } => Some(*mean),
            Self::TooFew { .. } => None,
        }
    }

    /// The usual interval: Wilson, Newcombe, Student's t, or distribution-free bounds where values hardly vary.
    pub fn interval(&self, level: f64) -> Interval {
        let tail = (1.0 - level) / 2.0;
        let ends = match self {
            Self::Rate { n, ones } => Some(wilson(*ones as f64, *n as f64, tail)),
            Self::PairedRates { .. } => self.pairs(1.0).map(|pairs| newcombe(&pairs, tail)),
            _ => self.ends(tail, 1.0),
        };
        let method = match self {
            Self::Rate { .. } => "Wilson",
            Self::PairedRates { .. } => "Newcombe (paired)",
            _ => self.method(),
        };
        self.named(ends, level, method)
    }

    /// The interval that the gate decides by, leaving `tail` on each side. Exact where approximations promise too much.
    pub fn strict_interval(&self, tail: f64) -> Interval {
        self.named(self.ends(tail, 1.0), 1.0 - 2.0 * tail, self.method())
    }

    /// Ends of the strict interval, if there were `growth` times as many samples that all say the same.
    pub(super) fn ends(&self, tail: f64, growth: f64) -> Option<(f64, f64)> {
        match self {
            Self::Rate { n, ones } => Some(clopper_pearson(*ones as f64 * growth, *n as f64 * growth, tail)),
            Self::PairedRates { .. } => self.pairs(growth).map(|pairs| {
                let exact = few_flips(pairs.base_only + pairs.tuned_only);
                if exact { exact_flips(&pairs, tail) } else { newcombe(&pairs, tail) }
            }),
            Self::Mean { mean, standard_error, degrees, bounds, .. } => {
                let standard_error = standard_error / growth.sqrt();
                let degrees = ((*degrees as f64 * growth) as usize).max(1);
                let (low, high) = Moments { mean: *mean, standard_error, degrees }.interval(tail);
                let (least, most) = bounds.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
                Some((low.max(least), high.min(most)))
            }
            Self::Sparse { n, mean, bounds, below, above, pivots } => {
                let [n, below, above] = [n, below, above].map(|count| *count as f64 * growth);
                Some(bounded(&Bounded { n, mean: *mean, bounds: *bounds, pivots: *pivots, below, above }, tail))
            }
            Self::TooFew { .. } => None,
        }
    }

    fn pairs(&self, growth: f64) -> Option<Pairs> {
        let Self::PairedRates { both, base_only, tuned_only, neither } = self else { return None };
        let [both, base_only, tuned_only, neither] =
            [both, base_only, tuned_only, neither].map(|count| *count as f64 * growth);
        Some(Pairs { both, base_only, tuned_only, neither })
    }

    fn named(&self, ends: Option<(f64, f64)>, level: f64, method: &str) -> Interval {
        match ends {
            Some((low, high)) => Interval::Known { low, high, level, method: method.into() },
            None => Interval::TooFew { n: self.n() },
        }
    }

    /// Name of the strict interval.
    fn method(&self) -> &'static str {
        match self {
            Self::Rate { .. } => "Clopper–Pearson",
            Self::PairedRates { base_only, tuned_only, .. } => {
                if few_flips((base_only + tuned_only) as f64) {
                    "exact flips (paired)"
                } else {
                    "Newcombe (paired)"
                }
            }
            Self::Mean { clusters: Some(_), .. } => "cluster-robust t",
            Self::Mean { .. } => "Student's t",
            Self::Sparse { .. } => "distribution-free bounds",
            Self::TooFew { .. } => "none",
        }
    }
}

fn few_flips(flips: f64) -> bool {
    flips < FEW_FLIPS as f64
}

fn all_agree(values: &[f64]) -> bool {
    values.iter().all(|value| *value == values[0])
}

/// Whether fewer than ten values (fewer than half, of a handful) differ from the most common one.
fn nearly_all_agree(values: &[f64]) -> bool {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let most_common = sorted.chunk_by(|a, b| a == b).map(<[f64]>::len).max().unwrap_or(0);
    values.len() - most_common < values.len().div_ceil(2).min(10)
}
