//! Intervals of proportions and of paired differences of proportions, as (low, high). `tail` is the probability left out
//! on each side: 0.025 for a two-sided 95 %. Counts may be fractions, so that a planned sample size can be tried out.

use super::distribution::{beta_quantile, normal_quantile};

/// Wilson's score interval of a proportion (E. B. Wilson, JASA 22 (1927) 209). `n` > 0.
pub fn wilson(ones: f64, n: f64, tail: f64) -> (f64, f64) {
    let z = normal_quantile(1.0 - tail);
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

/// Pairs of binary values, counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pairs {
    /// Both are 1.
    pub both: f64,
    /// Only the base model's is 1.
    pub base_only: f64,
    /// Only the tuned model's is 1.
    pub tuned_only: f64,
    /// Both are 0.
    pub neither: f64,
}

impl Pairs {
    /// All pairs.
    pub fn total(&self) -> f64 {
        self.both + self.base_only + self.tuned_only + self.neither
    }

    /// Rate of tuned − rate of base.
    pub fn difference(&self) -> f64 {
        (self.tuned_only - self.base_only) / self.total()
    }

    /// Newcombe's phi with his continuity correction of the numerator; 0 where it is undefined.
    fn correlation(&self) -> f64 {
        let (base, tuned) = (self.both + self.base_only, self.both + self.tuned_only);
        let margins = base * (self.total() - base) * tuned * (self.total() - tuned);
        let product = self.both * self.neither - self.base_only * self.tuned_only;
        let corrected = if product > 0.0 { (product - self.total() / 2.0).max(0.0) } else { product };
        if margins > 0.0 { corrected / margins.sqrt() } else { 0.0 }
    }
}

/// The paired difference tuned − base by method 10 of R. G. Newcombe, Stat. Med. 17 (1998) 2635: Wilson's intervals of
/// both rates, squared and added with their correlation. At least one pair.
pub fn newcombe(pairs: &Pairs, tail: f64) -> (f64, f64) {
    let n = pairs.total();
    let (base, tuned) = ((pairs.both + pairs.base_only) / n, (pairs.both + pairs.tuned_only) / n);
    let (base_low, base_high) = wilson(base * n, n, tail);
    let (tuned_low, tuned_high) = wilson(tuned * n, n, tail);
    let phi = pairs.correlation();
    let joint = |x: f64, y: f64| (x * x - 2.0 * phi * x * y + y * y).max(0.0).sqrt();
    let difference = pairs.difference();
    let low = difference - joint(tuned - tuned_low, base_high - base);
    let high = difference + joint(tuned_high - tuned, base - base_low);
    (low.max(-1.0), high.min(1.0))
}

/// The paired difference tuned − base from exact intervals of the two flip rates, each at half the tail (Bonferroni):
/// holds for any distribution, and is sharp where flips are few.
pub fn exact_flips(pairs: &Pairs, tail: f64) -> (f64, f64) {
    let n = pairs.total();
    let (harm_low, harm_high) = clopper_pearson(pairs.base_only, n, tail / 2.0);
    let (gain_low, gain_high) = clopper_pearson(pairs.tuned_only, n, tail / 2.0);
    (gain_low - harm_high, gain_high - harm_low)
}
