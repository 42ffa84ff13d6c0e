//! McNemar's exact test of paired binary values (Q. McNemar, Psychometrika 12 (1947) 153): given the pairs that differ,
//! each direction is as likely as the other.

use super::distribution::binomial_cdf;

/// Two-sided p value of "as many flips for the worse as for the better". 1 without any flip.
pub fn two_sided(worse: usize, better: usize) -> f64 {
    (2.0 * binomial_cdf(worse.min(better), worse + better, 0.5)).min(1.0)
}

/// One-sided p value of "not better": small where flips for the better prevail.
pub fn better(worse: usize, better: usize) -> f64 {
    binomial_cdf(worse, worse + better, 0.5)
}
