//! The demo's files: pretraining rows, training rows and suites, all from one seed.

use super::tasks::{self, PRETRAINING, Row};
use anyhow::Result;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::HashSet;
use std::path::Path;

/// Rows of the extraction task that the demo's adapter sees.
const TRAIN: usize = 480;
/// Rows of the pretraining tasks mixed in, so that the adapter does not forget them.
const REHEARSAL: usize = 480;
/// Rows of each suite.
const TEST: usize = 120;

/// `count` pretraining rows, tasks mixed by their shares.
pub(super) fn pretraining(count: usize, seed: u64) -> Vec<Row> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| tasks::row(mixed(&mut rng), &mut rng)).collect()
}

/// Writes `extraction.train.jsonl`, `rehearsed.train.jsonl` and one `.test.jsonl` for each suite.
pub(super) fn write_demo(folder: &Path, seed: u64) -> Result<()> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut seen = HashSet::new();
    for suite in ["extraction", "reading", "words", "facts"] {
        let rows = distinct(TEST, &mut seen, || tasks::row(suite, &mut rng));
        write(&folder.join(format!("{suite}.test.jsonl")), &rows)?;
    }
    let extraction = distinct(TRAIN, &mut seen, || tasks::row("extraction", &mut rng));
    write(&folder.join("extraction.train.jsonl"), &extraction)?;
    let rehearsal = distinct(REHEARSAL, &mut seen, || tasks::row(mixed(&mut rng), &mut rng));
    write(&folder.join("rehearsed.train.jsonl"), &[extraction, rehearsal].concat())
}

fn mixed(rng: &mut impl Rng) -> &'static str {
    let total = PRETRAINING.iter().map(|(_, share)| share).sum();
    let mut left = rng.random_range(0..total);
    for (task, share) in PRETRAINING {
        match left.checked_sub(*share) {
            Some(rest) => left = rest,
            None => return task,
        }
    }
    unreachable!("the draw lies below the sum of the shares")
}

/// Rows whose prompts no other file has. A task of few prompts gives as many as it can.
fn distinct(count: usize, seen: &mut HashSet<String>, mut draw: impl FnMut() -> Row) -> Vec<Row> {
    let drawn = std::iter::repeat_with(&mut draw).take(40 * count);
    drawn.filter(|row| seen.insert(row.prompt.clone())).take(count).collect()
}

fn write(path: &Path, rows: &[Row]) -> Result<()> {
    let text: String = rows
        .iter()
        .map(|row| serde_json::json!({"prompt": row.prompt, "completion": row.answer}).to_string() + "\n")
        .collect();
    Ok(diapason_disk::files::write(path, text.as_bytes())?)
}
