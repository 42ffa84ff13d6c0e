//! A suite as tables: every measure's levels and differences, its flips, and the same by tag.

use super::{arms, flips, words};
use crate::number::{Unit, count, p_value};
use diapason_core::arm::{Arm, Contrast};
use diapason_core::compare::{Comparison, Difference, Level, MeasureComparison, Slice, SuiteComparison};
use diapason_core::stats::Interval;
use serde::Serialize;

/// A suite.
#[derive(Debug, Serialize)]
pub(super) struct Suite {
    name: String,
    samples: String,
    measures: Vec<Measure>,
    /// Binary measures with pairs.
    flips: Vec<Flips>,
    slices: Vec<SliceRow>,
}

#[derive(Debug, Serialize)]
struct Measure {
    name: String,
    summary: String,
    lower_is_better: bool,
    /// Why some samples have no value.
    missing: Option<String>,
    /// Where there are two arms, the reference and the candidate, of which a comparator has only the latter; else every arm,
    /// or every two that a comparator saw.
    levels: Vec<LevelRow>,
    differences: Vec<DifferenceRow>,
}

#[derive(Debug, Serialize)]
struct LevelRow {
    name: String,
    cell: Option<Cell>,
    missing: String,
}

#[derive(Debug, Serialize)]
struct DifferenceRow {
    name: String,
    cell: Cell,
    /// Wins, ties, losses.
    pairs: String,
    test: Option<String>,
    /// The same p value after Holm's correction over every test of the comparison.
    adjusted: Option<String>,
}

/// A value and its interval.
#[derive(Debug, Serialize)]
struct Cell {
    value: String,
    interval: String,
    method: String,
}

#[derive(Debug, Serialize)]
struct Flips {
    measure: String,
    arm: String,
    against: String,
    better: usize,
    same: usize,
    worse: usize,
    /// Widths of the bar's pieces and where they begin, in percent.
    better_share: String,
    same_share: String,
    worse_share: String,
    worse_start: String,
    /// The first harmful samples.
    examples: Vec<String>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct SliceRow {
    measure: String,
    contrast: String,
    tag: String,
    value: String,
    n: String,
    reference: String,
    candidate: String,
    difference: String,
    interval: String,
}

/// Harmful samples that are linked from the overview; the list below has all of them.
const EXAMPLES: usize = 8;

/// Every suite of a comparison.
pub(super) fn suites(comparison: &Comparison) -> Vec<Suite> {
    let suite = |suite: &SuiteComparison| Suite {
        name: suite.name.clone(),
        samples: words::samples(suite),
        measures: suite.measures.iter().map(|one| measure(comparison, one)).collect(),
        flips: flips::of_suite(suite).map(|it| bar(&it)).collect(),
        slices: suite.measures.iter().flat_map(slices).collect(),
    };
    comparison.suites.iter().map(suite).collect()
}

fn measure(comparison: &Comparison, measure: &MeasureComparison) -> Measure {
    let unit = Unit::of(&measure.info);
    Measure {
        name: measure.full_name(),
        summary: measure.info.summary.clone(),
        lower_is_better: !measure.info.higher_is_better,
        missing: words::missing(measure),
        levels: levels(comparison, measure, unit),
        differences: measure.differences.iter().map(|it| difference(it, unit)).collect(),
    }
}

fn levels(comparison: &Comparison, measure: &MeasureComparison, unit: Unit) -> Vec<LevelRow> {
    let arm = |arm: &Arm| level(arm.to_string(), measure.level(arm), unit);
    let pair = |contrast: &Contrast| level(contrast.to_string(), measure.pair(contrast).map(|pair| &pair.level), unit);
    match arms::only_two(comparison) {
        Some(two) if measure.comparator => vec![level(String::new(), None, unit), pair(two)],
        Some(two) => vec![arm(&two.reference), arm(&two.candidate)],
        None if measure.comparator => comparison.contrasts.iter().map(pair).collect(),
        None => comparison.arms.iter().map(arm).collect(),
    }
}

fn level(name: String, level: Option<&Level>, unit: Unit) -> LevelRow {
    let cell = level.map(|level| Cell {
        value: level.mean.map_or("–".into(), |mean| unit.level(mean)),
        interval: unit.levels(&level.interval).unwrap_or_default(),
        method: method(&level.interval),
    });
    let missing = level.map_or("not measured".into(), |level| words::lacking(level, "").join(", "));
    LevelRow { name, cell, missing }
}

fn difference(difference: &Difference, unit: Unit) -> DifferenceRow {
    let test = difference.test.as_ref();
    DifferenceRow {
        name: arms::difference(&difference.contrast),
        cell: Cell {
            value: difference.mean.map_or("–".into(), |mean| unit.difference(mean)),
            interval: unit.differences(&difference.interval).unwrap_or_default(),
            method: method(&difference.interval),
        },
        pairs: format!("{} / {} / {}", difference.wins, difference.ties, difference.losses),
        test: test.map(|test| format!("{} ({})", p_value(test.p), test.name)),
        adjusted: test.map(|test| p_value(test.adjusted)),
    }
}

fn method(interval: &Interval) -> String {
    match interval {
        Interval::Known { method, .. } => method.clone(),
        Interval::TooFew { n } => format!("n = {n} is too few for an interval"),
    }
}

fn bar(flips: &flips::Flips<'_>) -> Flips {
    let &flips::Flips { better, same, worse, harmful, contrast, .. } = flips;
    let total = (better + same + worse).max(1) as f64;
    let share = |number: usize| format!("{:.3}%", 100.0 * number as f64 / total);
    Flips {
        measure: flips.measure.clone(),
        arm: contrast.candidate.to_string(),
        against: contrast.reference.to_string(),
        better,
        same,
        worse,
        better_share: share(better),
        same_share: share(same),
        worse_share: share(worse),
        worse_start: share(better + same),
        examples: harmful.iter().take(EXAMPLES).cloned().collect(),
        more: harmful.len().saturating_sub(EXAMPLES),
    }
}

fn slices(measure: &MeasureComparison) -> Vec<SliceRow> {
    let differences = measure.differences.iter().map(|it| (&it.contrast, &it.slices));
    let pairs = measure.pairs.iter().map(|it| (&it.contrast, &it.slices));
    let rows = differences.chain(pairs);
    rows.flat_map(|(contrast, slices)| slices.iter().map(move |slice| slice_row(measure, contrast, slice))).collect()
}

fn slice_row(measure: &MeasureComparison, contrast: &Contrast, slice: &Slice) -> SliceRow {
    let unit = Unit::of(&measure.info);
    let level = |value: Option<f64>| value.map_or("–".into(), |value| unit.level(value));
    let paired = slice.difference.is_some();
    let interval = if paired { unit.differences(&slice.interval) } else { unit.levels(&slice.interval) };
    SliceRow {
        measure: measure.full_name(),
        contrast: contrast.to_string(),
        tag: slice.tag.clone(),
        value: slice.value.clone(),
        n: count(slice.n as u64),
        reference: level(slice.reference),
        candidate: level(slice.candidate),
        difference: slice.difference.map_or("–".into(), |value| unit.difference(value)),
        interval: interval.unwrap_or_else(|| "too few".into()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_of_a_flip_bar_fill_it() {
        let report = crate::render::fixture::report(20, 15);
        for bar in report.comparison.suites.iter().flat_map(flips::of_suite).map(|it| super::bar(&it)) {
            let width = |text: &str| text.trim_end_matches('%').parse::<f64>().unwrap();
            let whole = width(&bar.better_share) + width(&bar.same_share) + width(&bar.worse_share);
            assert!((whole - 100.0).abs() < 0.01, "{whole}");
        }
    }

    #[test]
    fn an_interval_that_does_not_exist_is_said_so() {
        assert_eq!(method(&Interval::TooFew { n: 1 }), "n = 1 is too few for an interval");
    }

    #[test]
    fn an_arm_without_scores_has_a_row_and_no_value() {
        let mut report = crate::render::fixture::four_arms(20, 15);
        let few = Arm::from("few-shot");
        report.comparison.suites[0].measures[0].levels.retain(|level| level.arm != few);
        let rows = suites(&report.comparison).remove(0).measures.remove(0).levels;
        let row = rows.iter().find(|row| row.name == "few-shot").unwrap();
        assert!(row.cell.is_none() && row.missing == "not measured");
    }
}
