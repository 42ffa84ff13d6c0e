//! A suite's measures as Markdown tables: one where two arms are all there is, else one of levels and one of differences.

use super::cell::cell;
use super::{arms, words};
use crate::number::{Unit, confidence, p_value};
use diapason_core::arm::Contrast;
use diapason_core::compare::{Comparison, Difference, Level, MeasureComparison, SuiteComparison};

/// Each table's head and rows.
pub(super) fn of(comparison: &Comparison, suite: &SuiteComparison) -> Vec<(String, Vec<String>)> {
    let title = format!(
        "\n### {}\n\n{}, {} intervals\n",
        cell(&suite.name),
        words::samples(suite),
        confidence(comparison.level)
    );
    match arms::only_two(comparison) {
        Some(two) => vec![side_by_side(&title, two, suite)],
        None => vec![levels(&title, suite), differences(comparison, suite)],
    }
}

fn side_by_side(title: &str, two: &Contrast, suite: &SuiteComparison) -> (String, Vec<String>) {
    let (reference, candidate) = (arms::capital(&two.reference), arms::capital(&two.candidate));
    let head = format!(
        "{title}\n| Measure | {} | {} | {} | Better / same / worse | p |\n|---|---:|---:|---:|---:|---:|\n",
        cell(reference),
        cell(candidate),
        cell(&arms::capital_difference(two)),
    );
    (head, suite.measures.iter().map(|measure| both(two, measure)).collect())
}

fn both(two: &Contrast, measure: &MeasureComparison) -> String {
    let unit = Unit::of(&measure.info);
    let difference = measure.difference(two);
    let pair = measure.pair(two).map(|pair| &pair.level);
    let missing = words::missing(measure).map(|text| format!(" ({})", cell(&text))).unwrap_or_default();
    format!(
        "| {}{missing} | {} | {} | {} | {} | {} |\n",
        cell(&measure.full_name()),
        level(measure.level(&two.reference), unit),
        level(measure.level(&two.candidate).or(pair), unit),
        change(difference, unit),
        pairs(difference),
        p(difference),
    )
}

fn levels(title: &str, suite: &SuiteComparison) -> (String, Vec<String>) {
    let rows = suite.measures.iter().flat_map(|measure| {
        let unit = Unit::of(&measure.info);
        let arms = measure.levels.iter().map(|one| (one.arm.to_string(), &one.level));
        let pairs = measure.pairs.iter().map(|one| (one.contrast.to_string(), &one.level));
        arms.chain(pairs).map(move |(of, one)| {
            let missing = words::lacking(one, "").join(", ");
            let (measure, of) = (cell(&measure.full_name()), cell(&of));
            format!("| {measure} | {of} | {} | {missing} |\n", level(Some(one), unit))
        })
    });
    (format!("{title}\n| Measure | Arm | Level | Missing |\n|---|---|---:|---|\n"), rows.collect())
}

fn differences(comparison: &Comparison, suite: &SuiteComparison) -> (String, Vec<String>) {
    let rows = suite.measures.iter().flat_map(|measure| {
        let unit = Unit::of(&measure.info);
        measure.differences.iter().map(move |one| {
            let adjusted = one.test.as_ref().map_or("–".into(), |test| cell(&p_value(test.adjusted)));
            format!(
                "| {} | {} | {} | {} | {} | {adjusted} |\n",
                cell(&measure.full_name()),
                cell(&arms::difference(&one.contrast)),
                change(Some(one), unit),
                pairs(Some(one)),
                p(Some(one)),
            )
        })
    });
    let head = format!(
        "\n| Measure | Difference | | Better / same / worse | p | {} |\n|---|---|---:|---:|---:|---:|\n",
        words::adjusted(comparison)
    );
    (head, rows.collect())
}

fn level(level: Option<&Level>, unit: Unit) -> String {
    let measured = level.and_then(|it| Some((it.mean?, &it.interval)));
    measured
        .map_or("–".into(), |(mean, interval)| format!("{}{}", unit.level(mean), in_brackets(unit.levels(interval))))
}

fn change(difference: Option<&Difference>, unit: Unit) -> String {
    let measured = difference.and_then(|it| Some((it.mean?, &it.interval)));
    measured.map_or("–".into(), |(mean, interval)| {
        format!("**{}**{}", unit.difference(mean), in_brackets(unit.differences(interval)))
    })
}

fn pairs(difference: Option<&Difference>) -> String {
    difference.map_or("–".into(), |it| format!("{} / {} / {}", it.wins, it.ties, it.losses))
}

fn p(difference: Option<&Difference>) -> String {
    difference.and_then(|it| it.test.as_ref()).map_or("–".into(), |test| cell(&p_value(test.p)))
}

fn in_brackets(interval: Option<String>) -> String {
    interval.map(|text| format!("<br>{text}")).unwrap_or_default()
}
