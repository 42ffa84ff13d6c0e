//! The interval plot: where levels, differences and the rules' lines lie on their axes.
//!
//! Positions are percentages of the panel's width, so that the drawing stretches and its text does not.

use crate::number::{Unit, ends};
use diapason_core::compare::{Difference, Level, MeasureComparison, SuiteComparison};
use diapason_core::gate::{ConditionKind, ConditionResult};
use diapason_core::stats::Interval;
use serde::Serialize;

/// Measures of one suite that share their axes.
#[derive(Debug, Serialize)]
pub(crate) struct Group {
    suite: String,
    levels: Vec<Tick>,
    differences: Vec<Tick>,
    zero: String,
    rows: Vec<Row>,
}

/// One measure.
#[derive(Debug, Serialize)]
struct Row {
    measure: String,
    base: Option<Mark>,
    tuned: Option<Mark>,
    pair: Option<Mark>,
    difference: Option<Mark>,
    level_lines: Vec<Line>,
    difference_lines: Vec<Line>,
}

/// A value with its interval, on the axis and in words.
#[derive(Debug, Serialize)]
struct Mark {
    x: String,
    low: Option<String>,
    high: Option<String>,
    value: String,
    interval: String,
}

/// What a rule holds the interval against.
#[derive(Debug, Serialize)]
struct Line {
    x: String,
    label: String,
}

/// A labelled place on an axis.
#[derive(Debug, Serialize)]
struct Tick {
    x: String,
    label: String,
    anchor: &'static str,
}

/// Lays out every measure. In a suite, shares have their axes in common, and so have other values between 0 and 1; any
/// other measure has its own. Suites do not share: a margin of two points has to be seen beside a gain of ninety.
pub(crate) fn layout(suites: &[SuiteComparison], conditions: &[ConditionResult]) -> Vec<Group> {
    suites.iter().flat_map(|suite| of_suite(suite, conditions)).collect()
}

fn of_suite(suite: &SuiteComparison, conditions: &[ConditionResult]) -> Vec<Group> {
    let (shared, own): (Vec<Entry>, Vec<Entry>) =
        entries(suite, conditions).partition(|entry| entry.bounds() == Some((0.0, 1.0)));
    let (shares, plain): (Vec<Entry>, Vec<Entry>) = shared.into_iter().partition(|entry| entry.unit == Unit::Share);
    let groups = [shares, plain].into_iter().chain(own.into_iter().map(|entry| vec![entry]));
    groups.filter(|group| !group.is_empty()).map(|group| draw(&suite.name, &group)).collect()
}

/// A measure that is to be drawn, with the rules about it.
struct Entry<'a> {
    measure: &'a MeasureComparison,
    conditions: Vec<&'a ConditionResult>,
    unit: Unit,
}

impl Entry<'_> {
    fn bounds(&self) -> Option<(f64, f64)> {
        if self.unit == Unit::Share { Some((0.0, 1.0)) } else { self.measure.info.bounds }
    }

    fn levels(&self) -> impl Iterator<Item = &Level> {
        [&self.measure.base, &self.measure.tuned, &self.measure.pair].into_iter().flatten()
    }

    fn thresholds(&self, paired: bool) -> impl Iterator<Item = f64> {
        self.conditions
            .iter()
            .filter(move |condition| is_paired(condition) == paired)
            .map(|condition| condition.threshold)
    }

    fn lines(&self, paired: bool, axis: &Axis) -> Vec<Line> {
        let label = |value| if paired { self.unit.difference(value) } else { self.unit.level(value) };
        self.thresholds(paired).map(|value| Line { x: axis.x(value), label: label(value) }).collect()
    }
}

fn entries<'a>(suite: &'a SuiteComparison, conditions: &'a [ConditionResult]) -> impl Iterator<Item = Entry<'a>> {
    suite.measures.iter().map(|measure| {
        let name = measure.full_name();
        let about = conditions.iter().filter(|rule| rule.suite == suite.name && rule.measure == name).collect();
        Entry { measure, conditions: about, unit: Unit::of(&measure.info) }
    })
}

fn is_paired(condition: &ConditionResult) -> bool {
    matches!(condition.kind, ConditionKind::Margin | ConditionKind::Gain)
}

fn draw(suite: &str, entries: &[Entry]) -> Group {
    let unit = entries[0].unit;
    let levels = match entries[0].bounds() {
        Some((low, high)) if low < high => Axis { low, high, step: step(low, high) },
        Some(_) => Axis::around(std::iter::empty()),
        None => Axis::around(entries.iter().flat_map(level_values)),
    };
    let differences = Axis::around(entries.iter().flat_map(difference_values).chain([0.0]));
    Group {
        suite: suite.into(),
        levels: levels.ticks(|value| unit.level(value)),
        differences: differences.ticks(|value| unit.difference(value)),
        zero: differences.x(0.0),
        rows: entries.iter().map(|entry| row(entry, &levels, &differences)).collect(),
    }
}

fn level_values(entry: &Entry) -> Vec<f64> {
    let levels = entry.levels().flat_map(|level| values(level.mean, &level.interval));
    levels.chain(entry.thresholds(false)).collect()
}

fn difference_values(entry: &Entry) -> Vec<f64> {
    let difference = entry.measure.difference.iter().flat_map(|it| values(it.mean, &it.interval));
    difference.chain(entry.thresholds(true)).collect()
}

fn values(mean: Option<f64>, interval: &Interval) -> Vec<f64> {
    ends(interval).into_iter().flat_map(|(low, high)| [low, high]).chain(mean).collect()
}

fn row(entry: &Entry, levels: &Axis, differences: &Axis) -> Row {
    let measure = entry.measure;
    let level = |level: &Option<Level>| level.as_ref().and_then(|it| level_mark(it, entry.unit, levels));
    Row {
        measure: measure.full_name(),
        base: level(&measure.base),
        tuned: level(&measure.tuned),
        pair: level(&measure.pair),
        difference: measure.difference.as_ref().and_then(|it| difference_mark(it, entry.unit, differences)),
        level_lines: entry.lines(false, levels),
        difference_lines: entry.lines(true, differences),
    }
}

fn level_mark(level: &Level, unit: Unit, axis: &Axis) -> Option<Mark> {
    let interval = unit.levels(&level.interval).unwrap_or_else(|| "no interval".into());
    level.mean.map(|mean| mark(mean, &level.interval, axis, unit.level(mean), interval))
}

fn difference_mark(difference: &Difference, unit: Unit, axis: &Axis) -> Option<Mark> {
    let interval = unit.differences(&difference.interval).unwrap_or_else(|| "no interval".into());
    difference.mean.map(|mean| mark(mean, &difference.interval, axis, unit.difference(mean), interval))
}

fn mark(mean: f64, interval: &Interval, axis: &Axis, value: String, words: String) -> Mark {
    let (low, high) = ends(interval).map(|(low, high)| (axis.x(low), axis.x(high))).unzip();
    Mark { x: axis.x(mean), low, high, value, interval: words }
}

/// A linear axis from `low` to `high` with a tick at every multiple of `step`.
struct Axis {
    low: f64,
    high: f64,
    step: f64,
}

impl Axis {
    /// The smallest axis with round ends around the values.
    fn around(values: impl Iterator<Item = f64>) -> Self {
        let finite = values.filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return Self { low: 0.0, high: 1.0, step: 0.5 };
        }
        let step = step(low, high);
        let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        if low < high { Self { low, high, step } } else { Self { low: low - step, high: high + step, step } }
    }

    /// A value's place in percent, a little inside of the panel so that marks at the ends are whole.
    fn x(&self, value: f64) -> String {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        format!("{:.2}%", 2.0 + 96.0 * share)
    }

    fn ticks(&self, label: impl Fn(f64) -> String) -> Vec<Tick> {
        // An end that is a multiple of the step has its tick, whatever the division rounds to.
        let place = |value: f64, off: f64| value / self.step + off;
        let (first, last) = (place(self.low, -1e-6).ceil() as i64, place(self.high, 1e-6).floor() as i64);
        let anchor = |index| match index {
            _ if index == first => "start",
            _ if index == last => "end",
            _ => "middle",
        };
        let tick = |index: i64| {
            let value = index as f64 * self.step;
            Tick { x: self.x(value), label: label(value).replace(".0 ", " "), anchor: anchor(index) }
        };
        (first..=last).map(tick).collect()
    }
}

/// A round distance (1, 2 or 5 times a power of ten) of which two to five fit into the range.
fn step(low: f64, high: f64) -> f64 {
    let range = (high - low).max(high.abs() * 1e-6).max(1e-9);
    let power = 10f64.powf((range / 4.0).log10().floor());
    let multiple = [1.0, 2.0, 5.0, 10.0].into_iter().find(|multiple| range / (multiple * power) <= 4.001);
    multiple.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture;

    #[test]
    fn axes_end_at_round_numbers_around_the_values() {
        let axis = Axis::around([-0.02, 0.0, 0.617].into_iter());
        assert_eq!((axis.low, axis.high), (-0.2, 0.8));
        assert_eq!(axis.x(-0.2), "2.00%");
        assert_eq!(axis.x(0.8), "98.00%");
        let labels: Vec<String> =
            axis.ticks(|value| Unit::Share.difference(value)).into_iter().map(|tick| tick.label).collect();
        assert_eq!(labels, ["−20 pp", "0 pp", "+20 pp", "+40 pp", "+60 pp", "+80 pp"]);
    }

    #[test]
    fn degenerate_ranges_still_have_an_axis() {
        for values in [vec![], vec![0.0], vec![7.0, 7.0], vec![f64::NAN, 1.0], vec![-1e12, 1e12]] {
            let axis = Axis::around(values.iter().copied());
            assert!(axis.low < axis.high, "{values:?}");
            let ticks = axis.ticks(|value| Unit::Plain.level(value));
            assert!((1..=7).contains(&ticks.len()), "{values:?}: {} ticks", ticks.len());
        }
    }

    #[test]
    fn the_interval_is_drawn_around_its_value_and_the_rule_where_it_was_set() {
        let report = fixture::report(20, 15);
        let conditions = report.gate.as_ref().map(|gate| gate.conditions.as_slice()).unwrap_or_default();
        let groups = layout(&report.comparison.suites, conditions);
        insta::assert_json_snapshot!(groups[0].rows[0]);
        let rows: usize = groups.iter().map(|group| group.rows.len()).sum();
        let measures: usize = report.comparison.suites.iter().map(|suite| suite.measures.len()).sum();
        assert_eq!(rows, measures, "every measure is drawn once");
    }
}
