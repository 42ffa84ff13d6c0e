//! Which rows are learned and which decide.

use super::data::can_be_tested;
use crate::args::Task;
use diapason_core::sample::Sample;
use diapason_core::stats::{Evidence, power};
use diapason_core::{Error, Result};
use diapason_project::{alike, dataset};
use std::collections::{BTreeMap, BTreeSet};

/// A fifth of the rows decides, but no more groups than this: answering takes time, and more would show little more.
const SHARE: usize = 5;
const MOST: usize = 1000;

/// A group with more than one twentieth of the rows is learned: it would be most of the test.
const LARGE: usize = 20;

/// The gate's error rate, unless it is changed.
const ALPHA: f64 = 0.05;

/// Rows by what they are for, ascending.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) train: Vec<usize>,
    pub(super) test: Vec<usize>,
    /// Groups of rows that are alike, in all.
    pub(super) groups: usize,
    /// Rows that cannot be tested: their answer is marked as not to be learned.
    pub(super) untested: usize,
    /// Groups in the test.
    tested: usize,
}

impl Parts {
    /// Draws the test rows by `seed`: of each label, tag or length alike, and whole groups of rows that are alike.
    ///
    /// Errors if there are too few rows for a decision.
    pub(super) fn of(samples: &[Sample], task: Task, seed: u64) -> Result<Self> {
        let groups = members(&alike::groups(samples));
        let can_test = |rows: &Vec<usize>| {
            rows.len() <= (samples.len() / LARGE).max(1) && rows.iter().all(|row| can_be_tested(&samples[*row]))
        };
        let pool: Vec<&Vec<usize>> = groups.iter().filter(|rows| can_test(rows)).collect();
        let needed = needed();
        if groups.len() < 2 * needed || pool.len() < needed {
            return Err(too_few(samples.len(), groups.len(), pool.len(), needed));
        }
        let wanted = (pool.len() / SHARE).clamp(needed, MOST);
        // A sample for each group, by its first row.
        let standing: Vec<Sample> = pool.iter().map(|rows| kind(&samples[rows[0]], task)).collect();
        let (_, drawn) = dataset::split(&standing, wanted as f64 / pool.len() as f64, seed);
        let test: BTreeSet<usize> = drawn.iter().flat_map(|group| pool[*group].iter().copied()).collect();
        Ok(Self {
            train: (0..samples.len()).filter(|row| !test.contains(row)).collect(),
            test: test.into_iter().collect(),
            groups: groups.len(),
            untested: samples.iter().filter(|sample| !can_be_tested(sample)).count(),
            tested: drawn.len(),
        })
    }

    /// What the test can show, as a reader is told.
    pub(super) fn shows(&self) -> String {
        let gain = power::detectable(&typical(self.tested), ALPHA).unwrap_or(1.0);
        format!("enough to show a gain of {:.0} points in four runs out of five", (100.0 * gain).ceil())
    }
}

fn members(groups: &[usize]) -> Vec<Vec<usize>> {
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (row, group) in groups.iter().enumerate() {
        members.entry(*group).or_default().push(row);
    }
    members.into_values().collect()
}

/// What rows are drawn by: the label of a classification, else the tags, else the length.
fn kind(sample: &Sample, task: Task) -> Sample {
    let mut tags = sample.tags.clone();
    tags.remove("cluster");
    if task == Task::Classification {
        tags = [("label".to_owned(), sample.reference.clone().unwrap_or_default())].into();
    }
    Sample { tags, row: sample.row.clone(), ..Sample::default() }
}

/// So many independent test rows show a gain of 20 points in four runs out of five.
fn needed() -> usize {
    power::samples_if_true(&typical(1000), 0.0, ALPHA).unwrap_or(MOST)
}

/// A gain of 20 points as it often comes: of ten rows, base and tuned are right about three, only tuned about three, and
/// only base about one.
fn typical(n: usize) -> Evidence {
    let tenths = |tenths: usize| (n * tenths + 5) / 10;
    let (both, base_only, tuned_only) = (tenths(3), tenths(1), tenths(3));
    Evidence::PairedRates { both, base_only, tuned_only, neither: n.saturating_sub(both + base_only + tuned_only) }
}

fn too_few(rows: usize, groups: usize, pool: usize, needed: usize) -> Error {
    let found = match (rows - groups, groups - pool) {
        (0, 0) => format!("{rows} rows"),
        (_, 0) => format!("{rows} rows in {groups} groups of rows that are alike"),
        (_, left) => format!("{rows} rows in {groups} groups of rows that are alike, {left} of them not for testing"),
    };
    Error::data(format!("{found} are too few for a decision: {} that differ are needed", 2 * needed)).hint(format!(
        "{needed} to learn and {needed} to show a gain of 20 points in four runs out of five; rows are alike if they have the \
         same prompt or `cluster`, or seven tenths of their words in a row"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use diapason_core::sample::Message;

    fn sample(at: usize, label: &str) -> Sample {
        let messages = vec![Message::new("user", format!("row{at} is{at} about{at}"))];
        Sample { messages, reference: Some(label.into()), row: "x".repeat(at % 7), ..Sample::default() }
    }

    fn rows(count: usize) -> Vec<Sample> {
        (0..count).map(|at| sample(at, if at % 4 == 0 { "no" } else { "yes" })).collect()
    }

    #[test]
    fn sixty_rows_show_twenty_points() {
        // By the normal approximation (1.645 + 0.842)² · (0.4 − 0.04) / 0.04 = 55.7; the exact test asks for a few more.
        assert!((56..70).contains(&needed()), "{}", needed());
        let gain = power::detectable(&typical(200), ALPHA).expect("an interval");
        assert!((0.10..0.13).contains(&gain), "{gain}");
    }

    #[test]
    fn labels_have_their_share_and_rows_that_are_alike_stay_together() {
        let mut samples = rows(400);
        for at in (0..400).step_by(40) {
            samples.push(sample(at, "yes"));
        }
        let parts = Parts::of(&samples, Task::Classification, 42).expect("enough rows");
        assert_eq!((parts.groups, parts.tested, parts.train.len() + parts.test.len()), (400, 80, 410));
        let no = parts.test.iter().filter(|row| **row < 400 && *row % 4 == 0).count();
        assert!((19..=21).contains(&no), "{no}");
        for (copy, at) in (400..410).zip((0..400).step_by(40)) {
            assert_eq!(parts.test.contains(&copy), parts.test.contains(&at));
        }
        assert_eq!(parts.test, Parts::of(&samples, Task::Classification, 42).expect("enough rows").test);
        assert_ne!(parts.test, Parts::of(&samples, Task::Classification, 43).expect("enough rows").test);
    }

    #[test]
    fn a_large_group_and_wrong_answers_are_learned() {
        let mut samples = rows(300);
        samples.extend(
            (0..100).map(|at| Sample { tags: [("cluster".into(), "x".into())].into(), ..sample(1000 + at, "no") }),
        );
        let wrong = Message {
            extra: serde_json::from_str(r#"{"weight": 0}"#).expect("a field"),
            ..Message::new("assistant", "no")
        };
        samples[0].answer = Some(wrong);
        let parts = Parts::of(&samples, Task::Generation, 1).expect("enough rows");
        assert!(parts.test.iter().all(|row| (1..300).contains(row)), "{:?}", parts.test);
        assert_eq!(parts.untested, 1);
    }

    #[test]
    fn too_few_rows_are_refused_with_the_number_that_is_needed() {
        let error = Parts::of(&rows(2 * needed() - 1), Task::Generation, 1).expect_err("too few");
        assert!(error.to_string().ends_with(&format!("{} that differ are needed", 2 * needed())), "{error}");
        assert!(Parts::of(&rows(2 * needed()), Task::Generation, 1).is_ok());
        let same: Vec<Sample> = (0..500).map(|_| sample(1, "yes")).collect();
        let error = Parts::of(&same, Task::Generation, 1).expect_err("one group");
        assert!(error.to_string().starts_with("500 rows in 1 groups"), "{error}");
    }
}
