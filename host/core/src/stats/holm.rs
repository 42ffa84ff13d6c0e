//! Holm's step-down correction for testing several hypotheses at once (S. Holm, Scand. J. Statist. 6 (1979) 65).

/// p values, corrected so that comparing each with alpha keeps the family's error below alpha. Same order as given.
pub fn adjusted(p: &[f64]) -> Vec<f64> {
    let mut adjusted = vec![1.0; p.len()];
    let mut largest = 0.0_f64;
    for (rank, index) in ascending(p).into_iter().enumerate() {
        largest = largest.max((p[index] * (p.len() - rank) as f64).min(1.0));
        adjusted[index] = largest;
    }
    adjusted
}

/// The level at which each hypothesis is decided: alpha / (m − rank) while the steps go down, and for all that are left
/// the level at which they stopped. A p value is at most its level exactly where Holm rejects. `spend` turns the level of
/// the hypothesis of an index into what is left of it at this look. Same order as given.
pub fn levels(p: &[f64], alpha: f64, spend: impl Fn(f64, usize) -> f64) -> Vec<f64> {
    let mut levels = vec![alpha; p.len()];
    let mut stopped = None;
    for (rank, index) in ascending(p).into_iter().enumerate() {
        let level = stopped.unwrap_or(alpha / (p.len() - rank) as f64);
        levels[index] = spend(level, index);
        if p[index] > levels[index] {
            stopped = Some(level);
        }
    }
    levels
}

/// Indices from the smallest p value to the largest; equal ones stay in order.
fn ascending(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    order
}
