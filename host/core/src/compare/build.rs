//! From score rows to a comparison.

use super::grouping::Groups;
use super::suite::{Described, Suite};
use super::values::{Cell, Column, Table};
use super::{Comparison, Difference, Level, MeasureComparison, Slice, SuiteComparison, Test};
use crate::score::{Arm, MeasureInfo, Score};
use crate::stats::mean::mean;
use crate::stats::{Evidence, Interval, bootstrap, power};
use crate::{Result, digest};
use std::collections::BTreeSet;

/// Two-sided confidence level of a comparison's intervals.
const LEVEL: f64 = 0.95;

/// Compares base and tuned on every measure. `resamples` (0 for none) and `seed` are the bootstrap's.
///
/// # Errors
/// A row of an unknown suite, evaluator or sample, a second row for the same cell, an undescribed, repeated or
/// non-finite measure, or a value outside what its measure promises.
pub fn compare(suites: &[Suite], scores: &[Score], resamples: usize, seed: u64) -> Result<Comparison> {
    let table = Table::new(suites, scores)?;
    let suites = suites.iter().map(|suite| {
        let groups = Groups::of(suite, |index| table.cluster(suite, index));
        let each =
            suite.evaluators.iter().flat_map(|evaluator| evaluator.measures.iter().map(move |info| (evaluator, info)));
        let measures = each.map(|(evaluator, info)| {
            let seed = seed_of(seed, &[&suite.name, &evaluator.name, &info.name]);
            Measured { suite, evaluator, info, table: &table, groups: &groups, resamples, seed }.compare()
        });
        SuiteComparison {
            name: suite.name.clone(),
            samples: suite.samples.len(),
            measures: measures.collect(),
            grouping: groups.grouping.clone(),
        }
    });
    let suites = suites.collect();
    Ok(Comparison { level: LEVEL, suites })
}

/// A seed of its own for each measure, so that adding one changes no other's bootstrap.
fn seed_of(seed: u64, names: &[&str]) -> u64 {
    let digest = digest::of_bytes(format!("{seed}\0{}", names.join("\0")).as_bytes());
    u64::from_str_radix(&digest[..16], 16).unwrap_or(seed)
}

/// One measure of one suite, and where its values are.
struct Measured<'a> {
    suite: &'a Suite,
    evaluator: &'a Described,
    info: &'a MeasureInfo,
    table: &'a Table<'a>,
    groups: &'a Groups,
    resamples: usize,
    seed: u64,
}

impl Measured<'_> {
    fn compare(&self) -> MeasureComparison {
        let blank = MeasureComparison {
            evaluator: self.evaluator.name.clone(),
            info: self.info.clone(),
            base: None,
            tuned: None,
            pair: None,
            difference: None,
            slices: Vec::new(),
        };
        if self.evaluator.comparator {
            let pair = self.column(None);
            return MeasureComparison { pair: self.level(&pair, None), slices: self.slices(&pair, None), ..blank };
        }
        let (base, tuned) = (self.column(Some(Arm::Base)), self.column(Some(Arm::Tuned)));
        let both = !base.is_empty() && !tuned.is_empty();
        MeasureComparison {
            base: self.level(&base, Some(&tuned)),
            tuned: self.level(&tuned, Some(&base)),
            difference: both.then(|| self.difference(&base, &tuned)),
            slices: if both { self.slices(&tuned, Some(&base)) } else { Vec::new() },
            ..blank
        }
    }

    fn column(&self, arm: Option<Arm>) -> Column<'_> {
        self.table.column(self.suite, &self.evaluator.name, &self.info.name, arm)
    }

    /// `None` for an arm without any row.
    fn level(&self, column: &Column<'_>, other: Option<&Column<'_>>) -> Option<Level> {
        if column.is_empty() {
            return None;
        }
        let scored = column.scored();
        let values: Vec<f64> = scored.iter().map(|(_, value)| *value).collect();
        let elsewhere = |index: usize| other.is_some_and(|other| matches!(other.cells[index], Cell::Value(_)));
        let absent = (0..column.cells.len()).filter(|index| column.cells[*index] == Cell::Absent);
        let (missing, not_applicable): (Vec<usize>, Vec<usize>) = absent.partition(|index| elsewhere(*index));
        let unscored = column.cells.iter().filter(|cell| **cell == Cell::Unscored).count();
        let evidence = self.level_evidence(&values, self.groups.split(&scored).as_deref());
        Some(Level {
            n: values.len(),
            unscored: unscored + missing.len(),
            not_applicable: not_applicable.len(),
            lost: column.lost(),
            mean: (!values.is_empty()).then(|| mean(&values)),
            interval: evidence.interval(LEVEL),
            evidence,
        })
    }

    fn level_evidence(&self, values: &[f64], clusters: Option<&[Vec<f64>]>) -> Evidence {
        match clusters {
            None if self.info.binary => Evidence::of_rate(values),
            _ => Evidence::of_levels(values, clusters, self.bounds()),
        }
    }

    fn difference(&self, base: &Column<'_>, tuned: &Column<'_>) -> Difference {
        let pairs = base.paired(tuned);
        let differences: Vec<(usize, f64)> =
            pairs.iter().map(|(index, (base, tuned))| (*index, tuned - base)).collect();
        let values: Vec<f64> = differences.iter().map(|(_, difference)| *difference).collect();
        let clusters = self.groups.split(&differences);
        let evidence = self.difference_evidence(&pairs, &values, clusters.as_deref());
        let (better, worse) = self.split(&differences);
        let flips = |of: &[usize]| if self.info.binary { self.ids(of) } else { Vec::new() };
        let real = !self.info.binary && clusters.is_none() && self.resamples > 0;
        Difference {
            n: values.len(),
            mean: (!values.is_empty()).then(|| mean(&values)),
            interval: evidence.interval(LEVEL),
            bootstrap: real.then(|| bootstrap::bca(&values, LEVEL, self.resamples, self.seed)),
            test: evidence.two_sided(0.0).map(|p| Test { name: evidence.method().into(), p }),
            detectable: power::detectable(&evidence, (1.0 - LEVEL) / 2.0),
            wins: better.len(),
            ties: values.len() - better.len() - worse.len(),
            losses: worse.len(),
            harmful: flips(&worse),
            beneficial: flips(&better),
            evidence,
        }
    }

    fn difference_evidence(
        &self,
        pairs: &[(usize, (f64, f64))],
        differences: &[f64],
        clusters: Option<&[Vec<f64>]>,
    ) -> Evidence {
        match clusters {
            None if self.info.binary => {
                Evidence::of_paired_rates(&pairs.iter().map(|(_, pair)| *pair).collect::<Vec<_>>())
            }
            _ => Evidence::of_differences(differences, clusters, self.bounds()),
        }
    }

    /// Positions of the samples in which tuned is better, and of those in which it is worse.
    fn split(&self, differences: &[(usize, f64)]) -> (Vec<usize>, Vec<usize>) {
        let sign = if self.info.higher_is_better { 1.0 } else { -1.0 };
        let of = |holds: fn(f64) -> bool| {
            differences.iter().filter(|(_, value)| holds(sign * value)).map(|(index, _)| *index).collect()
        };
        (of(|value| value > 0.0), of(|value| value < 0.0))
    }

    fn ids(&self, of: &[usize]) -> Vec<String> {
        of.iter().map(|index| self.suite.samples[*index].id.clone()).collect()
    }

    fn bounds(&self) -> Option<(f64, f64)> {
        if self.info.binary { Some((0.0, 1.0)) } else { self.info.bounds }
    }

    /// `column` is the tuned model's or the comparator's.
    fn slices(&self, column: &Column<'_>, base: Option<&Column<'_>>) -> Vec<Slice> {
        let tags = self.suite.samples.iter().flat_map(|sample| &sample.tags).filter(|(name, _)| *name != "cluster");
        let tags: BTreeSet<(&String, &String)> = tags.collect();
        tags.into_iter().map(|(tag, value)| self.slice(tag, value, column, base)).collect()
    }

    fn slice(&self, tag: &str, value: &str, column: &Column<'_>, base: Option<&Column<'_>>) -> Slice {
        let inside = |index: usize| self.suite.samples[index].tags.get(tag).is_some_and(|found| found == value);
        let blank = |n, interval| Slice {
            tag: tag.into(),
            value: value.into(),
            n,
            base: None,
            tuned: None,
            difference: None,
            interval,
        };
        let average = |values: &[f64]| (!values.is_empty()).then(|| mean(values));
        let Some(base) = base else {
            let scored: Vec<(usize, f64)> = column.scored().into_iter().filter(|(index, _)| inside(*index)).collect();
            let values: Vec<f64> = scored.iter().map(|(_, value)| *value).collect();
            let evidence = self.level_evidence(&values, self.groups.split(&scored).as_deref());
            return Slice { tuned: average(&values), ..blank(values.len(), evidence.interval(LEVEL)) };
        };
        let pairs: Vec<_> = base.paired(column).into_iter().filter(|(index, _)| inside(*index)).collect();
        let differences: Vec<(usize, f64)> =
            pairs.iter().map(|(index, (base, tuned))| (*index, tuned - base)).collect();
        let values: Vec<f64> = differences.iter().map(|(_, value)| *value).collect();
        let evidence = self.difference_evidence(&pairs, &values, self.groups.split(&differences).as_deref());
        let interval = match values.len() {
            0 => Interval::TooFew { n: 0 },
            _ => evidence.interval(LEVEL),
        };
        Slice {
            base: average(&pairs.iter().map(|(_, (base, _))| *base).collect::<Vec<f64>>()),
            tuned: average(&pairs.iter().map(|(_, (_, tuned))| *tuned).collect::<Vec<f64>>()),
            difference: average(&values),
            ..blank(values.len(), interval)
        }
    }
}
