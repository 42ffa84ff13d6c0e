//! From score rows to a comparison.

use super::grouping::Groups;
use super::suite::{Described, Suite};
use super::values::{Cell, Column, Of, Table};
use super::{ArmLevel, Comparison, Difference, Level, MeasureComparison, PairLevel, Slice, SuiteComparison, Test};
use crate::arm::{Arms, Contrast};
use crate::score::{MeasureInfo, Score};
use crate::stats::mean::mean;
use crate::stats::{Evidence, Interval, bootstrap, holm, power};
use crate::{Result, digest};
use std::collections::BTreeSet;

/// Two-sided confidence level of a comparison's intervals.
const LEVEL: f64 = 0.95;

/// Compares arms on every measure. `resamples` (0 for none) and `seed` are the bootstrap's.
///
/// # Errors
/// A row of an unknown suite, evaluator, arm or sample, a second row for the same cell, an undescribed, repeated or
/// non-finite measure, or a value outside what its measure promises.
pub fn compare(suites: &[Suite], arms: &Arms, scores: &[Score], resamples: usize, seed: u64) -> Result<Comparison> {
    let table = Table::new(suites, &arms.all, scores)?;
    let suites = suites.iter().map(|suite| {
        let groups = Groups::of(suite, |index| table.cluster(suite, index));
        let each =
            suite.evaluators.iter().flat_map(|evaluator| evaluator.measures.iter().map(move |info| (evaluator, info)));
        let measures = each.map(|(evaluator, info)| {
            Measured { suite, evaluator, info, table: &table, groups: &groups, arms, resamples, seed }.compare()
        });
        SuiteComparison {
            name: suite.name.clone(),
            samples: suite.samples.len(),
            measures: measures.collect(),
            grouping: groups.grouping.clone(),
        }
    });
    let mut suites: Vec<SuiteComparison> = suites.collect();
    adjust(&mut suites);
    Ok(Comparison { level: LEVEL, arms: arms.all.clone(), contrasts: arms.contrasts.clone(), suites })
}

/// Corrects every test for how many there are.
fn adjust(suites: &mut [SuiteComparison]) {
    let measures = suites.iter_mut().flat_map(|suite| &mut suite.measures);
    let differences = measures.flat_map(|measure| &mut measure.differences);
    let mut tests: Vec<&mut Test> = differences.filter_map(|difference| difference.test.as_mut()).collect();
    let p: Vec<f64> = tests.iter().map(|test| test.p).collect();
    for (test, adjusted) in tests.iter_mut().zip(holm::adjusted(&p)) {
        test.adjusted = adjusted;
    }
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
    arms: &'a Arms,
    resamples: usize,
    seed: u64,
}

impl Measured<'_> {
    fn compare(&self) -> MeasureComparison {
        let (mut levels, mut pairs, mut differences) = (Vec::new(), Vec::new(), Vec::new());
        if self.evaluator.comparator {
            pairs.extend(self.arms.contrasts.iter().filter_map(|contrast| self.pair(contrast)));
        } else {
            let columns: Vec<Column<'_>> = self.arms.all.iter().map(|arm| self.column(Of::Arm(arm))).collect();
            let each = self.arms.all.iter().zip(&columns);
            let level =
                |(arm, column)| self.level(column, &columns).map(|level| ArmLevel { arm: Clone::clone(arm), level });
            levels.extend(each.filter_map(level));
            differences.extend(self.arms.contrasts.iter().filter_map(|contrast| self.difference(contrast)));
        }
        MeasureComparison {
            evaluator: self.evaluator.name.clone(),
            info: self.info.clone(),
            comparator: self.evaluator.comparator,
            levels,
            pairs,
            differences,
        }
    }

    fn column(&self, of: Of<'_>) -> Column<'_> {
        self.table.column(self.suite, &self.evaluator.name, &self.info.name, of)
    }

    fn pair(&self, contrast: &Contrast) -> Option<PairLevel> {
        let column = self.column(Of::Contrast(contrast));
        let level = self.level(&column, &[])?;
        Some(PairLevel { contrast: contrast.clone(), level, slices: self.slices(&column, None) })
    }

    /// `None` for an arm without any row. `all` are the columns of every arm.
    fn level(&self, column: &Column<'_>, all: &[Column<'_>]) -> Option<Level> {
        if column.is_empty() {
            return None;
        }
        let scored = column.scored();
        let values: Vec<f64> = scored.iter().map(|(_, value)| *value).collect();
        let elsewhere = |index: usize| all.iter().any(|other| matches!(other.cells[index], Cell::Value(_)));
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

    /// `None` where an arm has no row.
    fn difference(&self, contrast: &Contrast) -> Option<Difference> {
        let (reference, candidate) = (Of::Arm(&contrast.reference), Of::Arm(&contrast.candidate));
        let (reference, candidate) = (self.column(reference), self.column(candidate));
        let both = !reference.is_empty() && !candidate.is_empty();
        both.then(|| self.between(contrast, &reference, &candidate))
    }

    fn between(&self, contrast: &Contrast, reference: &Column<'_>, candidate: &Column<'_>) -> Difference {
        let pairs = reference.paired(candidate);
        let differences: Vec<(usize, f64)> =
            pairs.iter().map(|(index, (reference, candidate))| (*index, candidate - reference)).collect();
        let values: Vec<f64> = differences.iter().map(|(_, difference)| *difference).collect();
        let clusters = self.groups.split(&differences);
        let evidence = self.difference_evidence(&pairs, &values, clusters.as_deref());
        let (better, worse) = self.split(&differences);
        let flips = |of: &[usize]| if self.info.binary { self.ids(of) } else { Vec::new() };
        let real = !self.info.binary && clusters.is_none() && self.resamples > 0;
        Difference {
            contrast: contrast.clone(),
            n: values.len(),
            mean: (!values.is_empty()).then(|| mean(&values)),
            interval: evidence.interval(LEVEL),
            bootstrap: real.then(|| bootstrap::bca(&values, LEVEL, self.resamples, self.seed(contrast))),
            test: evidence.two_sided(0.0).map(|p| Test { name: evidence.method().into(), p, adjusted: p }),
            detectable: power::detectable(&evidence, (1.0 - LEVEL) / 2.0),
            wins: better.len(),
            ties: values.len() - better.len() - worse.len(),
            losses: worse.len(),
            harmful: flips(&worse),
            beneficial: flips(&better),
            slices: self.slices(candidate, Some(reference)),
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

    /// Positions of the samples in which the candidate is better, and of those in which it is worse.
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

    /// Another one for another contrast; what tuned against base draws does not depend on there being others.
    fn seed(&self, contrast: &Contrast) -> u64 {
        let mut names = vec![self.suite.name.as_str(), &self.evaluator.name, &self.info.name];
        if *contrast != Contrast::of_training() {
            names.extend([contrast.candidate.as_str(), contrast.reference.as_str()]);
        }
        seed_of(self.seed, &names)
    }

    fn bounds(&self) -> Option<(f64, f64)> {
        if self.info.binary { Some((0.0, 1.0)) } else { self.info.bounds }
    }

    /// `column` is the candidate's or the comparator's.
    fn slices(&self, column: &Column<'_>, reference: Option<&Column<'_>>) -> Vec<Slice> {
        let tags = self.suite.samples.iter().flat_map(|sample| &sample.tags).filter(|(name, _)| *name != "cluster");
        let tags: BTreeSet<(&String, &String)> = tags.collect();
        tags.into_iter().map(|(tag, value)| self.slice(tag, value, column, reference)).collect()
    }

    fn slice(&self, tag: &str, value: &str, column: &Column<'_>, reference: Option<&Column<'_>>) -> Slice {
        let inside = |index: usize| self.suite.samples[index].tags.get(tag).is_some_and(|found| found == value);
        let blank = |n, interval| Slice {
            tag: tag.into(),
            value: value.into(),
            n,
            reference: None,
            candidate: None,
            difference: None,
            interval,
        };
        let average = |values: &[f64]| (!values.is_empty()).then(|| mean(values));
        let Some(reference) = reference else {
            let scored: Vec<(usize, f64)> = column.scored().into_iter().filter(|(index, _)| inside(*index)).collect();
            let values: Vec<f64> = scored.iter().map(|(_, value)| *value).collect();
            let evidence = self.level_evidence(&values, self.groups.split(&scored).as_deref());
            return Slice { candidate: average(&values), ..blank(values.len(), evidence.interval(LEVEL)) };
        };
        let pairs: Vec<_> = reference.paired(column).into_iter().filter(|(index, _)| inside(*index)).collect();
        let differences: Vec<(usize, f64)> =
            pairs.iter().map(|(index, (reference, candidate))| (*index, candidate - reference)).collect();
        let values: Vec<f64> = differences.iter().map(|(_, value)| *value).collect();
        let evidence = self.difference_evidence(&pairs, &values, self.groups.split(&differences).as_deref());
        let interval = match values.len() {
            0 => Interval::TooFew { n: 0 },
            _ => evidence.interval(LEVEL),
        };
        Slice {
            reference: average(&pairs.iter().map(|(_, (reference, _))| *reference).collect::<Vec<f64>>()),
            candidate: average(&pairs.iter().map(|(_, (_, candidate))| *candidate).collect::<Vec<f64>>()),
            difference: average(&values),
            ..blank(values.len(), interval)
        }
    }
}
