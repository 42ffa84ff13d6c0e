//! Intervals and exact p values of a proportion. `tail` is the probability left out on each side: 0.025 for a two-sided
//! 95 %. Counts may be fractions, so that a planned sample size can be tried out.

use super::distribution::{beta_quantile, normal_quantile};
use super::special::beta;

/// Wilson's score interval of a proportion (E. B. Wilson, JASA 22 (1927) 209). `n` > 0.
pub fn wilson(ones: f64, n: f64, tail: f64) -> (f64, f64) {
    let z = -normal_quantile(tail);
    let rate = ones / n;
    let centre = (rate + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (rate * (1.0 - rate) / n + z * z / (4.0 * n * n)).sqrt();
    let low = if ones <= 0.0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if ones >= n { 1.0 } else { (centre + half).min(1.0) };
    (low, high)
}

/// Clopper and Pearson's exact interval of a proportion (Biometrika 26 (1934) 404): neither end is missed with more than
/// `tail` probability, whatever the true rate. `n` > 0.
pub fn clopper_pearson(ones: f64, n: f64, tail: f64) -> (f64, f64) {
    let low = if ones <= 0.0 { 0.0 } else { beta_quantile(tail, ones, n - ones + 1.0) };
    // By symmetry, so that a tiny tail does not drown in 1 − tail.
    let high = if ones >= n { 1.0 } else { 1.0 - beta_quantile(tail, n - ones, ones + 1.0) };
    (low, high)
}

/// Exact one-sided p value of "the true rate is at most `rate`": the probability of `ones` or more of `n`. Agrees with
/// [`clopper_pearson`]. `n` > 0.
pub fn p_above(ones: f64, n: f64, rate: f64) -> f64 {
    if rate < 0.0 {
        0.0
    } else if ones <= 0.0 {
        1.0
    } else {
        beta(rate, ones, n - ones + 1.0)
    }
}

/// Exact one-sided p value of "the true rate is at least `rate`": the probability of `ones` or fewer of `n`.
pub fn p_below(ones: f64, n: f64, rate: f64) -> f64 {
    p_above(n - ones, n, 1.0 - rate)
}
