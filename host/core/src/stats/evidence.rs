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
        let shared =
            clusters.map(|clusters| Clusters { count: clusters.len(), effective: effective_clusters(clusters) });
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
        let p = match (self, side) {
            (Self::Rate { n, ones }, Side::Above) => {
                proportion::p_above(*ones as f64 * growth, *n as f64 * growth, threshold)
            }
            (Self::Rate { n, ones }, Side::Below) => {
                proportion::p_below(*ones as f64 * growth, *n as f64 * growth, threshold)
            }
            (Self::PairedRates { .. }, Side::Above) if growth == 1.0 => self.flips(growth)?.p_above(threshold),
            (Self::PairedRates { .. }, Side::Below) if growth == 1.0 => self.flips(growth)?.p_below(threshold),
            // A plan needs no more than the test at the threshold itself.
            (Self::PairedRates { .. }, Side::Above) => self.flips(growth)?.p_above_at(threshold),
            (Self::PairedRates { .. }, Side::Below) => self.flips(growth)?.p_below_at(threshold),
            (Self::Bounded { bounds, atoms, .. }, Side::Above) => atoms.p_above(threshold, bounds.0, growth),
            (Self::Bounded { bounds, atoms, .. }, Side::Below) => atoms.p_below(threshold, bounds.1, growth),
            (Self::Unbounded { .. }, _) => self.student(growth)?.p(side, threshold)?,
            (Self::TooFew { .. }, _) => return None,
        };
        let estimate = self.estimate()?;
        let opposite = if side == Side::Above { threshold > estimate } else { threshold < estimate };
        Some(if opposite { p.max(0.5) } else { p })
    }

    /// What Student's t knows of a mean without bounds.
    fn student(&self, growth: f64) -> Option<Moments> {
        let Self::Unbounded { mean, standard_error, degrees, skewness, .. } = *self else { return None };
        Some(Moments { mean, standard_error: standard_error / growth.sqrt(), degrees: degrees * growth, skewness })
    }

    fn flips(&self, growth: f64) -> Option<Flips> {
        let Self::PairedRates { base_only, tuned_only, .. } = self else { return None };
        let grown = |count: usize| (count as f64 * growth).round() as usize;
        let (worse, better) = (grown(*base_only), grown(*tuned_only));
        Some(Flips { n: grown(self.n()).max(worse + better), worse, better })
    }

    /// Smallest and largest possible value.
    pub(super) fn limits(&self) -> (f64, f64) {
        match self {
            Self::Rate { .. } => (0.0, 1.0),
            Self::PairedRates { .. } => (-1.0, 1.0),
            Self::Bounded { bounds, .. } => *bounds,
            Self::Unbounded { .. } | Self::TooFew { .. } => (f64::NEG_INFINITY, f64::INFINITY),
        }
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
        let between = |outer: (f64, f64), guess: (f64, f64)| {
            let end =
                |side, outer, guess| crossing(|at| self.p(side, at).unwrap_or(1.0), tail, (outer, estimate), guess);
            (end(Side::Above, outer.0, guess.0), end(Side::Below, outer.1, guess.1))
        };
        match self {
            Self::Rate { n, ones } => Some(clopper_pearson(*ones as f64, *n as f64, tail)),
            Self::PairedRates { .. } => Some(paired_ends(&self.flips(1.0)?, tail)),
            Self::Bounded { bounds, .. } => {
                Some(between(*bounds, (0.5 * (bounds.0 + estimate), 0.5 * (bounds.1 + estimate))))
            }
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
            Self::Bounded { clusters: Some(_), .. } => "Gaffke, by cluster",
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

/// The ends of the exact interval: no p value shortly beyond them exceeds `tail`.
fn paired_ends(flips: &Flips, tail: f64) -> (f64, f64) {
    let (guess, estimate) = (flips.score_interval(tail), flips.difference());
    let below = |at: f64| if at > estimate { 1.0 } else { flips.p_above_at(at) };
    let above = |at: f64| if at < estimate { 1.0 } else { flips.p_below_at(at) };
    let low = crossing(below, tail, (-1.0, estimate), guess.0);
    let high = crossing(above, tail, (1.0, estimate), guess.1);
    let steps = flips.steps();
    (outermost(below, tail, low, -flips.step(), steps), outermost(above, tail, high, flips.step(), steps))
}

/// The furthest point within so many steps at which `p` still passes `tail`.
fn outermost(p: impl Fn(f64) -> f64, tail: f64, at: f64, step: f64, steps: u32) -> f64 {
    let Some(index) = (1..=steps).rev().find(|index| p(at + step * f64::from(*index)) > tail) else { return at };
    let (mut inner, mut outer) = (at + step * f64::from(index), at + step * f64::from(index + 1));
    for _ in 0..12 {
        let middle = 0.5 * (inner + outer);
        if p(middle) > tail { inner = middle } else { outer = middle }
    }
    outer.clamp(-1.0, 1.0)
}

/// Where `p`, which rises from 0 at `ends.0` to one half or more at `ends.1`, passes `tail`: the last point tried before
/// it. `guess` is a point close by.
fn crossing(p: impl Fn(f64) -> f64, tail: f64, ends: (f64, f64), guess: f64) -> f64 {
    let target = normal_quantile(tail);
    // Normal quantiles of p are almost a straight line.
    let score = |at: f64| normal_quantile(p(at).clamp(1e-300, 1.0 - 1e-16)) - target;
    let mut bracket = Bracket { outer: ends.0, inner: ends.1, at_outer: f64::NEG_INFINITY, at_inner: f64::INFINITY };
    let precision = 1e-8 * (ends.1 - ends.0).abs();
    let mut reach = 0.02 * (ends.1 - guess).abs();
    let mut next = guess;
    for step in 0..100 {
        if (bracket.inner - bracket.outer).abs() <= precision {
            break;
        }
        bracket.narrow(next, score(next));
        next = if let Some(secant) = bracket.secant().filter(|_| step % 4 != 3) {
            secant
        } else if let Some(further) = bracket.further(next, reach) {
            reach *= 3.0;
            further
        } else {
            0.5 * (bracket.outer + bracket.inner)
        };
    }
    bracket.outer
}

/// Two points with a crossing between them: the score is at most 0 at `outer` and above 0 at `inner`.
struct Bracket {
    outer: f64,
    inner: f64,
    at_outer: f64,
    at_inner: f64,
}

impl Bracket {
    /// Takes `at` for the end on its side. The other end's score is halved, so that secants reach over the crossing from
    /// both sides (the Illinois algorithm, M. Dowell and P. Jarratt, BIT 11 (1971) 168).
    fn narrow(&mut self, at: f64, score: f64) {
        if score <= 0.0 {
            (self.outer, self.at_outer) = (at, score);
            self.at_inner *= 0.5;
        } else {
            (self.inner, self.at_inner) = (at, score);
            self.at_outer *= 0.5;
        }
    }

    fn holds(&self, at: f64) -> bool {
        (at - self.outer) * (at - self.inner) < 0.0
    }

    /// Where the line through both ends crosses; `None` before both are known.
    fn secant(&self) -> Option<f64> {
        let at = self.outer - self.at_outer * (self.inner - self.outer) / (self.at_inner - self.at_outer);
        (at.is_finite() && self.holds(at)).then_some(at)
    }

    /// A step from the only known end towards the other.
    fn further(&self, from: f64, reach: f64) -> Option<f64> {
        let known_outer = self.at_outer.is_finite();
        let towards = if known_outer { self.inner - self.outer } else { self.outer - self.inner };
        let at = from + reach.copysign(towards);
        (known_outer != self.at_inner.is_finite() && self.holds(at)).then_some(at)
    }
}
