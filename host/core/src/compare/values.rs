//! Score rows as a table: one cell for each sample, evaluator, arm and measure.

use super::suite::{Described, Suite};
use crate::arm::{Arm, Contrast};
use crate::schema::did_you_mean;
use crate::score::{MeasureInfo, Outcome, Score};
use crate::{Error, Result};
use std::collections::{BTreeMap, HashMap};

/// How far a value may lie outside its bounds and still be the bound, computed in floating point.
const ROUNDING: f64 = 1e-9;

/// What is known of one measure of one sample on one arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell {
    /// A finite value.
    Value(f64),
    /// Scored, but without this measure.
    Absent,
    /// The evaluator could not score it.
    Unscored,
    /// There is no row.
    Lost,
}

/// A measure's cells on one arm, in the order of the suite's samples.
pub(super) struct Column<'a> {
    pub(super) cells: Vec<Cell>,
    suite: &'a Suite,
}

impl Column<'_> {
    /// Whether there is no row at all.
    pub(super) fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| *cell == Cell::Lost)
    }

    /// Position and value of the samples that have one.
    pub(super) fn scored(&self) -> Vec<(usize, f64)> {
        let value = |(index, cell): (usize, &Cell)| match cell {
            Cell::Value(value) => Some((index, *value)),
            _ => None,
        };
        self.cells.iter().enumerate().filter_map(value).collect()
    }

    /// Position and both values of the samples that have a value here and there.
    pub(super) fn paired(&self, other: &Self) -> Vec<(usize, (f64, f64))> {
        let pair = |(index, cells): (usize, (&Cell, &Cell))| match cells {
            (Cell::Value(here), Cell::Value(there)) => Some((index, (*here, *there))),
            _ => None,
        };
        self.cells.iter().zip(&other.cells).enumerate().filter_map(pair).collect()
    }

    /// Ids of the samples without a row.
    pub(super) fn lost(&self) -> Vec<String> {
        let without = self.cells.iter().zip(&self.suite.samples).filter(|(cell, _)| **cell == Cell::Lost);
        without.map(|(_, sample)| sample.id.clone()).collect()
    }
}

/// Suite, evaluator, arm, the arm that a comparator held it against, sample.
type Key<'a> = (&'a str, &'a str, &'a str, Option<&'a str>, &'a str);

/// Whose answers a row is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of<'a> {
    /// An evaluator's row.
    Arm(&'a Arm),
    /// A comparator's row.
    Contrast(&'a Contrast),
}

impl<'a> Of<'a> {
    fn names(self) -> (&'a str, Option<&'a str>) {
        match self {
            Self::Arm(arm) => (arm.as_str(), None),
            Self::Contrast(contrast) => (contrast.candidate.as_str(), Some(contrast.reference.as_str())),
        }
    }
}

/// All rows, checked and found by suite, evaluator, arm and sample.
pub(super) struct Table<'a> {
    rows: HashMap<Key<'a>, &'a Score>,
    /// Suite and sample to cluster.
    clusters: HashMap<(&'a str, &'a str), &'a str>,
}

impl<'a> Table<'a> {
    pub(super) fn new(suites: &'a [Suite], arms: &[Arm], scores: &'a [Score]) -> Result<Self> {
        let mut table = Self { rows: HashMap::new(), clusters: HashMap::new() };
        let known = known_evaluators(suites)?;
        for score in scores {
            table.add(score, &known, arms).map_err(|error| error.context(place(score)))?;
        }
        Ok(table)
    }

    fn add(&mut self, score: &'a Score, known: &Known<'_>, arms: &[Arm]) -> Result<()> {
        let stale = "the scores belong to another configuration or dataset: score again";
        let suite = known
            .get(score.suite.as_str())
            .ok_or_else(|| Error::data("unknown suite").hint(did_you_mean(&score.suite, known.keys().copied())))?;
        let evaluator = suite
            .evaluators
            .get(score.evaluator.as_str())
            .ok_or_else(|| Error::data("unknown evaluator").hint(stale))?;
        if !suite.samples.contains_key(score.sample.as_str()) {
            return Err(Error::data("unknown sample").hint(stale));
        }
        if let Some(unknown) =
            [Some(&score.arm), score.against.as_ref()].into_iter().flatten().find(|arm| !arms.contains(arm))
        {
            return Err(Error::data(format!("unknown arm `{unknown}`")).hint(stale));
        }
        if evaluator.comparator != score.against.is_some() {
            return Err(Error::data("an evaluator's row has one arm and a comparator's has two").hint(stale));
        }
        check_measures(score, evaluator)?;
        let against = score.against.as_ref().map(Arm::as_str);
        let key = (score.suite.as_str(), score.evaluator.as_str(), score.arm.as_str(), against, score.sample.as_str());
        if self.rows.insert(key, score).is_some() {
            return Err(Error::data("the sample was scored twice").hint("sample ids must be unique within a suite"));
        }
        self.note_cluster(score)
    }

    fn note_cluster(&mut self, score: &'a Score) -> Result<()> {
        let Some(cluster) = score.cluster.as_deref() else { return Ok(()) };
        let before = self.clusters.insert((&score.suite, &score.sample), cluster);
        match before {
            Some(other) if other != cluster => Err(Error::data(format!("cluster `{cluster}` here, `{other}` before"))),
            _ => Ok(()),
        }
    }

    /// A measure's cells on one arm, or of one comparator on two.
    pub(super) fn column(&self, suite: &'a Suite, evaluator: &str, measure: &str, of: Of<'_>) -> Column<'a> {
        let (arm, against) = of.names();
        let cell = |sample: &str| match self.rows.get(&(suite.name.as_str(), evaluator, arm, against, sample)) {
            None => Cell::Lost,
            Some(score) => match &score.judgement.outcome {
                Outcome::Unscored(_) => Cell::Unscored,
                Outcome::Scored(measures) => measures
                    .iter()
                    .find(|found| found.name == measure)
                    .map_or(Cell::Absent, |found| Cell::Value(found.value)),
            },
        };
        Column { cells: suite.samples.iter().map(|sample| cell(&sample.id)).collect(), suite }
    }

    /// The source of a sample, if it shares one.
    pub(super) fn cluster(&self, suite: &Suite, index: usize) -> Option<&'a str> {
        self.clusters.get(&(suite.name.as_str(), suite.samples[index].id.as_str())).copied()
    }
}

/// A suite's evaluators and samples by name.
struct KnownSuite<'a> {
    evaluators: BTreeMap<&'a str, &'a Described>,
    samples: HashMap<&'a str, ()>,
}

type Known<'a> = BTreeMap<&'a str, KnownSuite<'a>>;

fn known_evaluators(suites: &[Suite]) -> Result<Known<'_>> {
    let mut known = Known::new();
    for suite in suites {
        let mut samples = HashMap::new();
        for sample in &suite.samples {
            if samples.insert(sample.id.as_str(), ()).is_some() {
                return Err(Error::data(format!("suite `{}` has two samples named `{}`", suite.name, sample.id))
                    .hint("give every row an id of its own"));
            }
        }
        let evaluators: BTreeMap<_, _> = suite.evaluators.iter().map(|one| (one.name.as_str(), one)).collect();
        if evaluators.len() < suite.evaluators.len() {
            return Err(Error::config(format!("suite `{}` has two evaluators of the same name", suite.name))
                .hint("give one of them another `name`"));
        }
        if known.insert(suite.name.as_str(), KnownSuite { evaluators, samples }).is_some() {
            return Err(Error::config(format!("two suites are named `{}`", suite.name)).hint("rename one of them"));
        }
    }
    Ok(known)
}

fn check_measures(score: &Score, evaluator: &Described) -> Result<()> {
    let Outcome::Scored(measures) = &score.judgement.outcome else { return Ok(()) };
    for (index, measure) in measures.iter().enumerate() {
        let info = evaluator
            .measures
            .iter()
            .find(|info| info.name == measure.name)
            .ok_or_else(|| Error::plugin(format!("measure `{}` was not described", measure.name)))?;
        if measures[..index].iter().any(|before| before.name == measure.name) {
            return Err(Error::plugin(format!("measure `{}` was given twice", measure.name)));
        }
        check_value(info, measure.value)?;
    }
    Ok(())
}

fn check_value(info: &MeasureInfo, value: f64) -> Result<()> {
    let inside = info.bounds.is_none_or(|(low, high)| (low - ROUNDING..=high + ROUNDING).contains(&value));
    let fits = value.is_finite() && inside && (!info.binary || value == 0.0 || value == 1.0);
    if fits {
        return Ok(());
    }
    let promise = match (info.binary, info.bounds) {
        (true, _) => "0 or 1".into(),
        (_, Some((low, high))) => format!("between {low} and {high}"),
        _ => "finite".into(),
    };
    Err(Error::plugin(format!("measure `{}` is {value}, but is described as {promise}", info.name)))
}

fn place(score: &Score) -> String {
    let arm = score.contrast().map_or_else(|| score.arm.to_string(), |contrast| contrast.to_string());
    format!("score of {arm} by `{}` on sample `{}` of suite `{}`", score.evaluator, score.sample, score.suite)
}
