//! The difference of two paired rates: an exact unconditional test, and the interval that inverts it.
//!
//! Of n pairs, c are flips for the better (only tuned is right) and b for the worse (only base is). The test of "the
//! difference is at most Δ" orders all outcomes (b, c) by T. Tango's score statistic (Stat. Med. 17 (1998) 891) and takes
//! the probability of those at least as extreme, in the worst case over the nuisance parameter q, the true rate of flips
//! for the worse (S. Suissa and J. Shuster, Biometrics 47 (1991) 361; H. Hsueh, J. Liu and J. Chen, Biometrics 57 (2001)
//! 478, who show that the worst case lies on the boundary Δ). So it never rejects too often, whatever n, and since the
//! score falls with b and rises with c, one more flip for the worse never helps.
//!
//! Outcomes are grouped by the number of flips m = b + c. The rejected ones of each m are those with c ≥ c*(m), and from m
//! to m + 1 the critical value c* stays or rises by one, so both c* and the probability
//! Σₘ P(m flips) · P(c ≥ c*(m) | m) cost a few operations for each m.

use super::distribution::{binomial_pmf, normal_cdf, normal_quantile};
use super::special::beta;

/// Outcomes with more flips than this, in the mean, are left to the normal approximation: the score is then normal to
/// three digits.
const MOST_FLIPS: f64 = 5000.0;

/// Spacing of the nuisance parameter in standard deviations of the number of flips; the probability varies on that scale.
const SPACING: f64 = 0.5;

/// So many standard deviations of the number of flips are summed over; what is left out is below 1e-11.
const WIDTH: f64 = 7.0;

/// Into so many steps the width of one pair is divided, to find the largest p value nearby: of up to 1,000 pairs, and of
/// more, where that width is below what is printed.
const STEPS: (u32, u32) = (8, 2);

/// Scores closer than this are one and the same, computed in floating point.
const TIE: f64 = 1e-9;

/// Pairs of binary values, counted by how they flip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flips {
    /// Pairs.
    pub n: usize,
    /// Pairs in which only base is 1.
    pub worse: usize,
    /// Pairs in which only tuned is 1.
    pub better: usize,
}

impl Flips {
    /// Rate of tuned − rate of base.
    pub fn difference(&self) -> f64 {
        (self.better as f64 - self.worse as f64) / self.n as f64
    }

    /// The same with base and tuned exchanged.
    fn mirrored(&self) -> Self {
        Self { n: self.n, worse: self.better, better: self.worse }
    }

    /// Tango's score of "the difference is `delta`": positive where more flips are for the better.
    pub fn score(&self, delta: f64) -> f64 {
        score(self.n as f64, self.worse as f64, self.better as f64, delta)
    }

    /// One-sided p value of "the true difference is at most `delta`": the largest of the tests at `delta` and just below
    /// it, because the test at one point is not quite monotone in that point. At least one pair.
    pub fn p_above(&self, delta: f64) -> f64 {
        let step = self.step();
        (0..=self.steps()).map(|index| self.p_above_at(delta - step * f64::from(index))).fold(0.0, f64::max)
    }

    /// How many steps are looked at: the width of one pair, and of several where pairs are few.
    pub(super) fn steps(&self) -> u32 {
        self.steps_of_a_pair() * (120 / self.n.max(1)).clamp(1, 30) as u32
    }

    fn steps_of_a_pair(&self) -> u32 {
        if self.n <= 1000 { STEPS.0 } else { STEPS.1 }
    }

    /// How far apart p values are looked at: outcomes change places when the difference moves by about one pair.
    pub(super) fn step(&self) -> f64 {
        1.0 / (f64::from(self.steps_of_a_pair()) * self.n as f64)
    }

    /// One-sided p value of "the true difference is `delta`", against a larger one. At least one pair.
    pub fn p_above_at(&self, delta: f64) -> f64 {
        if delta <= -1.0 {
            return if self.worse == self.n { 1.0 } else { 0.0 };
        }
        if delta >= 1.0 {
            return 1.0;
        }
        let test = Test::new(self, delta);
        let limit = test.score;
        let normal = if self.n as f64 > MOST_FLIPS { normal_cdf(-limit) } else { 0.0 };
        test.worst_case().max(normal).min(1.0)
    }

    /// One-sided p value of "the true difference is at least `delta`". At least one pair.
    pub fn p_below(&self, delta: f64) -> f64 {
        self.mirrored().p_above(-delta)
    }

    /// One-sided p value of "the true difference is `delta`", against a smaller one. At least one pair.
    pub fn p_below_at(&self, delta: f64) -> f64 {
        self.mirrored().p_above_at(-delta)
    }

    /// Where Tango's score leaves `tail` on each side: close to the exact ends, and a start for their search.
    pub fn score_interval(&self, tail: f64) -> (f64, f64) {
        let z = -normal_quantile(tail);
        let end = |z: f64, mut low: f64, mut high: f64| {
            for _ in 0..50 {
                let middle = 0.5 * (low + high);
                if self.score(middle) > z { low = middle } else { high = middle }
            }
            0.5 * (low + high)
        };
        (end(z, -1.0, self.difference()), end(-z, self.difference(), 1.0))
    }
}

/// (c − b − nΔ) over its standard deviation under the difference Δ, with the nuisance parameter at its maximum-likelihood
/// estimate.
fn score(n: f64, worse: f64, better: f64, delta: f64) -> f64 {
    let distance = better - worse - n * delta;
    let linear = delta * (2.0 * n - better + worse) - (better + worse);
    let constant = -worse * delta * (1.0 - delta);
    let root = (linear * linear - 8.0 * n * constant).max(0.0).sqrt();
    let nuisance = ((root - linear) / (4.0 * n)).clamp((-delta).max(0.0), 0.5 * (1.0 - delta));
    let variance = n * (2.0 * nuisance + delta * (1.0 - delta));
    if distance.abs() <= TIE { 0.0 } else { distance / variance.max(1e-300).sqrt() }
}

/// A test at one Δ.
struct Test {
    n: f64,
    delta: f64,
    /// The observed score.
    score: f64,
    /// c*(m) for every number of flips m that can matter; m + 1 where no outcome is extreme.
    critical: Vec<u32>,
}

impl Test {
    fn new(flips: &Flips, delta: f64) -> Self {
        let n = flips.n as f64;
        let score = flips.score(delta);
        let most = (MOST_FLIPS + WIDTH * MOST_FLIPS.sqrt()).min(n) as usize;
        let extreme = |m: usize, better: usize| {
            better <= m
                && ((m, better) == (flips.worse + flips.better, flips.better)
                    || self::score(n, (m - better) as f64, better as f64, delta) >= score - TIE * (1.0 + score.abs()))
        };
        let mut critical = Vec::with_capacity(most + 1);
        let mut least = 0;
        for m in 0..=most {
            if !extreme(m, least) {
                least += 1;
            }
            critical.push(u32::try_from(least).unwrap_or(u32::MAX));
        }
        Self { n, delta, score, critical }
    }

    /// The largest probability of an outcome at least as extreme as the observed one, over all nuisance parameters.
    fn worst_case(&self) -> f64 {
        // In terms of the rate of all flips ψ = 2q + Δ, evenly spaced in arcsin √ψ.
        let (least, most) = (self.delta.abs(), (MOST_FLIPS / self.n).min(1.0));
        if least > most {
            return 0.0;
        }
        let (from, to) = (libm::asin(least.sqrt()), libm::asin(most.sqrt()));
        let steps = ((to - from) * 2.0 * self.n.sqrt() / SPACING).ceil().max(16.0);
        let step = (to - from) / steps;
        let at = |position: f64| {
            let sine = libm::sin(position.clamp(from, to));
            self.extreme_probability((sine * sine).clamp(least, most))
        };
        let grid = (0..=steps as usize).map(|index| from + step * index as f64);
        let (best, largest) = grid
            .map(|position| (position, at(position)))
            .fold((from, 0.0), |best, next| if next.1 > best.1 { next } else { best });
        climb(at, best, step, largest)
    }

    /// Probability of an outcome at least as extreme, where all flips together have the rate `flips`.
    fn extreme_probability(&self, flips: f64) -> f64 {
        let better = (0.5 * (flips + self.delta) / flips.max(1e-300)).clamp(0.0, 1.0);
        let share = if flips <= 0.0 { 0.5 } else { better };
        let last = self.critical.len() - 1;
        if flips >= 1.0 {
            return self.tail(self.n as usize, share);
        }
        let (mean, deviation) = (self.n * flips, (self.n * flips * (1.0 - flips)).sqrt());
        let first = (mean - WIDTH * deviation - 20.0).max(0.0) as usize;
        let last = ((mean + WIDTH * deviation + 20.0) as usize).min(last);
        let odds = flips / (1.0 - flips);
        let mut weight = if flips <= 0.0 { f64::from(first == 0) } else { binomial_pmf(first as f64, self.n, flips) };
        let mut tail = Tail::new(self, first, share);
        let mut sum = 0.0;
        for m in first..=last {
            sum += weight * tail.probability.clamp(0.0, 1.0);
            weight *= odds * (self.n - m as f64) / (m + 1) as f64;
            if m < last {
                tail.step(self, m);
            }
        }
        sum
    }

    /// P(c ≥ c*(m)) of `m` flips, each for the better with probability `share`.
    fn tail(&self, m: usize, share: f64) -> f64 {
        let critical = self.critical[m] as usize;
        match critical {
            0 => 1.0,
            critical if critical > m => 0.0,
            critical => beta(share, critical as f64, (m - critical) as f64 + 1.0),
        }
    }
}

/// P(c ≥ c*(m)) as m grows, by recursion.
struct Tail {
    share: f64,
    probability: f64,
    /// P(c = c*(m) | m); 0 where c* > m.
    mass: f64,
}

impl Tail {
    fn new(test: &Test, m: usize, share: f64) -> Self {
        Self { share, probability: test.tail(m, share), mass: mass(test.critical[m] as usize, m, share) }
    }

    /// From m to m + 1.
    fn step(&mut self, test: &Test, m: usize) {
        let (now, next) = (test.critical[m] as usize, test.critical[m + 1] as usize);
        let (m, critical, share) = (m as f64, now as f64, self.share);
        if next == now {
            // P(c ≥ k | m + 1) = P(c ≥ k | m) + share · P(c = k − 1 | m).
            if now > 0 {
                let below = if self.mass > 1e-250 && share > 0.0 && share < 1.0 && critical <= m {
                    self.mass * critical * (1.0 - share) / ((m - critical + 1.0) * share)
                } else {
                    mass(now - 1, m as usize, share)
                };
                self.probability += share * below;
                self.mass = share * below + (1.0 - share) * self.mass;
            } else {
                self.mass = mass(0, m as usize + 1, share);
            }
        } else {
            // P(c ≥ k + 1 | m + 1) = P(c ≥ k | m) − (1 − share) · P(c = k | m).
            self.probability -= (1.0 - share) * self.mass;
            self.mass = if self.mass > 1e-250 && critical <= m {
                self.mass * (m + 1.0) * share / (critical + 1.0)
            } else {
                mass(next, m as usize + 1, share)
            };
        }
    }
}

/// The largest value within a step of `position`, where it is `largest`, by halving the step.
fn climb(at: impl Fn(f64) -> f64, mut position: f64, mut step: f64, mut largest: f64) -> f64 {
    for _ in 0..6 {
        step *= 0.5;
        for next in [position - step, position + step] {
            let value = at(next);
            if value > largest {
                (position, largest) = (next, value);
            }
        }
    }
    largest
}

/// P(c = `better` | `m` flips).
fn mass(better: usize, m: usize, share: f64) -> f64 {
    if better > m {
        0.0
    } else if share <= 0.0 {
        f64::from(better == 0)
    } else if share >= 1.0 {
        f64::from(better == m)
    } else {
        binomial_pmf(better as f64, m as f64, share)
    }
}
