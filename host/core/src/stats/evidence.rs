//! Sufficient statistics: what has to be kept of the samples to test any threshold at any level, so that a gate can be
//! decided again from a stored comparison. `STATISTICS.md` says how each kind was tried.
//!
//! Every kind has one test. Its one-sided p values decide, and its interval is where they reach the tail, so that a
//! verdict, a p value and an interval cannot disagree.

use super::bounded::{Atoms, effective_clusters};
use super::distribution::normal_quantile;
use super::mean::{Moments, mean};
use super::paired::Flips;
use super::proportion::{self, clopper_pearson, wilson};
use super::{Interval, Side};
use serde::{Deserialize, Serialize};

/// Means without bounds rest on the central limit theorem: with fewer values (or clusters) than this they decide nothing.
const FEW: f64 = 50.0;

/// Largest |skewness| / √n at which they do: Student's t is then off by about a point (P. Hall, JRSS B 54 (1992) 221).
const SKEWED: f64 = 0.09;

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
    /// Values with a smallest and a largest possible one.
    Bounded {
        /// Samples.
        n: usize,
        /// Mean of the samples.
        mean: f64,
        /// Smallest and largest possible value.
        bounds: (f64, f64),
        /// The values, or the clusters' means.
        atoms: Atoms,
        /// Where samples share a source.
        clusters: Option<Clusters>,
    },
    /// Values without bounds.
    Unbounded {
        /// Samples.
        n: usize,
        /// Mean of the samples.
        mean: f64,
        /// Standard error of the mean.
        standard_error: f64,
        /// Degrees of freedom of its t distribution.
        degrees: f64,
        /// Skewness of the values, or of the clusters' residual sums.
        skewness: f64,
        /// Where samples share a source.
        clusters: Option<Clusters>,
    },
    /// Nothing can be said.
    TooFew {
        /// How many samples there were.
        n: usize,
    },
}

/// Sources that samples share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Clusters {
    /// How many there are.
    pub count: usize,
    /// How many of equal size would say as much: N² / Σ n_g².
    pub effective: f64,
    /// Standard error of the mean (CR2).
    pub standard_error: f64,
    /// Its degrees of freedom.
    pub degrees: f64,
}

impl Clusters {
    fn of(clusters: &[Vec<f64>], moments: &Moments) -> Self {
        Self {
            count: clusters.len(),
            effective: effective_clusters(clusters),
            standard_error: moments.standard_error,
            degrees: moments.degrees,
        }
    }
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
        Self::of_mean(values, clusters, bounds)
    }

    /// Of the mean of differences between levels within `bounds`.
    pub fn of_differences(values: &[f64], clusters: Option<&[Vec<f64>]>, bounds: Option<(f64, f64)>) -> Self {
        Self::of_mean(values, clusters, bounds.map(|(low, high)| (low - high, high - low)))
    }

    fn of_mean(values: &[f64], clusters: Option<&[Vec<f64>]>, bounds: Option<(f64, f64)>) -> Self {
        let n = values.len();
        let Some(moments) = clusters.map_or_else(|| Moments::of(values), Moments::of_clusters) else {
            return Self::TooFew { n };
        };
        let shared = clusters.map(|clusters| Clusters::of(clusters, &moments));
        if let Some(bounds) = bounds {
            let atoms = clusters.map_or_else(|| Atoms::of(values), Atoms::of_clusters);
            return Self::Bounded { n, mean: mean(values), bounds, atoms, clusters: shared };
        }
        let Moments { mean, standard_error, degrees, skewness } = moments;
        if standard_error > 0.0 {
            Self::Unbounded { n, mean, standard_error, degrees, skewness, clusters: shared }
        } else {
            Self::TooFew { n }
        }
    }

    /// Samples or pairs behind it.
    pub fn n(&self) -> usize {
        match self {
            Self::Rate { n, .. } | Self::Bounded { n, .. } | Self::Unbounded { n, .. } | Self::TooFew { n } => *n,
            Self::PairedRates { both, base_only, tuned_only, neither } => both + base_only + tuned_only + neither,
        }
    }

    /// The sources that its samples share, if they do.
    pub fn clusters(&self) -> Option<Clusters> {
        match self {
            Self::Bounded { clusters, .. } | Self::Unbounded { clusters, .. } => *clusters,
            _ => None,
        }
    }

    /// The measured value.
    pub fn estimate(&self) -> Option<f64> {
        match self {
            Self::Rate { n, ones } => Some(*ones as f64 / *n as f64),
            Self::PairedRates { .. } => Some(self.flips(1.0)?.difference()),
            Self::Bounded { mean, .. } | Self::Unbounded { mean, .. } => Some(*mean),
            Self::TooFew { .. } => None,
        }
    }

    /// Why it must not decide anything, although it has an interval: its distribution is not known well enough.
    pub fn weakness(&self) -> Option<Weakness> {
        let Self::Unbounded { n, skewness, clusters, .. } = self else { return None };
        let units = clusters.map_or(*n as f64, |clusters| clusters.effective);
        if units < FEW {
            return Some(Weakness::Few);
        }
        (skewness.abs() > SKEWED * units.sqrt()).then_some(Weakness::Skewed)
    }

    /// One-sided p value of "the true value is not on this side of `threshold`"; `None` without an interval.
    pub fn p(&self, side: Side, threshold: f64) -> Option<f64> {
        self.grown_p(side, threshold, 1.0)
    }

    /// Two-sided p value of "the true value is `threshold`": twice the smaller of both one-sided ones.
    pub fn two_sided(&self, threshold: f64) -> Option<f64> {
        Some((2.0 * self.p(Side::Above, threshold)?.min(self.p(Side::Below, threshold)?)).min(1.0))
    }

    /// Like [`Evidence::p`], if there were `growth` times as many samples that say the same.
    pub(super) fn grown_p(&self, side: Side, threshold: f64, growth: f64) -> Option<f64> {
        let student =
            |p: f64| self.student(growth).and_then(|moments| moments.p(side, threshold)).map_or(p, |of| of.max(p));
        let p = match (self, side) {
            (Self::Rate { n, ones }, Side::Above) => {
                proportion::p_above(*ones as f64 * growth, *n as f64 * growth, threshold)
            }
            (Self::Rate { n, ones }, Side::Below) => {
                proportion::p_below(*ones as f64 * growth, *n as f64 * growth, threshold)
            }
            (Self::PairedRates { .. }, Side::Above) => self.flips(growth)?.p_above(threshold),
            (Self::PairedRates { .. }, Side::Below) => self.flips(growth)?.p_below(threshold),
            (Self::Bounded { bounds, .. }, _) if !self.can_lie(side, threshold, *bounds) => 0.0,
            (Self::Bounded { bounds, atoms, .. }, Side::Above) => student(atoms.p_above(threshold, bounds.0, growth)),
            (Self::Bounded { bounds, atoms, .. }, Side::Below) => student(atoms.p_below(threshold, bounds.1, growth)),
            (Self::Unbounded { .. }, _) => student(0.0),
            (Self::TooFew { .. }, _) => return None,
        };
        let estimate = self.estimate()?;
        let opposite = if side == Side::Above { threshold > estimate } else { threshold < estimate };
        Some(if opposite { p.max(0.5) } else { p })
    }

    /// Whether the value can lie on the other side of `threshold` at all.
    fn can_lie(&self, side: Side, threshold: f64, bounds: (f64, f64)) -> bool {
        if side == Side::Above { threshold > bounds.0 } else { threshold < bounds.1 }
    }

    /// What Student's t knows of it: the mean, its standard error and degrees of freedom. `None` for bounded values that
    /// share no source, where it is not needed.
    fn student(&self, growth: f64) -> Option<Moments> {
        let (mean, standard_error, degrees) = match self {
            Self::Bounded { mean, clusters: Some(clusters), .. } => (*mean, clusters.standard_error, clusters.degrees),
            Self::Unbounded { mean, standard_error, degrees, .. } => (*mean, *standard_error, *degrees),
            _ => return None,
        };
        Some(Moments { mean, standard_error: standard_error / growth.sqrt(), degrees: degrees * growth, skewness: 0.0 })
    }

    fn flips(&self, growth: f64) -> Option<Flips> {
        let Self::PairedRates { base_only, tuned_only, .. } = self else { return None };
        let grown = |count: usize| (count as f64 * growth).round() as usize;
        let (worse, better) = (grown(*base_only), grown(*tuned_only));
        Some(Flips { n: grown(self.n()).max(worse + better), worse, better })
    }

    /// The interval for a reader: Wilson's of a single rate, of everything else the one that decides.
    pub fn interval(&self, level: f64) -> Interval {
        let tail = (1.0 - level) / 2.0;
        match self {
            Self::Rate { n, ones } => {
                let (low, high) = wilson(*ones as f64, *n as f64, tail);
                Interval::Known { low, high, level, method: "Wilson".into() }
            }
            _ => self.deciding_interval((tail, tail), None),
        }
    }

    /// The interval whose ends are where the p values reach the `tails`, below and above. `threshold` is what it will be
    /// held against: the interval lies on one side of it exactly where the p value is at most the tail.
    pub fn deciding_interval(&self, tails: (f64, f64), threshold: Option<f64>) -> Interval {
        let Some((low, high)) = self.ends(tails.0).zip(self.ends(tails.1)).map(|(of, other)| (of.0, other.1)) else {
            return Interval::TooFew { n: self.n() };
        };
        let agrees = |side, tail| threshold.and_then(|at| Some((at, self.p(side, at)? <= tail)));
        let low = match agrees(Side::Above, tails.0) {
            Some((at, true)) => low.max(at),
            Some((at, false)) if low >= at => at.next_down(),
            _ => low,
        };
        let high = match agrees(Side::Below, tails.1) {
            Some((at, true)) => high.min(at),
            Some((at, false)) if high <= at => at.next_up(),
            _ => high,
        };
        Interval::Known { low, high, level: 1.0 - tails.0 - tails.1, method: self.method().into() }
    }

    /// Where the one-sided p values reach `tail`, below and above the estimate.
    pub(super) fn ends(&self, tail: f64) -> Option<(f64, f64)> {
        let estimate = self.estimate()?;
        let between = |outer: (f64, f64), guess: Option<(f64, f64)>| {
            let end = |side, outer: f64, guess: Option<f64>| {
                crossing(|at| self.p(side, at).unwrap_or(1.0), tail, (outer, estimate), guess)
            };
            (end(Side::Above, outer.0, guess.map(|of| of.0)), end(Side::Below, outer.1, guess.map(|of| of.1)))
        };
        match self {
            Self::Rate { n, ones } => Some(clopper_pearson(*ones as f64, *n as f64, tail)),
            Self::PairedRates { .. } => Some(between((-1.0, 1.0), Some(self.flips(1.0)?.score_interval(tail)))),
            Self::Bounded { bounds, .. } => Some(between(*bounds, None)),
            Self::Unbounded { .. } => Some(self.student(1.0)?.interval(tail)),
            Self::TooFew { .. } => None,
        }
    }

    /// Name of its test and of the interval that inverts it.
    pub fn method(&self) -> &'static str {
        match self {
            Self::Rate { .. } => "Clopper–Pearson",
            Self::PairedRates { .. } => "exact unconditional",
            Self::Bounded { clusters: None, .. } => "Gaffke",
            Self::Bounded { clusters: Some(_), .. } => "Gaffke and CR2, by cluster",
            Self::Unbounded { clusters: None, .. } => "Student's t",
            Self::Unbounded { clusters: Some(_), .. } => "CR2, by cluster",
            Self::TooFew { .. } => "none",
        }
    }
}

/// Why a mean without bounds must not decide anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// Fewer than fifty values, or effective clusters.
    Few,
    /// A few large values carry the mean.
    Skewed,
}

/// Where `p`, which rises from `ends.0` (0 there, whichever way that is) to `ends.1` (at least one half), passes `tail`;
/// the point itself, or the last one before it that was tried. `guess` is a point close by.
fn crossing(p: impl Fn(f64) -> f64, tail: f64, ends: (f64, f64), guess: Option<f64>) -> f64 {
    let score = |at: f64| normal_quantile(p(at).clamp(1e-300, 1.0 - 1e-16)) - normal_quantile(tail);
    let (mut outer, mut inner) = ends;
    if outer == inner {
        return outer;
    }
    let precision = 1e-9 * (inner - outer).abs();
    let (mut at_outer, mut at_inner) = (f64::NEG_INFINITY, f64::INFINITY);
    let mut next = guess.unwrap_or(0.5 * (outer + inner));
    for step in 0..200 {
        let value = score(next);
        let before = (inner - outer).abs();
        if value <= 0.0 {
            (outer, at_outer) = (next, value)
        } else {
            (inner, at_inner) = (next, value)
        }
        let left = (inner - outer).abs();
        if left <= precision || value == 0.0 {
            break;
        }
        let secant = outer - at_outer * (inner - outer) / (at_inner - at_outer);
        let usable = secant.is_finite() && (left < 0.5 * before || step % 3 == 0);
        // A little beyond where the line crosses, so that the bracket closes from both sides.
        let nudge = 0.02 * left.min(4.0 * precision.max((secant - next).abs())) * (outer - inner).signum();
        next = if usable { secant + if value <= 0.0 { -nudge } else { nudge } } else { 0.5 * (outer + inner) };
        if (next - outer) * (next - inner) >= 0.0 {
            next = 0.5 * (outer + inner);
        }
    }
    outer
}
