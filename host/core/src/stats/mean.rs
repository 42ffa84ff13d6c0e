//! The mean of real values: its standard error with and without clusters, and bounds that hold for any distribution.

use super::distribution::{t_cdf, t_quantile};
use super::proportion::clopper_pearson;

/// A mean with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Mean of all values.
    pub mean: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Degrees of freedom.
    pub degrees: usize,
}

impl Moments {
    /// Of independent values; `None` for fewer than two.
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len();
        if n < 2 {
            return None;
        }
        let mean = mean(values);
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let variance = squares / (n - 1) as f64;
        Some(Self { mean, standard_error: (variance / n as f64).sqrt(), degrees: n - 1 })
    }

    /// Of values that share sources: residuals are summed within each cluster before they are squared, with the factor
    /// G / (G − 1) for few clusters and G − 1 degrees of freedom (K.-Y. Liang and S. Zeger, Biometrika 73 (1986) 13;
    /// C. Hansen, J. Econometrics 141 (2007) 597). `None` for fewer than two clusters.
    pub fn of_clusters(clusters: &[Vec<f64>]) -> Option<Self> {
        let count = clusters.len();
        if count < 2 {
            return None;
        }
        let all: Vec<f64> = clusters.concat();
        let mean = mean(&all);
        let squares: f64 = clusters.iter().map(|of| of.iter().map(|value| value - mean).sum::<f64>().powi(2)).sum();
        let factor = count as f64 / (count - 1) as f64;
        Some(Self { mean, standard_error: (factor * squares).sqrt() / all.len() as f64, degrees: count - 1 })
    }

    /// Student's interval, leaving `tail` on each side.
    pub fn interval(&self, tail: f64) -> (f64, f64) {
        let half = -t_quantile(tail, self.degrees as f64) * self.standard_error;
        (self.mean - half, self.mean + half)
    }

    /// Two-sided p value of "the mean is 0"; `None` where the values do not vary.
    pub fn p_of_zero(&self) -> Option<f64> {
        (self.standard_error > 0.0).then(|| 2.0 * t_cdf(-(self.mean / self.standard_error).abs(), self.degrees as f64))
    }
}

/// The arithmetic mean of at least one value.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Values within bounds, reduced to what [`bounded`] needs. See [`super::Evidence::Sparse`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounded {
    /// Values.
    pub n: f64,
    /// Their mean.
    pub mean: f64,
    /// Smallest and largest possible value.
    pub bounds: (f64, f64),
    /// Lower and upper pivot.
    pub pivots: (f64, f64),
    /// Values below the upper pivot.
    pub below: f64,
    /// Values above the lower pivot.
    pub above: f64,
}

/// An interval of the mean that holds for every distribution within the bounds. Each end is the better of two, at half
/// the tail each: W. Hoeffding's inequality (JASA 58 (1963) 13), and the exact bound on how often a value falls short of
/// a pivot p chosen beforehand, since E\[v\] ≥ p − (p − low) · P(v < p).
pub fn bounded(values: &Bounded, tail: f64) -> (f64, f64) {
    let Bounded { n, mean, bounds: (least, most), pivots: (lower, upper), below, above } = *values;
    let half = (most - least) * ((2.0 / tail).ln() / (2.0 * n)).sqrt();
    let (_, falls_short) = clopper_pearson(below, n, tail / 2.0);
    let (_, exceeds) = clopper_pearson(above, n, tail / 2.0);
    let low = (mean - half).max(upper - (upper - least) * falls_short);
    let high = (mean + half).min(lower + (most - lower) * exceeds);
    (low.max(least), high.min(most))
}
