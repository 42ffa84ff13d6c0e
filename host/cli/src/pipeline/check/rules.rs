//! Rules about measures that nobody gives, and rules that decide nothing.

use super::Outline;
use diapason_core::compare::Described;
use diapason_core::config::{Config, Rule};
use diapason_core::schema::{Problem, did_you_mean};
use diapason_core::score::MeasureInfo;
use std::collections::BTreeSet;

/// All that is wrong with the gate's rules and with early stopping's metric.
pub(super) fn problems(config: &Config, outlines: &[Outline], found: &mut Vec<Problem>) {
    let mut conditions = BTreeSet::new();
    for (index, rule) in config.rules.iter().enumerate() {
        let suite = config.suites.iter().position(|suite| suite.name == rule.suite);
        // An unknown suite was refused as the configuration was read.
        let Some(suite) = suite else { continue };
        let at = format!("/rule/{index}");
        match measure(&rule.measure, &rule.suite, &outlines[suite].described) {
            Err((message, hint)) => found.push(Problem::new(format!("{at}/measure"), message, hint)),
            Ok((plugin, info)) => {
                let name = format!("{}.{}", plugin.name, info.name);
                limits(rule, &name, info, &at, found);
                differences(rule, &name, plugin.comparator, &at, found);
                for (key, _) in given(rule) {
                    let paired = plugin.comparator || matches!(key, "margin" | "gain");
                    let against = paired.then_some(&rule.against);
                    if !conditions.insert((&rule.suite, name.clone(), &rule.arm, against, key)) {
                        let message = format!("`{key}` of `{name}` on `{}` is in a rule above already", rule.suite);
                        found.push(Problem::new(
                            format!("{at}/{key}"),
                            message,
                            "two rules must not ask the same: keep one",
                        ));
                    }
                }
            }
        }
    }
    watched(config, outlines, found);
}

fn watched(config: &Config, outlines: &[Outline], found: &mut Vec<Problem>) {
    let Some((suite, measure)) = config.watched() else { return };
    let Some(number) = config.suites.iter().position(|one| one.name == suite.name) else { return };
    let at = "/train/early_stopping/metric";
    match self::measure(measure, &suite.name, &outlines[number].described) {
        Err((message, hint)) => found.push(Problem::new(at, message, hint)),
        Ok((plugin, _)) if plugin.comparator => {
            let message = format!("`{}` compares two arms, and training has one", plugin.name);
            found.push(Problem::new(at, message, "name a measure of an evaluator"));
        }
        Ok(_) => {}
    }
}

/// What `name` means among the measures of a suite, as the gate will look it up; else a message and a hint.
fn measure<'a>(
    name: &str,
    suite: &str,
    described: &'a [Described],
) -> Result<(&'a Described, &'a MeasureInfo), (String, String)> {
    let all = described.iter().flat_map(|plugin| plugin.measures.iter().map(move |info| (plugin, info)));
    let full = |(plugin, info): &(&Described, &MeasureInfo)| format!("{}.{}", plugin.name, info.name);
    let named: Vec<_> = all.clone().filter(|one| full(one) == name || one.1.name == name).collect();
    match named.as_slice() {
        [one] => Ok(*one),
        [] => {
            let known: Vec<String> =
                all.map(|one| if name.contains('.') { full(&one) } else { one.1.name.clone() }).collect();
            let message = format!("no plugin of suite `{suite}` gives the measure `{name}`");
            Err((message, did_you_mean(name, known.iter().map(String::as_str))))
        }
        several => {
            let names: Vec<String> = several.iter().map(|one| format!("`{}`", full(one))).collect();
            let message = format!("measure `{name}` of suite `{suite}` is ambiguous");
            Err((message, format!("name one of {}", names.join(", "))))
        }
    }
}

/// The conditions of a rule by their keys.
fn given(rule: &Rule) -> Vec<(&'static str, f64)> {
    let all = [("minimum", rule.minimum), ("maximum", rule.maximum), ("margin", rule.margin), ("gain", rule.gain)];
    all.into_iter().filter_map(|(key, limit)| Some((key, limit?))).collect()
}

fn bounds(info: &MeasureInfo) -> Option<(f64, f64)> {
    if info.binary { Some((0.0, 1.0)) } else { info.bounds }
}

/// Limits that no model can miss, or none can meet.
fn limits(rule: &Rule, name: &str, info: &MeasureInfo, at: &str, found: &mut Vec<Problem>) {
    let Some((low, high)) = bounds(info) else { return };
    let range = high - low;
    for (key, limit) in given(rule) {
        let (never, always) = match key {
            // At the bound itself no number of samples shows it.
            "minimum" => (limit >= high, limit <= low),
            "maximum" => (limit <= low, limit >= high),
            "gain" => (limit >= range, false),
            _ => (false, limit >= range),
        };
        if !never && !always {
            continue;
        }
        let fault = if never { "can never be met" } else { "can never be missed" };
        let message = format!("{key} {limit} {fault}: `{name}` is between {low} and {high}");
        found.push(Problem::new(format!("{at}/{key}"), message, advice(key, limit, (low, high))));
    }
}

fn advice(key: &str, limit: f64, (low, high): (f64, f64)) -> String {
    if (low, high) == (0.0, 1.0) && limit > 1.0 && limit <= 100.0 {
        return format!("a rate is a share: write {} for {limit} %", limit / 100.0);
    }
    match key {
        "margin" | "gain" => format!("give a difference between 0 and {}, and less than it", high - low),
        _ => format!("give a limit between {low} and {high}, or remove the rule"),
    }
}

/// A comparator sees two arms at once, so it has no difference between them.
fn differences(rule: &Rule, name: &str, comparator: bool, at: &str, found: &mut Vec<Problem>) {
    if !comparator {
        return;
    }
    for (key, _) in given(rule).into_iter().filter(|(key, _)| matches!(*key, "margin" | "gain")) {
        let message = format!("`{name}` compares two arms itself, so there is no difference for `{key}`");
        found.push(Problem::new(format!("{at}/{key}"), message, "hold it against a `minimum` or a `maximum`"));
    }
}
