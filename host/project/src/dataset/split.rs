//! Which rows are held out of training.

use diapason_core::sample::Sample;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::borrow::Borrow;
use std::collections::BTreeMap;

/// The tag that names the source that rows share.
const CLUSTER: &str = "cluster";

/// Rows without tags are told apart by length, in so many groups of equal size.
const LENGTHS: usize = 5;

/// Indices of the rows to train on and of those held out, both ascending.
///
/// `share` of each kind of row is held out, to within one row: kinds are the combinations of tags, or quintiles of length
/// where no row has any. Rows of the same `cluster` stay together, so that none of a cluster is learned and another of
/// it tested; there a kind's share is as near as whole clusters allow. The same seed gives the same rows; with a share
/// above 0 at least one row is held out where there are two.
pub fn split<S: Borrow<Sample>>(samples: &[S], share: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let mut held_out = Vec::new();
    if share > 0.0 && samples.len() > 1 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut owed = 0.0;
        for (_, mut units) in strata(&samples.iter().map(Borrow::borrow).collect::<Vec<_>>()) {
            units.shuffle(&mut rng);
            // What rounding left over is carried to the next stratum.
            owed += share * units.iter().map(Vec::len).sum::<usize>() as f64;
            for unit in units {
                if owed >= unit.len() as f64 / 2.0 {
                    owed -= unit.len() as f64;
                    held_out.extend(unit);
                }
            }
        }
        if held_out.is_empty() {
            held_out.push(samples.len() - 1);
        }
    }
    held_out.sort_unstable();
    let train = (0..samples.len()).filter(|row| held_out.binary_search(row).is_err()).collect();
    (train, held_out)
}

/// Rows that stay together, by kind.
fn strata(samples: &[&Sample]) -> BTreeMap<String, Vec<Vec<usize>>> {
    let kinds = kinds(samples);
    let mut clusters: BTreeMap<(&str, usize), Vec<usize>> = BTreeMap::new();
    for (row, sample) in samples.iter().enumerate() {
        // A row without a cluster is one of its own.
        let key = sample.tags.get(CLUSTER).map_or(("", row), |cluster| (cluster.as_str(), usize::MAX));
        clusters.entry(key).or_default().push(row);
    }
    let mut strata: BTreeMap<String, Vec<Vec<usize>>> = BTreeMap::new();
    for rows in clusters.into_values() {
        strata.entry(kinds[rows[0]].clone()).or_default().push(rows);
    }
    strata
}

fn kinds(samples: &[&Sample]) -> Vec<String> {
    let tags = |sample: &&Sample| {
        let tags = sample.tags.iter().filter(|(name, _)| *name != CLUSTER);
        tags.map(|(name, value)| format!("{name}={value};")).collect::<String>()
    };
    let found: Vec<String> = samples.iter().map(tags).collect();
    if found.iter().any(|kind| !kind.is_empty()) {
        return found;
    }
    let mut by_length: Vec<usize> = (0..samples.len()).collect();
    by_length.sort_by_key(|row| samples[*row].row.len());
    let mut kinds = vec![String::new(); samples.len()];
    for (rank, row) in by_length.into_iter().enumerate() {
        kinds[row] = (rank * LENGTHS / samples.len()).to_string();
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample(tags: &[(&str, String)], length: usize) -> Sample {
        let tags = tags.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Sample { tags, row: "x".repeat(length), ..Sample::default() }
    }

    proptest! {
        #[test]
        fn every_row_is_on_one_side_and_every_kind_has_its_share(
            kinds in prop::collection::vec(0..4_usize, 20..300), share in 0.05..0.3, seed in 0..9_u64,
        ) {
            let samples: Vec<Sample> = kinds.iter().map(|kind| sample(&[("kind", kind.to_string())], 1)).collect();
            let (train, held_out) = split(&samples, share, seed);
            let mut all = [train, held_out.clone()].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..samples.len()).collect::<Vec<_>>());
            for kind in 0..4 {
                let of = |rows: &mut dyn Iterator<Item = usize>| rows.filter(|row| kinds[*row] == kind).count() as f64;
                let (all, out) = (of(&mut (0..kinds.len())), of(&mut held_out.iter().copied()));
                prop_assert!((out - share * all).abs() <= 1.0, "{} of {} at {}", out, all, share);
            }
            prop_assert_eq!(&split(&samples, share, seed).1, &held_out);
        }
    }

    #[test]
    fn lengths_have_their_share_where_there_are_no_tags() {
        let samples: Vec<Sample> = (0..100).map(|i| sample(&[], 1 + i * 37 % 100)).collect();
        let (_, held_out) = split(&samples, 0.1, 3);
        assert_eq!(held_out.len(), 10);
        let short = held_out.iter().filter(|row| samples[**row].row.len() <= 20).count();
        assert_eq!(short, 2);
        assert_ne!(held_out, split(&samples, 0.1, 4).1);
    }

    #[test]
    fn clusters_stay_whole() {
        let samples: Vec<Sample> = (0..60).map(|i| sample(&[(CLUSTER, (i / 3).to_string())], 9)).collect();
        let (_, held_out) = split(&samples, 0.1, 1);
        assert_eq!(held_out.len(), 6);
        assert!(held_out.chunks(3).all(|rows| rows[0] % 3 == 0 && rows[2] == rows[0] + 2));
    }

    #[test]
    fn nothing_is_held_out_unless_asked_for() {
        let samples: Vec<Sample> = (0..5).map(|i| sample(&[], i)).collect();
        assert!(split(&samples, 0.0, 1).1.is_empty());
        assert_eq!(split(&samples[..2], 0.05, 1).1, [1]);
    }
}
