//! Distributions: probabilities and quantiles of the normal, t, beta and binomial distribution.

use super::special;

/// Probability that a standard normal value is at most `z`.
pub fn normal_cdf(z: f64) -> f64 {
    let tail = 0.5 * libm::erfc(z.abs() / std::f64::consts::SQRT_2);
    if z < 0.0 { tail } else { 1.0 - tail }
}

/// The value that a standard normal one stays below with probability `p`, 0 < p < 1.
pub fn normal_quantile(p: f64) -> f64 {
    if p > 0.5 { -normal_quantile(1.0 - p) } else { invert(normal_cdf, p, -40.0, 0.0) }
}

/// Probability that a t-distributed value with `degrees` degrees of freedom is at most `t`.
pub fn t_cdf(t: f64, degrees: f64) -> f64 {
    let square = t * t;
    // Two equal forms: near 0 the second would lose t, far out the first would lose the tail.
    let tail = if square < 1.0 {
        0.5 - 0.5 * special::beta(square / (degrees + square), 0.5, 0.5 * degrees)
    } else {
        0.5 * special::beta(degrees / (degrees + square), 0.5 * degrees, 0.5)
    };
    if t < 0.0 { tail } else { 1.0 - tail }
}

/// The value that a t-distributed one stays below with probability `p`, 0 < p < 1.
pub fn t_quantile(p: f64, degrees: f64) -> f64 {
    if p > 0.5 {
        return -t_quantile(1.0 - p, degrees);
    }
    let mut low = -1.0;
    while t_cdf(low, degrees) > p && low > -1e300 {
        low *= 4.0;
    }
    invert(|t| t_cdf(t, degrees), p, low, 0.0)
}

/// Probability that a binomial count of `n` trials with success probability `p` is at most `k`.
pub fn binomial_cdf(k: usize, n: usize, p: f64) -> f64 {
    if k >= n { 1.0 } else { special::beta(1.0 - p, (n - k) as f64, k as f64 + 1.0) }
}

/// Probability that a binomial count of `n` trials with success probability `p` is exactly `k`. 0 < p < 1.
pub(super) fn binomial_pmf(k: f64, n: f64, p: f64) -> f64 {
    let ways = libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
    libm::exp(ways + k * libm::log(p) + (n - k) * libm::log1p(-p))
}

/// The value that a beta(a, b)-distributed one stays below with probability `p`.
pub(super) fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    invert(|x| special::beta(x, a, b), p, 0.0, 1.0)
}

/// Where the increasing function `cdf` reaches `p`, between `low` and `high`, by bisection to the last bit.
fn invert(cdf: impl Fn(f64) -> f64, p: f64, mut low: f64, mut high: f64) -> f64 {
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if cdf(middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}
