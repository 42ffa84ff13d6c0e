//! The interval plot: where levels, differences and the rules' lines lie on their axes. Each arm, and each two that are
//! compared, has a strip of its own, with its name and value beside it.

use super::arms;
use super::axis::{Axis, Tick};
use crate::number::{Unit, ends};
use diapason_core::arm::{Arm, Contrast};
use diapason_core::compare::{Comparison, Level, MeasureComparison, SuiteComparison};
use diapason_core::gate::{ConditionKind, ConditionResult};
use diapason_core::stats::Interval;
use serde::Serialize;

/// Measures of one suite that share their axes.
#[derive(Debug, Serialize)]
pub(crate) struct Group {
    suite: String,
    levels: Vec<Tick>,
    /// Empty where nothing is compared.
    differences: Vec<Tick>,
    zero: String,
    rows: Vec<Row>,
}

/// One measure.
#[derive(Debug, Serialize)]
struct Row {
    measure: String,
    levels: Vec<Strip>,
    differences: Vec<Strip>,
}

/// One arm's level, or one difference.
#[derive(Debug, Serialize)]
struct Strip {
    name: String,
    /// How it is drawn: `base`, `tuned` or `other`.
    look: &'static str,
    mark: Option<Mark>,
    limits: Vec<Limit>,
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
struct Limit {
    x: String,
    label: String,
}

/// Lays out every measure. In a suite, shares have their axes in common, and so have other values between 0 and 1; any
/// other measure has its own. Suites do not share: a margin of two points has to be seen beside a gain of ninety.
pub(crate) fn layout(comparison: &Comparison, conditions: &[ConditionResult]) -> Vec<Group> {
    comparison.suites.iter().flat_map(|suite| of_suite(comparison, suite, conditions)).collect()
}

fn of_suite(comparison: &Comparison, suite: &SuiteComparison, conditions: &[ConditionResult]) -> Vec<Group> {
    let entries = suite.measures.iter().map(|measure| Entry::of(comparison, suite, measure, conditions));
    let (shared, own): (Vec<Entry>, Vec<Entry>) = entries.partition(|entry| entry.bounds() == Some((0.0, 1.0)));
    let (shares, plain): (Vec<Entry>, Vec<Entry>) = shared.into_iter().partition(|entry| entry.unit == Unit::Share);
    let groups = [shares, plain].into_iter().chain(own.into_iter().map(|entry| vec![entry]));
    groups.filter(|group| !group.is_empty()).map(|group| draw(&suite.name, &group)).collect()
}

/// A measure that is to be drawn, with the rules about it.
struct Entry<'a> {
    measure: &'a MeasureComparison,
    unit: Unit,
    levels: Vec<Value<'a>>,
    differences: Vec<Value<'a>>,
}

/// What a strip shows.
struct Value<'a> {
    name: String,
    look: &'static str,
    /// `None` where nothing was measured.
    value: Option<(f64, &'a Interval)>,
    thresholds: Vec<f64>,
}

impl<'a> Entry<'a> {
    fn of(
        comparison: &Comparison,
        suite: &SuiteComparison,
        measure: &'a MeasureComparison,
        conditions: &[ConditionResult],
    ) -> Self {
        let name = measure.full_name();
        let about = conditions.iter().filter(|rule| rule.suite == suite.name && rule.measure == name);
        let rules = Rules(about.collect());
        let two = arms::only_two(comparison);
        let pair = |contrast| pair(measure, contrast, two.is_some(), &rules);
        let order = two.map_or(comparison.arms.clone(), |two| vec![two.reference.clone(), two.candidate.clone()]);
        let contrasts = &comparison.contrasts;
        let (levels, differences) = if measure.comparator {
            (contrasts.iter().map(pair).collect(), Vec::new())
        } else {
            let differences = contrasts.iter().map(|contrast| difference(measure, contrast, two.is_some(), &rules));
            (order.iter().map(|arm| level(measure, arm, &rules)).collect(), differences.collect())
        };
        Self { measure, unit: Unit::of(&measure.info), levels, differences }
    }

    fn bounds(&self) -> Option<(f64, f64)> {
        if self.unit == Unit::Share { Some((0.0, 1.0)) } else { self.measure.info.bounds }
    }
}

/// The rules about a measure.
struct Rules<'a>(Vec<&'a ConditionResult>);

impl Rules<'_> {
    fn of_level(&self, arm: &Arm) -> Vec<f64> {
        self.thresholds(|rule| !is_paired(rule) && rule.arm == *arm)
    }

    fn of_pair(&self, contrast: &Contrast, paired: bool) -> Vec<f64> {
        let same = |rule: &ConditionResult| {
            rule.arm == contrast.candidate && rule.against.as_ref() == Some(&contrast.reference)
        };
        self.thresholds(|rule| is_paired(rule) == paired && same(rule))
    }

    fn thresholds(&self, about: impl Fn(&ConditionResult) -> bool) -> Vec<f64> {
        self.0.iter().filter(|rule| about(rule)).map(|rule| rule.threshold).collect()
    }
}

fn is_paired(condition: &ConditionResult) -> bool {
    matches!(condition.kind, ConditionKind::Margin | ConditionKind::Gain)
}

fn level<'a>(measure: &'a MeasureComparison, arm: &Arm, rules: &Rules<'_>) -> Value<'a> {
    let value = measure.level(arm).and_then(known);
    Value { name: arm.to_string(), look: arms::look(arm), value, thresholds: rules.of_level(arm) }
}

fn pair<'a>(measure: &'a MeasureComparison, contrast: &Contrast, only: bool, rules: &Rules<'_>) -> Value<'a> {
    Value {
        name: if only { "level".into() } else { contrast.to_string() },
        look: arms::look(&contrast.candidate),
        value: measure.pair(contrast).and_then(|pair| known(&pair.level)),
        thresholds: rules.of_pair(contrast, false),
    }
}

fn difference<'a>(measure: &'a MeasureComparison, contrast: &Contrast, only: bool, rules: &Rules<'_>) -> Value<'a> {
    let difference = measure.difference(contrast);
    Value {
        name: if only { "difference".into() } else { arms::difference(contrast) },
        look: arms::look(&contrast.candidate),
        value: difference.and_then(|it| Some((it.mean?, &it.interval))),
        thresholds: rules.of_pair(contrast, true),
    }
}

fn known(level: &Level) -> Option<(f64, &Interval)> {
    level.mean.map(|mean| (mean, &level.interval))
}

fn draw(suite: &str, entries: &[Entry]) -> Group {
    let unit = entries[0].unit;
    let levels = match entries[0].bounds() {
        Some((low, high)) if low < high => Axis::between(low, high),
        Some(_) => Axis::around(std::iter::empty()),
        None => Axis::around(entries.iter().flat_map(|entry| entry.levels.iter().flat_map(values))),
    };
    let compared = || entries.iter().flat_map(|entry| &entry.differences);
    let differences = Axis::around(compared().flat_map(values).chain([0.0]));
    let ticks = differences.ticks(|value| unit.difference(value));
    Group {
        suite: suite.into(),
        levels: levels.ticks(|value| unit.level(value)),
        differences: if compared().next().is_some() { ticks } else { Vec::new() },
        zero: differences.x(0.0),
        rows: entries.iter().map(|entry| row(entry, &levels, &differences)).collect(),
    }
}

/// All that has to be on the axis.
fn values(value: &Value) -> Vec<f64> {
    let drawn = value
        .value
        .iter()
        .flat_map(|(mean, interval)| ends(interval).into_iter().flat_map(|(low, high)| [low, high]).chain([*mean]));
    drawn.chain(value.thresholds.iter().copied()).collect()
}

fn row(entry: &Entry, levels: &Axis, differences: &Axis) -> Row {
    let unit = entry.unit;
    let (level, range) = (|value| unit.level(value), |interval: &Interval| unit.levels(interval));
    let (change, change_range) = (|value| unit.difference(value), |interval: &Interval| unit.differences(interval));
    Row {
        measure: entry.measure.full_name(),
        levels: entry.levels.iter().map(|value| strip(value, levels, level, range)).collect(),
        differences: entry.differences.iter().map(|value| strip(value, differences, change, change_range)).collect(),
    }
}

fn strip(
    value: &Value,
    axis: &Axis,
    text: impl Fn(f64) -> String,
    range: impl Fn(&Interval) -> Option<String>,
) -> Strip {
    let mark = |(mean, interval): (f64, &Interval)| {
        let (low, high) = ends(interval).map(|(low, high)| (axis.x(low), axis.x(high))).unzip();
        let interval = range(interval).unwrap_or_else(|| "no interval".into());
        Mark { x: axis.x(mean), low, high, value: text(mean), interval }
    };
    Strip {
        name: value.name.clone(),
        look: value.look,
        mark: value.value.map(mark),
        limits: value.thresholds.iter().map(|at| Limit { x: axis.x(*at), label: text(*at) }).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture;

    #[test]
    fn the_interval_is_drawn_around_its_value_and_the_rule_where_it_was_set() {
        let report = fixture::report(20, 15);
        let conditions = report.gate.as_ref().map(|gate| gate.conditions.as_slice()).unwrap_or_default();
        let groups = layout(&report.comparison, conditions);
        insta::assert_json_snapshot!(groups[0].rows[0]);
        let rows: usize = groups.iter().map(|group| group.rows.len()).sum();
        let measures: usize = report.comparison.suites.iter().map(|suite| suite.measures.len()).sum();
        assert_eq!(rows, measures, "every measure is drawn once");
    }
}
