//! A comparison on the terminal.

use super::{arms, words};
use crate::number::Unit;
use crate::paint::Paint;
use diapason_core::arm::Contrast;
use diapason_core::compare::{Comparison, Level, MeasureComparison, SuiteComparison};
use diapason_core::escape::line;
use diapason_core::stats::Interval;
use std::fmt::Write as _;

/// Every measure: on one line where two arms are all there is, else with a line for each arm and each difference.
pub(crate) fn comparison(comparison: &Comparison, paint: Paint) -> String {
    let mut text = String::new();
    let width = match arms::only_two(comparison) {
        Some(_) => widest(comparison.suites.iter().flat_map(|suite| suite.measures.iter().map(named))),
        None => widest(comparison.suites.iter().flat_map(|suite| &suite.measures).flat_map(rows).map(|row| row.name)),
    };
    for suite in &comparison.suites {
        let head = format!("{} · {}", line(&suite.name), words::samples(suite));
        let _ = writeln!(text, "{}", paint.bold(&head));
        match arms::only_two(comparison) {
            Some(two) => side_by_side(&mut text, suite, two, width, paint),
            None => below_each_other(&mut text, suite, width, paint),
        }
    }
    text
}

fn widest(names: impl Iterator<Item = String>) -> usize {
    names.map(|name| name.chars().count()).max().unwrap_or(0)
}

fn named(measure: &MeasureComparison) -> String {
    line(&measure.full_name()).into_owned()
}

fn side_by_side(text: &mut String, suite: &SuiteComparison, two: &Contrast, width: usize, paint: Paint) {
    let (reference, candidate) = (line(two.reference.as_str()), line(two.candidate.as_str()));
    let difference = arms::difference(two);
    let columns = format!("  {:width$}  {reference:>9}  {candidate:>9}  {}", "", line(&difference));
    let _ = writeln!(text, "{}", paint.dim(&columns));
    for measure in &suite.measures {
        let _ = writeln!(text, "  {:width$}  {}", named(measure), values(measure, two));
    }
}

fn values(measure: &MeasureComparison, two: &Contrast) -> String {
    let unit = Unit::of(&measure.info);
    if let Some(pair) = measure.pair(two) {
        let interval = unit.levels(&pair.level.interval).map(|range| format!("  ({range})")).unwrap_or_default();
        return format!("{:>9}  {:>9}{interval}", "", mean(Some(&pair.level), unit));
    }
    let difference = measure.difference(two).and_then(|difference| {
        let interval = unit.differences(&difference.interval).map(|range| format!(" ({range})")).unwrap_or_default();
        difference.mean.map(|mean| format!("{}{interval}", unit.difference(mean)))
    });
    let (reference, candidate) = (measure.level(&two.reference), measure.level(&two.candidate));
    format!("{:>9}  {:>9}  {}", mean(reference, unit), mean(candidate, unit), difference.unwrap_or_else(|| "–".into()))
}

fn mean(level: Option<&Level>, unit: Unit) -> String {
    level.and_then(|level| level.mean).map_or("–".into(), |mean| unit.level(mean))
}

fn below_each_other(text: &mut String, suite: &SuiteComparison, width: usize, paint: Paint) {
    for measure in &suite.measures {
        let _ = writeln!(text, "  {}", paint.dim(&named(measure)));
        for Row { name, value, interval } in rows(measure) {
            let interval = interval.map(|range| format!("  ({range})")).unwrap_or_default();
            let _ = writeln!(text, "    {name:width$}  {value:>9}{interval}");
        }
    }
}

/// An arm's level, or a difference.
struct Row {
    name: String,
    value: String,
    interval: Option<String>,
}

fn rows(measure: &MeasureComparison) -> Vec<Row> {
    let unit = Unit::of(&measure.info);
    let row = |name: String, value: Option<String>, interval: Option<String>| Row {
        name: line(&name).into_owned(),
        value: value.unwrap_or_else(|| "–".into()),
        interval,
    };
    let level =
        |name: String, level: &Level| row(name, level.mean.map(|mean| unit.level(mean)), unit.levels(&level.interval));
    let change = |interval: &Interval| unit.differences(interval);
    let levels = measure.levels.iter().map(|one| level(one.arm.to_string(), &one.level));
    let pairs = measure.pairs.iter().map(|one| level(one.contrast.to_string(), &one.level));
    let differences = measure.differences.iter().map(|one| {
        let value = one.mean.map(|mean| unit.difference(mean));
        row(arms::difference(&one.contrast), value, change(&one.interval))
    });
    levels.chain(pairs).chain(differences).collect()
}
