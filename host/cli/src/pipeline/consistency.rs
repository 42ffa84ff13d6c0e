//! Whether plugins give the same answer when they are asked again: a second instance gets some of the rows, in another
//! order and one by one. A plugin that remembers what it was given before would score the second model by the first.

use super::suite::{LoadedSuite, Scorer};
use diapason_core::score::{Judgement, Observation, Pair, Request};
use diapason_core::{Result, digest};
use diapason_sandbox::{Comparator, Evaluator, Permission};

/// Rows that are judged again.
const ROWS: usize = 64;

/// Rows that are judged again by a plugin that asks a judge: each may cost a generation.
const JUDGED_ROWS: usize = 4;

/// Errors with the plugin, the sample and both values where an evaluator scores a row differently the second time.
pub(super) fn scores(
    scorer: &Scorer,
    evaluator: &Evaluator,
    observations: &[Observation],
    judgements: &[Judgement],
    seed: u64,
) -> Result<()> {
    evaluator.confirm(observations, judgements, &rows(scorer, observations.len(), seed))
}

/// Errors with the plugin and the sample where an evaluator asks for something else the second time.
pub(super) fn plan(
    suite: &LoadedSuite,
    scorer: &Scorer,
    evaluator: &Evaluator,
    requests: &[Request],
    seed: u64,
) -> Result<()> {
    evaluator.confirm_plan(&suite.samples, requests, &rows(scorer, requests.len(), seed))
}

/// Errors with the plugin, the sample and both values where a comparator judges a pair differently the second time.
pub(super) fn comparisons(
    scorer: &Scorer,
    comparator: &Comparator,
    pairs: &[Pair],
    judgements: &[Judgement],
    seed: u64,
) -> Result<()> {
    comparator.confirm(pairs, judgements, &rows(scorer, pairs.len(), seed))
}

fn rows(scorer: &Scorer, count: usize, seed: u64) -> Vec<usize> {
    let judged = scorer.plugin.permissions().contains(&Permission::Model);
    drawn(count, if judged { JUDGED_ROWS } else { ROWS }, seed)
}

/// Rows drawn by the seed, in the order of the draw.
fn drawn(count: usize, wanted: usize, seed: u64) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..count).collect();
    rows.sort_by_cached_key(|row| digest::of_bytes(format!("{seed} {row}").as_bytes()));
    rows.truncate(wanted);
    rows
}

#[cfg(test)]
mod tests {
    use super::drawn;

    #[test]
    fn rows_are_drawn_by_the_seed_and_not_in_their_order() {
        let rows = drawn(1000, 64, 42);
        assert_eq!(rows.len(), 64);
        assert_eq!(rows, drawn(1000, 64, 42));
        assert_ne!(rows, drawn(1000, 64, 43));
        assert!(!rows.is_sorted());
        assert_eq!(drawn(3, 64, 42).len(), 3);
        assert!(drawn(0, 64, 42).is_empty());
    }
}
