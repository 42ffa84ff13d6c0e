//! Flips, counted by one rule for every renderer: for each binary measure by itself, the pairs that it calls better, the
//! same and worse. A sample that two measures call worse is counted by both.

use diapason_core::compare::{MeasureComparison, SuiteComparison};
use diapason_core::report::{Report, SideBySide};

/// A binary measure's flips.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flips<'a> {
    /// The suite.
    pub(crate) suite: &'a str,
    /// `plugin.measure`.
    pub(crate) measure: String,
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
    suite.measures.iter().filter(|measure| measure.info.binary).filter_map(|measure| of(&suite.name, measure))
}

fn of<'a>(suite: &'a str, measure: &'a MeasureComparison) -> Option<Flips<'a>> {
    let difference = measure.difference.as_ref()?;
    Some(Flips {
        suite,
        measure: measure.full_name(),
        better: difference.wins,
        same: difference.ties,
        worse: difference.losses,
        harmful: &difference.harmful,
    })
}

/// Each sample that got worse, with the binary measures that say so, in the order of the report.
pub(crate) fn worse(report: &Report) -> Vec<(&SideBySide, Vec<String>)> {
    let flips: Vec<Flips<'_>> = report.comparison.suites.iter().flat_map(of_suite).collect();
    let measures = |sample: &SideBySide| -> Vec<String> {
        let says = |flips: &&Flips<'_>| flips.suite == sample.suite && flips.harmful.contains(&sample.sample);
        flips.iter().filter(says).map(|flips| flips.measure.clone()).collect()
    };
    report.samples.iter().map(|sample| (sample, measures(sample))).filter(|(_, named)| !named.is_empty()).collect()
}
