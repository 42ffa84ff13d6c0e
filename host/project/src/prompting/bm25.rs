//! BM25 as Lucene scores it (Robertson and Zaragoza, 2009; Kamphuis et al., 2020), over words as the validators see them.
//!
//! A word's weight is ln(1 + (N − n + ½) / (n + ½)) for n of N documents that have it, times f / (f + k₁(1 − b + b·l/L)) for
//! f of them in a document of l words, where documents have L on average. A word that the query repeats counts each time.
//! Sums run in the query's order and logarithms are our own, so that ranks are the same on every machine.

use diapason_rows::words;
use std::collections::HashMap;

/// How soon a repeated word stops to count for more.
const K1: f64 = 1.2;

/// How much long documents are held back.
const B: f64 = 0.75;

/// Documents by the words that they have.
#[derive(Debug)]
pub(super) struct Index {
    /// By word: the documents that have it, ascending, with what it adds to their scores.
    words: HashMap<String, Vec<(usize, f64)>>,
    documents: usize,
}

impl Index {
    /// The index of these documents, which are called by their places.
    pub(super) fn of<T: AsRef<str>>(documents: &[T]) -> Self {
        let lengths: Vec<usize> = documents.iter().map(|text| words(text.as_ref()).len()).collect();
        let mean = lengths.iter().sum::<usize>() as f64 / documents.len().max(1) as f64;
        let mut index = Self { words: HashMap::new(), documents: documents.len() };
        for (document, text) in documents.iter().enumerate() {
            for (word, times) in counted(text.as_ref()) {
                let length = 1.0 - B + B * lengths[document] as f64 / mean;
                index.words.entry(word).or_default().push((document, times / (times + K1 * length)));
            }
        }
        index.weigh();
        index
    }

    /// The score of each document for `query`; 0 where they share no word.
    pub(super) fn scores(&self, query: &str) -> Vec<f64> {
        let mut scores = vec![0.0; self.documents];
        for word in words(query) {
            for (document, adds) in self.words.get(&word.text).into_iter().flatten() {
                scores[*document] += adds;
            }
        }
        scores
    }

    fn weigh(&mut self) {
        let all = self.documents as f64;
        for found in self.words.values_mut() {
            let having = found.len() as f64;
            let rarity = libm::log(1.0 + (all - having + 0.5) / (having + 0.5));
            found.iter_mut().for_each(|(_, adds)| *adds *= rarity);
        }
    }
}

/// How often each word stands in a text.
fn counted(text: &str) -> HashMap<String, f64> {
    let mut counts = HashMap::new();
    for word in words(text) {
        *counts.entry(word.text).or_insert(0.0) += 1.0;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Scores by bm25s: `tests/oracles/bm25_scores.py`.
    #[test]
    fn scores_are_those_of_bm25s() {
        let golden: Value = serde_json::from_str(include_str!("../../tests/golden/bm25.json")).expect("golden scores");
        let texts = |key: &str| -> Vec<String> { serde_json::from_value(golden[key].clone()).expect("texts") };
        let expected: Vec<Vec<f64>> = serde_json::from_value(golden["scores"].clone()).expect("scores");
        let index = Index::of(&texts("documents"));
        for (query, expected) in texts("queries").iter().zip(&expected) {
            let scores = index.scores(query);
            assert_eq!(scores.len(), expected.len());
            for (at, (score, expected)) in scores.iter().zip(expected).enumerate() {
                assert!((score - expected).abs() < 1e-12, "{query}, document {at}: {score}, expected {expected}");
            }
        }
    }

    #[test]
    fn documents_without_words_score_nothing() {
        assert_eq!(Index::of(&["", "…"]).scores("a"), [0.0, 0.0]);
        assert!(Index::of::<&str>(&[]).scores("a").is_empty());
    }
}
