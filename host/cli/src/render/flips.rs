//! Flips, counted by one rule for every renderer: for each binary measure and each two arms by themselves, the pairs that it
//! calls better, the same and worse. A sample that two measures call worse is counted by both.

use diapason_core::arm::Contrast;
use diapason_core::compare::{Comparison, Difference, MeasureComparison, SuiteComparison};
use diapason_core::report::{Report, SideBySide};
use std::collections::HashMap;

/// A binary measure's flips from one arm to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flips<'a> {
    /// The suite.
    pub(crate) suite: &'a str,
    /// `plugin.measure`.
    pub(crate) measure: String,
    /// The two arms.
    pub(crate) contrast: &'a Contrast,
    /// Pairs that got better.
    pub(crate) better: usize,
    /// Pairs that stayed as they were.
    pub(crate) same: usize,
    /// Pairs that got worse.
    pub(crate) worse: usize,
    /// The samples that got worse.
    pub(crate) harmful: &'a [String],
}

/// A suite's binary measures that have pairs.
pub(crate) fn of_suite(suite: &SuiteComparison) -> impl Iterator<Item = Flips<'_>> {
    let binary = suite.measures.iter().filter(|measure| measure.info.binary);
    binary.flat_map(|measure| measure.differences.iter().map(|difference| of(&suite.name, measure, difference)))
}

fn of<'a>(suite: &'a str, measure: &'a MeasureComparison, difference: &'a Difference) -> Flips<'a> {
    Flips {
        suite,
        measure: measure.full_name(),
        contrast: &difference.contrast,
        better: difference.wins,
        same: difference.ties,
        worse: difference.losses,
        harmful: &difference.harmful,
    }
}

/// The binary measures that call a sample worse in one arm than in another, by suite and sample.
pub(crate) type Worse<'a> = HashMap<(&'a str, &'a str), Vec<String>>;

/// What got worse from the contrast's reference to its candidate.
pub(crate) fn worse<'a>(comparison: &'a Comparison, contrast: &Contrast) -> Worse<'a> {
    let mut worse = Worse::new();
    for flips in comparison.suites.iter().flat_map(of_suite).filter(|flips| flips.contrast == contrast) {
        for id in flips.harmful {
            worse.entry((flips.suite, id)).or_default().push(flips.measure.clone());
        }
    }
    worse
}

/// The samples that got worse, with the measures that say so, in the order of the report.
pub(crate) fn listed<'a>(report: &'a Report, contrast: &Contrast) -> Vec<(&'a SideBySide, Vec<String>)> {
    let mut worse = worse(&report.comparison, contrast);
    let named = |sample: &'a SideBySide| Some((sample, worse.remove(&(&*sample.suite, &*sample.sample))?));
    report.samples.iter().filter_map(named).collect()
}
