//! Looking more than once: the level of each look, so that all looks together keep α.
//!
//! α is spent as O'Brien and Fleming's bounds spend it, by the spending function 2 − 2 Φ(z_{α/2} / √t) of K. Lan and
//! D. DeMets (Biometrika 70 (1983) 659) at t = k / K of look k of K. The schedule of spending is fixed by the number of
//! looks; how strongly looks are correlated follows from the samples that each of them really had. The levels come from
//! the recursion of P. Armitage, C. McPherson and B. Rowe (JRSS A 132 (1969) 235) over the distribution of the score.

use super::distribution::{normal_cdf, normal_quantile};

/// Least and most points of the grid over which a look's score is integrated. Where a later look brings few new samples,
/// the grid has to be finer than what they can change.
const POINTS: (usize, usize) = (401, 8001);

/// Scores further out than this many standard deviations are left out: their probability is below 1e-15.
const REACH: f64 = 8.0;

/// The one-sided level at which the last of the looks with these numbers of `samples` is held, of `planned` looks that
/// share `alpha`. The looks came in this order, each with more samples than the one before.
pub fn level(alpha: f64, planned: usize, samples: &[f64]) -> f64 {
    if planned <= 1 {
        return alpha;
    }
    let mut before: Option<Look> = None;
    let mut level = 0.0;
    for (index, information) in samples.iter().enumerate() {
        let spent = |looks: usize| spending(alpha, looks as f64 / planned as f64);
        let target = spent((index + 1).min(planned)) - spent(index.min(planned));
        let bound = bound(before.as_ref(), *information, target);
        // Whatever the integration makes of looks that hardly differ: all of alpha is the most that one can have.
        level = normal_cdf(-bound / information.sqrt()).min(alpha);
        let next = samples.get(index + 1).map_or(*information, |next| next - information);
        before = Some(Look::after(before.as_ref(), *information, bound, next));
    }
    level
}

/// What is spent of `alpha` when the share `time` of the looks is over.
fn spending(alpha: f64, time: f64) -> f64 {
    if time <= 0.0 { 0.0 } else { 2.0 * normal_cdf(normal_quantile(alpha / 2.0) / time.sqrt()) }
}

/// The density of the score where no look has rejected yet, on an even grid up to the bound.
struct Look {
    information: f64,
    scores: Vec<f64>,
    /// Density times the weight of Simpson's rule.
    weighted: Vec<f64>,
}

impl Look {
    /// `next` is the information that the look after it brings.
    fn after(before: Option<&Self>, information: f64, bound: f64, next: f64) -> Self {
        let least = -REACH * information.sqrt();
        // Four points for each standard deviation of what comes next; an odd number, for Simpson's rule.
        let wanted = (4.0 * (bound - least) / next.sqrt()).clamp(POINTS.0 as f64, POINTS.1 as f64) as usize;
        let points = wanted | 1;
        let step = (bound - least) / (points - 1) as f64;
        let scores: Vec<f64> = (0..points).map(|index| least + step * index as f64).collect();
        let weight = |index: usize| match index {
            0 => step / 3.0,
            index if index == points - 1 => step / 3.0,
            index if index % 2 == 1 => 4.0 * step / 3.0,
            _ => 2.0 * step / 3.0,
        };
        let weighted = scores
            .iter()
            .enumerate()
            .map(|(index, score)| weight(index) * density(before, information, *score))
            .collect();
        Self { information, scores, weighted }
    }
}

/// The score's density at a look with `information`.
fn density(before: Option<&Look>, information: f64, score: f64) -> f64 {
    let normal = |distance: f64, variance: f64| {
        libm::exp(-0.5 * distance * distance / variance) / (2.0 * std::f64::consts::PI * variance).sqrt()
    };
    match before {
        None => normal(score, information),
        Some(look) => {
            let variance = information - look.information;
            look.scores.iter().zip(&look.weighted).map(|(from, weight)| weight * normal(score - from, variance)).sum()
        }
    }
}

/// The probability of a score above `bound` without an earlier rejection.
fn exceeds(before: Option<&Look>, information: f64, bound: f64) -> f64 {
    match before {
        None => normal_cdf(-bound / information.sqrt()),
        Some(look) => {
            let deviation = (information - look.information).sqrt();
            let tail = |from: &f64| normal_cdf((from - bound) / deviation);
            look.scores.iter().zip(&look.weighted).map(|(from, weight)| weight * tail(from)).sum()
        }
    }
}

/// The bound that the score exceeds with probability `target`.
fn bound(before: Option<&Look>, information: f64, target: f64) -> f64 {
    let reach = 2.0 * REACH * information.sqrt();
    let (mut low, mut high) = (-reach, reach);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if exceeds(before, information, middle) > target { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(level: f64) -> f64 {
        -normal_quantile(level)
    }

    #[test]
    fn one_look_keeps_all_of_alpha() {
        assert_eq!(level(0.05, 1, &[200.0]), 0.05);
    }

    /// Bounds of five evenly spaced looks at one-sided 0.025, as `ldbounds` and East print them for this spending
    /// function: 4.8769, 3.3569, 2.6803, 2.2898, 2.0310.
    #[test]
    fn five_looks_have_the_published_bounds() {
        let samples = [100.0, 200.0, 300.0, 400.0, 500.0];
        let bounds: Vec<f64> = (1..=5).map(|looks| score(level(0.025, 5, &samples[..looks]))).collect();
        for (bound, expected) in bounds.iter().zip([4.8769, 3.3569, 2.6803, 2.2898, 2.0310]) {
            assert!((bound - expected).abs() < 1e-3, "{bounds:?}");
        }
    }

    #[test]
    fn a_late_look_with_few_new_samples_costs_less() {
        let even = level(0.05, 2, &[100.0, 200.0]);
        let close = level(0.05, 2, &[190.0, 200.0]);
        assert!(close > even, "{close} {even}: looks that hardly differ are nearly one");
        assert!(close < 0.05 && even < 0.05);
    }

    /// 0.0500 by a grid four times finer; with one of 401 points it came out above alpha.
    #[test]
    fn looks_that_hardly_differ_never_have_more_than_alpha() {
        for samples in [[10_000.0, 10_001.0, 10_002.0], [100_000.0, 100_001.0, 100_002.0]] {
            let last = level(0.05, 3, &samples);
            assert!(last <= 0.05 && last > 0.045, "{last}");
        }
    }
}
