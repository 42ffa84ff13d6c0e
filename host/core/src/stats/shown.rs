//! One-sided p values by inverting the strict interval: a p value and the interval shown beside it cannot disagree.

use super::Evidence;

/// Stands for every p value below it.
pub const SMALLEST: f64 = 1e-12;

/// Smallest tail at which the strict interval lies above `threshold`: the one-sided p value of "the value is below it".
/// `None` without an interval.
pub fn above(evidence: &Evidence, threshold: f64) -> Option<f64> {
    p_value(evidence, |(low, _)| low >= threshold, |(_, high)| high < threshold)
}

/// Smallest tail at which the strict interval lies below `threshold`: the one-sided p value of "the value is above it".
/// `None` without an interval.
pub fn below(evidence: &Evidence, threshold: f64) -> Option<f64> {
    p_value(evidence, |(_, high)| high <= threshold, |(low, _)| low > threshold)
}

/// Equivalence by two one-sided tests (D. Schuirmann, J. Pharmacokinet. Biopharm. 15 (1987) 657): the p value of "the
/// value lies outside `low` to `high`". `None` without an interval.
pub fn within(evidence: &Evidence, low: f64, high: f64) -> Option<f64> {
    Some(above(evidence, low)?.max(below(evidence, high)?))
}

type Holds<'a> = &'a dyn Fn((f64, f64)) -> bool;

fn p_value(
    evidence: &Evidence,
    holds: impl Fn((f64, f64)) -> bool,
    opposite: impl Fn((f64, f64)) -> bool,
) -> Option<f64> {
    let p = match smallest_tail(evidence, &holds)? {
        Some(tail) => tail,
        // Not even at even odds: what is left is how clearly the opposite is shown.
        None => 1.0 - smallest_tail(evidence, &opposite)?.unwrap_or(0.0),
    };
    Some(p)
}

/// Outer `None`: no interval. Inner `None`: not shown at a tail of one half either.
fn smallest_tail(evidence: &Evidence, holds: Holds<'_>) -> Option<Option<f64>> {
    let shown = |tail: f64| evidence.ends(tail, 1.0).map(holds);
    if !shown(0.5)? {
        return Some(None);
    }
    if shown(SMALLEST)? {
        return Some(Some(SMALLEST));
    }
    let (mut not, mut yes) = (SMALLEST.ln(), 0.5_f64.ln());
    for _ in 0..48 {
        let middle = 0.5 * (not + yes);
        if shown(middle.exp())? { yes = middle } else { not = middle }
    }
    Some(Some(yes.exp()))
}
