//! Finding what a rule names.

use super::condition::contrast;
use crate::arm::Arm;
use crate::compare::{Comparison, MeasureComparison, SuiteComparison};
use crate::config::Rule;
use crate::schema::did_you_mean;
use crate::{Error, Result};

/// The suite's measure that `rule` names: `plugin.measure`, or `measure` where only one plugin has it.
pub(super) fn find<'a>(
    rule: &Rule,
    comparison: &'a Comparison,
) -> Result<(&'a SuiteComparison, &'a MeasureComparison)> {
    arms(rule, comparison)?;
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

/// Errors if the comparison has no such arm, or does not hold the two against each other.
fn arms(rule: &Rule, comparison: &Comparison) -> Result<()> {
    let paired = rule.margin.is_some() || rule.gain.is_some();
    for arm in [Some(&rule.arm), Some(&rule.against).filter(|_| paired)].into_iter().flatten() {
        if !comparison.arms.contains(arm) {
            return Err(Error::config(format!("a rule names the unknown arm `{arm}`"))
                .hint(did_you_mean(arm.as_str(), comparison.arms.iter().map(Arm::as_str))));
        }
    }
    let contrast = contrast(rule);
    if paired && !comparison.contrasts.contains(&contrast) {
        return Err(Error::config(format!("a rule holds {contrast}, which the comparison does not"))
            .hint("run `diapason compare` again"));
    }
    Ok(())
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
