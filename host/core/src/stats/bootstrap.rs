//! The bias-corrected and accelerated bootstrap of a mean (B. Efron, JASA 82 (1987) 171).

use super::Interval;
use super::distribution::{normal_cdf, normal_quantile};
use super::mean::mean;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The BCa interval of the mean of `values`, resampled `resamples` times. For paired data, `values` are the differences.
/// Too few: fewer than two values, values that are all the same, or no resamples.
pub fn bca(values: &[f64], level: f64, resamples: usize, seed: u64) -> Interval {
    let n = values.len();
    let centre = if n > 0 { mean(values) } else { 0.0 };
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    if n < 2 || resamples == 0 || values.iter().all(|value| *value == values[0]) || squares == 0.0 {
        return Interval::TooFew { n };
    }
    let means = resampled_means(values, resamples, seed);
    let bias = normal_quantile(share_below(&means, centre));
    let cubes: f64 = values.iter().map(|value| (value - centre).powi(3)).sum();
    let acceleration = cubes / (6.0 * (squares * squares.sqrt()));
    let end = |z: f64| {
        let shifted = bias + z;
        quantile(&means, normal_cdf(bias + shifted / (1.0 - acceleration * shifted)))
    };
    let z = normal_quantile((1.0 + level) / 2.0);
    Interval::Known { low: end(-z), high: end(z), level, method: "paired bootstrap (BCa)".into() }
}

/// Sorted means of resamples, drawn with replacement.
fn resampled_means(values: &[f64], resamples: usize, seed: u64) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let n = values.len();
    let mut draw = || (0..n).map(|_| values[random.random_range(0..n)]).sum::<f64>() / n as f64;
    let mut means: Vec<f64> = (0..resamples).map(|_| draw()).collect();
    means.sort_by(f64::total_cmp);
    means
}

/// Share of the means below the centre, ties counted half, kept away from 0 and 1 by half a resample.
fn share_below(sorted: &[f64], centre: f64) -> f64 {
    let below = sorted.partition_point(|mean| *mean < centre);
    let not_above = sorted.partition_point(|mean| *mean <= centre);
    let count = sorted.len() as f64;
    (0.5 * (below + not_above) as f64 / count).clamp(0.5 / count, 1.0 - 0.5 / count)
}

/// Quantile of sorted values, interpolated linearly.
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let position = p.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let (low, high) = (position.floor() as usize, position.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * (position - low as f64)
}
