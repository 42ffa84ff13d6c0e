//! MinHash signatures and locality-sensitive banding (Broder, 1997; Leskovec, Rajaraman, Ullman, "Mining of Massive
//! Datasets", chapter 3).

use diapason_rows::{fnv, mix};
use std::collections::BTreeSet;

/// How signatures are cut into bands: two texts meet if one whole band of theirs is equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bands {
    /// How many bands.
    pub count: usize,
    /// Values in a band.
    pub rows: usize,
}

impl Bands {
    /// The longest bands that still let a pair at the threshold meet with a probability of 99.9 %: 1 − (1 − s^rows)^count. Candidates
    /// are verified, so a band too short costs time, and one too long costs duplicates.
    pub fn choose(permutations: usize, threshold: f64) -> Self {
        let meets = |rows: usize| 1.0 - (1.0 - threshold.powi(rows as i32)).powi((permutations / rows) as i32);
        let rows = (1..=permutations).rev().find(|rows| meets(*rows) >= 0.999).unwrap_or(1);
        Self { count: permutations / rows, rows }
    }
}

/// The hashes of a text's word n-grams; a text shorter than that is one shingle.
pub fn shingles(words: &[String], length: usize) -> BTreeSet<u64> {
    let hash = |gram: &[String]| fnv(gram.join("\u{1f}").as_bytes());
    if words.len() <= length { BTreeSet::from([hash(words)]) } else { words.windows(length).map(hash).collect() }
}

/// For each permutation, the least of the permuted shingles. A permutation is SplitMix64's finaliser, keyed by its number.
pub fn signature(shingles: &BTreeSet<u64>, permutations: usize) -> Vec<u64> {
    let permuted = |index: usize| shingles.iter().map(move |shingle| mix(shingle ^ mix(index as u64))).min();
    (0..permutations).map(|index| permuted(index).unwrap_or(u64::MAX)).collect()
}

/// The share of equal values: an unbiased estimate of the Jaccard similarity.
pub fn estimate(one: &[u64], other: &[u64]) -> f64 {
    one.iter().zip(other).filter(|(one, other)| one == other).count() as f64 / one.len() as f64
}

/// The Jaccard similarity itself: shared shingles over all shingles.
pub fn jaccard(one: &BTreeSet<u64>, other: &BTreeSet<u64>) -> f64 {
    let shared = one.intersection(other).count();
    shared as f64 / (one.len() + other.len() - shared) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(range: std::ops::Range<u64>) -> BTreeSet<u64> {
        range.map(mix).collect()
    }

    #[test]
    fn estimates_lie_near_the_truth() {
        for shared in [0, 20, 50, 70, 100] {
            let (one, other) = (set(0..100), set(100 - shared..200 - shared));
            let (truth, guess) = (jaccard(&one, &other), estimate(&signature(&one, 256), &signature(&other, 256)));
            // Four standard errors of a proportion of 256.
            let allowed = 4.0 * (truth * (1.0 - truth) / 256.0).sqrt();
            assert!((truth - guess).abs() <= allowed, "{shared}: {truth} {guess}");
        }
    }

    #[test]
    fn bands_let_pairs_at_the_threshold_meet() {
        let bands = Bands::choose(256, 0.7);
        assert_eq!(bands, Bands { count: 51, rows: 5 });
        let misses = (1.0 - 0.7_f64.powi(bands.rows as i32)).powi(bands.count as i32);
        assert!(misses < 1e-3, "{misses}");
        assert_eq!(Bands::choose(1, 0.7), Bands { count: 1, rows: 1 });
    }

    #[test]
    fn short_texts_are_one_shingle() {
        let words = ["a".to_owned(), "b".to_owned()];
        assert_eq!(shingles(&words, 5).len(), 1);
        assert_eq!(shingles(&words, 1).len(), 2);
        assert_eq!(shingles(&[], 5).len(), 1);
    }
}
