//! What the page shows, in words and figures: the report turned into what the template fills in.

use super::about::About;
use super::curve::LossCurve;
use super::words::{self, Subject};
use super::{flips, forest};
use crate::number::{Unit, confidence, count, counted, duration, fixed, p_value};
use diapason_core::compare::{Level, MeasureComparison, Slice, SuiteComparison};
use diapason_core::gate::{ConditionResult, GateResult, Verdict};
use diapason_core::report::{Report, Training};
use diapason_core::stats::Interval;
use serde::Serialize;

/// Everything on the page but the samples.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    name: String,
    gate: Option<Gate>,
    /// Confidence level of the intervals outside of the gate.
    level: String,
    forest: Vec<forest::Group>,
    suites: Vec<Suite>,
    training: Option<TrainingCard>,
    findings: Vec<(String, &'static str)>,
    about: About,
    date: String,
    samples: usize,
}

#[derive(Debug, Serialize)]
struct Gate {
    verdict: Verdict,
    word: &'static str,
    summary: String,
    /// How the rules were held.
    method: String,
    conditions: Vec<Condition>,
}

#[derive(Debug, Serialize)]
struct Condition {
    verdict: Verdict,
    word: &'static str,
    suite: String,
    measure: String,
    required: String,
    shown: String,
    outlook: Option<String>,
}

#[derive(Debug, Serialize)]
struct Suite {
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
    base: Option<Cell>,
    tuned: Option<Cell>,
    difference: Option<Cell>,
    /// Wins, ties, losses.
    pairs: Option<String>,
    test: Option<String>,
    missing: Option<String>,
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
    tag: String,
    value: String,
    n: String,
    base: String,
    tuned: String,
    difference: String,
    interval: String,
}

#[derive(Debug, Serialize)]
struct TrainingCard {
    trainable: String,
    steps: String,
    tokens: String,
    seconds: String,
    speed: Option<String>,
    loss: Option<LossCurve>,
}

/// Harmful samples that are linked from the overview; the list below has all of them.
const EXAMPLES: usize = 8;

impl Page {
    /// The page of a report.
    pub(crate) fn of(report: &Report) -> Self {
        let conditions = report.gate.as_ref().map(|gate| gate.conditions.as_slice()).unwrap_or_default();
        Self {
            name: report.name.clone(),
            gate: report.gate.as_ref().map(|it| gate(report, it)),
            level: confidence(report.comparison.level),
            forest: forest::layout(&report.comparison.suites, conditions),
            suites: report.comparison.suites.iter().map(suite).collect(),
            training: report.training.as_ref().map(training),
            findings: findings(report),
            about: About::of(report),
            date: report.about.date.clone(),
            samples: report.samples.len(),
        }
    }
}

fn gate(report: &Report, gate: &GateResult) -> Gate {
    Gate {
        verdict: gate.verdict,
        word: words::verdict(gate.verdict),
        summary: words::summary(gate),
        method: words::method(gate),
        conditions: gate.conditions.iter().map(|it| condition(report, it)).collect(),
    }
}

fn condition(report: &Report, condition: &ConditionResult) -> Condition {
    let subject = Subject::of(&report.comparison, condition);
    Condition {
        verdict: condition.verdict,
        word: words::verdict(condition.verdict),
        suite: condition.suite.clone(),
        measure: condition.measure.clone(),
        required: words::required(condition, subject),
        shown: words::shown(condition, subject),
        outlook: words::outlook(condition, subject),
    }
}

fn suite(suite: &SuiteComparison) -> Suite {
    Suite {
        name: suite.name.clone(),
        samples: words::samples(suite),
        measures: suite.measures.iter().map(measure).collect(),
        flips: flips::of_suite(suite).map(|it| bar(&it)).collect(),
        slices: suite.measures.iter().flat_map(|it| it.slices.iter().map(|slice| slice_row(it, slice))).collect(),
    }
}

fn measure(measure: &MeasureComparison) -> Measure {
    let unit = Unit::of(&measure.info);
    let difference = measure.difference.as_ref();
    Measure {
        name: measure.full_name(),
        summary: measure.info.summary.clone(),
        lower_is_better: !measure.info.higher_is_better,
        base: measure.base.as_ref().map(|level| level_cell(level, unit)),
        tuned: measure.tuned.as_ref().or(measure.pair.as_ref()).map(|level| level_cell(level, unit)),
        difference: difference.map(|it| Cell {
            value: it.mean.map_or("–".into(), |mean| unit.difference(mean)),
            interval: unit.differences(&it.interval).unwrap_or_default(),
            method: method(&it.interval),
        }),
        pairs: difference.map(|it| format!("{} / {} / {}", it.wins, it.ties, it.losses)),
        test: difference.and_then(|it| it.test.as_ref()).map(|test| format!("{} ({})", p_value(test.p), test.name)),
        missing: words::missing(measure),
    }
}

fn level_cell(level: &Level, unit: Unit) -> Cell {
    Cell {
        value: level.mean.map_or("–".into(), |mean| unit.level(mean)),
        interval: unit.levels(&level.interval).unwrap_or_default(),
        method: method(&level.interval),
    }
}

fn method(interval: &Interval) -> String {
    match interval {
        Interval::Known { method, .. } => method.clone(),
        Interval::TooFew { n } => format!("n = {n} is too few for an interval"),
    }
}

fn bar(flips: &flips::Flips<'_>) -> Flips {
    let &flips::Flips { better, same, worse, harmful, .. } = flips;
    let total = (better + same + worse).max(1) as f64;
    let share = |number: usize| format!("{:.3}%", 100.0 * number as f64 / total);
    Flips {
        measure: flips.measure.clone(),
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

fn slice_row(measure: &MeasureComparison, slice: &Slice) -> SliceRow {
    let unit = Unit::of(&measure.info);
    let level = |value: Option<f64>| value.map_or("–".into(), |value| unit.level(value));
    let paired = slice.difference.is_some();
    let interval = if paired { unit.differences(&slice.interval) } else { unit.levels(&slice.interval) };
    SliceRow {
        measure: measure.full_name(),
        tag: slice.tag.clone(),
        value: slice.value.clone(),
        n: count(slice.n as u64),
        base: level(slice.base),
        tuned: level(slice.tuned),
        difference: slice.difference.map_or("–".into(), |value| unit.difference(value)),
        interval: interval.unwrap_or_else(|| "too few".into()),
    }
}

fn training(training: &Training) -> TrainingCard {
    let share = 100.0 * training.trainable as f64 / (training.total as f64).max(1.0);
    TrainingCard {
        trainable: format!("{} of {} ({} %)", count(training.trainable), count(training.total), fixed(share, 4)),
        steps: count(training.steps),
        tokens: count(training.tokens),
        seconds: duration(training.seconds),
        speed: (training.seconds > 0.0)
            .then(|| format!("{} tokens/s", count((training.tokens as f64 / training.seconds).round() as u64))),
        loss: LossCurve::of(training),
    }
}

fn findings(report: &Report) -> Vec<(String, &'static str)> {
    let counts = report.findings;
    let allowed = report.allowed.iter().map(|(rule, count)| (words::allowed(rule, *count), "accepted with --allow"));
    let counts = vec![
        (counted(counts.errors, "error"), "training is blocked"),
        (counted(counts.warnings, "warning"), "worth a look"),
        (counted(counts.notes, "note"), "worth knowing"),
    ];
    counts.into_iter().chain(allowed).collect()
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
}
