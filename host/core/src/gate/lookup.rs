//! Finding what a rule names.

use crate::compare::{Comparison, MeasureComparison, SuiteComparison};
use crate::config::Rule;
use crate::schema::did_you_mean;
use crate::{Error, Result};

/// The suite's measure that `rule` names: `plugin.measure`, or `measure` where only one plugin has it.
pub(super) fn find<'a>(
    rule: &Rule,
    comparison: &'a Comparison,
) -> Result<(&'a SuiteComparison, &'a MeasureComparison)> {
    let suites = &comparison.suites;
    let suite = suites.iter().find(|suite| suite.name == rule.suite).ok_or_else(|| {
        Error::config(format!("a rule names the unknown suite `{}`", rule.suite))
            .hint(did_you_mean(&rule.suite, suites.iter().map(|suite| suite.name.as_str())))
    })?;
    let named: Vec<&MeasureComparison> = suite.measures.iter().filter(|measure| names(rule, measure)).collect();
    match named.as_slice() {
        [one] => Ok((suite, one)),
        [] => Err(unknown(rule, suite)),
        several => Err(ambiguous(rule, several)),
    }
}

fn names(rule: &Rule, measure: &MeasureComparison) -> bool {
    rule.measure == measure.full_name() || rule.measure == measure.info.name
}

fn unknown(rule: &Rule, suite: &SuiteComparison) -> Error {
    let full: Vec<String> = suite.measures.iter().map(MeasureComparison::full_name).collect();
    // A short name is compared with short names, or every suggestion would be far off.
    let known: Vec<&str> = match rule.measure.contains('.') {
        true => full.iter().map(String::as_str).collect(),
        false => suite.measures.iter().map(|measure| measure.info.name.as_str()).collect(),
    };
    Error::config(format!("a rule names the unknown measure `{}` of suite `{}`", rule.measure, rule.suite))
        .hint(did_you_mean(&rule.measure, known))
}

fn ambiguous(rule: &Rule, several: &[&MeasureComparison]) -> Error {
    let names: Vec<String> = several.iter().map(|measure| format!("`{}`", measure.full_name())).collect();
    Error::config(format!("measure `{}` of suite `{}` is ambiguous", rule.measure, rule.suite))
        .hint(format!("name one of {}", names.join(", ")))
}
