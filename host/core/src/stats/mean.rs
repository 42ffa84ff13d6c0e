//! The mean of real values and its standard error, with and without clusters.

use super::Side;
use super::distribution::{t_cdf, t_quantile};

/// A mean with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Mean of all values.
    pub mean: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Degrees of freedom of its t distribution.
    pub degrees: f64,
    /// Skewness of the values, or of the clusters' residual sums.
    pub skewness: f64,
}

impl Moments {
    /// Of independent values; `None` for fewer than two.
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len() as f64;
        if values.len() < 2 {
            return None;
        }
        let mean = mean(values);
        let power = |exponent: i32| values.iter().map(|value| (value - mean).powi(exponent)).sum::<f64>();
        let squares = power(2);
        Some(Self {
            mean,
            standard_error: (squares / (n - 1.0) / n).sqrt(),
            degrees: n - 1.0,
            skewness: skewness(n, squares, power(3)),
        })
    }

    /// Of values that share sources, by the bias-reduced linearisation CR2 (R. Bell and D. McCaffrey, Survey
    /// Methodology 28 (2002) 169; J. Pustejovsky and E. Tipton, JBES 36 (2018) 672), which divides a cluster's squared
    /// residual sum by 1 − its share of all values. Its degrees of freedom are Satterthwaite's, the smaller of those
    /// under no and under full correlation within clusters, which are equal where all clusters are: where one cluster
    /// holds half of all values, they tend to 1. `None` for fewer than two clusters.
    pub fn of_clusters(clusters: &[Vec<f64>]) -> Option<Self> {
        if clusters.len() < 2 {
            return None;
        }
        let shares = shares(clusters);
        let n: f64 = clusters.iter().map(|cluster| cluster.len() as f64).sum();
        let mean = clusters.iter().flatten().sum::<f64>() / n;
        let sums = clusters.iter().map(|cluster| cluster.iter().map(|value| value - mean).sum::<f64>() / n);
        let variance: f64 = sums.clone().zip(&shares).map(|(sum, share)| sum * sum / (1.0 - share)).sum();
        let (squares, cubes) = sums.fold((0.0, 0.0), |(two, three), sum| (two + sum * sum, three + sum * sum * sum));
        Some(Self {
            mean,
            standard_error: variance.sqrt(),
            degrees: degrees(&shares, &shares.iter().map(|share| share / n).collect::<Vec<_>>())
                .min(degrees(&shares, &shares.iter().map(|share| share * share).collect::<Vec<_>>()))
                .max(1.0),
            skewness: skewness(clusters.len() as f64, squares, cubes),
        })
    }

    /// Student's interval, leaving `tail` on each side.
    pub fn interval(&self, tail: f64) -> (f64, f64) {
        let half = -t_quantile(tail, self.degrees) * self.standard_error;
        (self.mean - half, self.mean + half)
    }

    /// One-sided p value of "the mean is not on this side of `threshold`"; `None` where the values do not vary.
    pub fn p(&self, side: Side, threshold: f64) -> Option<f64> {
        let distance = if side == Side::Above { threshold - self.mean } else { self.mean - threshold };
        (self.standard_error > 0.0).then(|| t_cdf(distance / self.standard_error, self.degrees))
    }
}

/// The share of all values that each cluster holds.
fn shares(clusters: &[Vec<f64>]) -> Vec<f64> {
    let n: f64 = clusters.iter().map(|cluster| cluster.len() as f64).sum();
    clusters.iter().map(|cluster| cluster.len() as f64 / n).collect()
}

/// Satterthwaite's degrees of freedom 2 E[V]² / Var[V] of the CR2 variance V = Σ (v_g' ε)², where `spread` holds the
/// variance of each cluster's sum of errors, as a share of n: V's terms have the covariances
/// k_g k_h (δ_gh s_g − w_h s_g − w_g s_h + w_g w_h S) with k_g² = 1 / (1 − w_g), w the shares, s the spread, S its sum.
fn degrees(shares: &[f64], spread: &[f64]) -> f64 {
    let total: f64 = spread.iter().sum();
    // Σ_gh k_g² k_h² (w_h s_g + w_g s_h − w_g w_h S)² from sums over single clusters, then the diagonal put right.
    let sum = |term: &dyn Fn(f64, f64) -> f64| -> f64 {
        shares.iter().zip(spread).map(|(w, s)| term(*w, *s) / (1.0 - w)).sum()
    };
    let (ww, ws, ss) = (sum(&|w, _| w * w), sum(&|w, s| w * s), sum(&|_, s| s * s));
    let everywhere = 2.0 * ss * ww + 2.0 * ws * ws - 4.0 * total * ws * ww + total * total * ww * ww;
    let (mut trace, mut squares) = (0.0, everywhere);
    for (w, s) in shares.iter().zip(spread) {
        let k = 1.0 / (1.0 - w);
        let crossed = 2.0 * w * s - w * w * total;
        let diagonal = k * (s - crossed);
        trace += diagonal;
        squares += diagonal * diagonal - (k * crossed) * (k * crossed);
    }
    trace * trace / squares
}

fn skewness(n: f64, squares: f64, cubes: f64) -> f64 {
    if squares > 0.0 { cubes / n / (squares / n).powi(3).sqrt() } else { 0.0 }
}

/// The arithmetic mean of at least one value.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
