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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::render::{fixture, html, junit, markdown};

    /// A sample that one measure calls better and another worse is counted by both, wherever flips are counted.
    #[test]
    fn every_renderer_counts_the_same() {
        let mut report = fixture::report(20, 15);
        let id = report.samples[0].sample.clone();
        let valid = report.comparison.suites[0].measures[1].difference.as_mut().unwrap();
        (valid.wins, valid.losses, valid.harmful) = (valid.wins - 1, 1, vec![id.clone()]);
        let (page, comment, cases) =
            (html::render(&report).unwrap(), markdown::render(&report), junit::render(&report));
        let all: Vec<Flips<'_>> = report.comparison.suites.iter().flat_map(of_suite).collect();
        assert!(all.iter().any(|flips| flips.worse > 0 && flips.better > 0));
        for Flips { suite, measure, better, same, worse, .. } in all {
            let row = format!("| {suite} | {measure} | {better} | {same} | {worse} |");
            assert!(comment.contains(&row), "{row} is not in {comment}");
            let link = format!("data-suite=\"{suite}\" data-measure=\"{measure}\" data-kind=\"harmful\">▼ {worse}<");
            assert_eq!(page.contains(&link), worse > 0, "{link}");
        }
        assert!(comment.contains(&format!("| address {id} | format.valid |")), "{comment}");
        assert!(cases.contains("got worse than base by format.valid"), "{cases}");
    }
}
