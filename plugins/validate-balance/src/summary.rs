//! Numbers that describe a dataset.

use std::collections::BTreeSet;

/// Shannon entropy of a distribution given by counts, in bits.
pub fn entropy(counts: impl Iterator<Item = usize> + Clone) -> f64 {
    let total: usize = counts.clone().sum();
    let share = |count: usize| count as f64 / total as f64;
    counts.filter(|count| *count > 0).map(|count| -share(count) * share(count).log2()).sum()
}

/// Different n-grams over all n-grams (distinct-n: Li et al., 2016), between 0 and 1; `None` without any.
pub fn distinct(texts: &[Vec<String>], length: usize) -> Option<f64> {
    let grams = || texts.iter().flat_map(|words| words.windows(length));
    let (all, different) = (grams().count(), grams().collect::<BTreeSet<_>>().len());
    (all > 0).then(|| different as f64 / all as f64)
}

/// First quartile, median and third quartile, each a value that occurs (nearest rank); zeros without any.
pub fn quartiles(values: impl Iterator<Item = usize>) -> (usize, usize, usize) {
    let mut sorted: Vec<usize> = values.collect();
    sorted.sort_unstable();
    let rank = |quarters: usize| (sorted.len() * quarters).div_ceil(4).max(1) - 1;
    let at = |quarters: usize| sorted.get(rank(quarters)).copied().unwrap_or_default();
    (at(1), at(2), at(3))
}

/// The value above which one counts as far out. A range of at least the median and of 10 words is assumed: answers that are all nearly
/// as long as one another would make every longer one an outlier.
pub fn fences(values: impl Iterator<Item = usize>) -> f64 {
    let (lower, median, upper) = quartiles(values);
    upper as f64 + 3.0 * (upper - lower).max(median).max(10) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_in_bits() {
        assert_eq!(entropy([4, 4, 4, 4].into_iter()), 2.0);
        assert_eq!(entropy([7, 0].into_iter()), 0.0);
    }

    #[test]
    fn distinct_bigrams() {
        let text = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(distinct(&[text("a b c"), text("a b d")], 2), Some(0.75));
        assert_eq!(distinct(&[text("a")], 2), None);
    }

    #[test]
    fn quartiles_by_nearest_rank() {
        assert_eq!(quartiles(1..=8), (2, 4, 6));
        assert_eq!(quartiles(std::iter::once(5)), (5, 5, 5));
        assert_eq!(quartiles(std::iter::empty()), (0, 0, 0));
    }
}
