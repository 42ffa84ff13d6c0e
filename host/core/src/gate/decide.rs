//! Deciding: Holm's correction gives each condition its level, and the strict interval at that level decides it. What is
//! printed is the interval that decided, so the two cannot disagree.

use super::condition::{Condition, conditions};
use super::lookup::find;
use super::{ConditionKind, ConditionResult, GateResult, Side, Verdict};
use crate::compare::Comparison;
use crate::config::{Gate, Rule};
use crate::stats::{Interval, holm, power};
use crate::{Error, Result};

/// Holds `rules` against `comparison`.
///
/// A condition passes where its interval, one-sided at alpha after Holm's correction over all conditions, lies on the
/// right side of the threshold; it fails where the same interval lies on the wrong side; otherwise it is inconclusive.
/// A missing arm, lost samples or too many unscored ones never pass.
///
/// # Errors
/// No rules, a rule without a condition, an unknown or ambiguous suite or measure, a limit that makes no sense, an alpha
/// outside 0 to 0.5.
pub fn decide(rules: &[Rule], gate: &Gate, comparison: &Comparison) -> Result<GateResult> {
    if rules.is_empty() {
        return Err(Error::config("the gate has no rules").hint("add a [[rule]] with suite, measure and a limit"));
    }
    if !(gate.alpha > 0.0 && gate.alpha < 0.5) {
        return Err(Error::config(format!("gate.alpha is {}", gate.alpha)).hint("give a value between 0 and 0.5"));
    }
    let mut asked = Vec::new();
    for rule in rules {
        let (suite, measure) = find(rule, comparison)?;
        asked.extend(conditions(rule, &suite.name, suite.samples, measure, gate)?);
    }
    let p: Vec<Option<f64>> = asked.iter().map(Condition::p).collect();
    // A condition that may not pass takes no step down either, so the others are not judged more leniently for it.
    let steps: Vec<f64> =
        asked.iter().zip(&p).map(|(one, p)| p.filter(|_| one.obstacle.is_none()).unwrap_or(1.0)).collect();
    let levels = holm::levels(&steps, gate.alpha);
    let conditions: Vec<ConditionResult> =
        asked.iter().zip(p).zip(levels).map(|((one, p), alpha)| result(one, p, alpha)).collect();
    Ok(GateResult { verdict: overall(&conditions), alpha: gate.alpha, conditions })
}

fn overall(conditions: &[ConditionResult]) -> Verdict {
    let any = |verdict| conditions.iter().any(|condition| condition.verdict == verdict);
    match (any(Verdict::Failed), any(Verdict::Inconclusive)) {
        (true, _) => Verdict::Failed,
        (_, true) => Verdict::Inconclusive,
        _ => Verdict::Passed,
    }
}

fn result(condition: &Condition<'_>, p: Option<f64>, alpha: f64) -> ConditionResult {
    let interval = condition.evidence.strict_interval(alpha);
    let (verdict, reason) = verdict(condition, &interval);
    let open = verdict == Verdict::Inconclusive && condition.obstacle.is_none();
    let settle = open.then(|| power::samples_to_settle(&condition.evidence, condition.threshold, alpha)).flatten();
    let detectable = open.then(|| power::detectable(&condition.evidence, alpha)).flatten();
    ConditionResult {
        suite: condition.suite.into(),
        measure: condition.measure.full_name(),
        kind: condition.kind,
        limit: condition.limit,
        requirement: condition.requirement(),
        verdict,
        reason: if open { advise(reason, settle, detectable) } else { reason },
        estimate: condition.evidence.estimate(),
        interval,
        threshold: condition.threshold,
        side: condition.side,
        p,
        alpha,
        n: condition.evidence.n(),
        detectable,
        samples_to_settle: settle,
    }
}

fn verdict(condition: &Condition<'_>, interval: &Interval) -> (Verdict, String) {
    let requirement = condition.requirement();
    let Interval::Known { low, high, .. } = *interval else {
        let why = condition.obstacle.clone().unwrap_or_else(|| {
            let n = condition.evidence.n();
            format!("{n} samples that do not vary, or too few of them, carry no interval")
        });
        return (Verdict::Inconclusive, format!("`{requirement}` cannot be decided: {why}"));
    };
    let threshold = condition.threshold;
    // A gain has to be more than the limit; the other limits may be met exactly.
    let strict = condition.kind == ConditionKind::Gain;
    let (end, holds, fails) = match condition.side {
        Side::Above => (low, low > threshold || (!strict && low == threshold), high < threshold),
        Side::Below => (high, high < threshold || (!strict && high == threshold), low > threshold),
    };
    match (holds, fails, &condition.obstacle) {
        (_, true, _) => (Verdict::Failed, format!("`{requirement}` is shown not to hold: {}", ends(low, high))),
        (_, _, Some(obstacle)) => (Verdict::Inconclusive, format!("`{requirement}` may not pass: {obstacle}")),
        (true, ..) => (Verdict::Passed, format!("`{requirement}` is shown: the interval ends at {end:.4}")),
        _ => (Verdict::Inconclusive, format!("`{requirement}` is neither shown nor refuted: {}", ends(low, high))),
    }
}

fn ends(low: f64, high: f64) -> String {
    format!("the interval goes from {low:.4} to {high:.4}")
}

fn advise(reason: String, settle: Option<usize>, detectable: Option<f64>) -> String {
    let distance = detectable.map(|distance| format!("; a distance of {distance:.4} would have been shown"));
    let samples = match (settle, &distance) {
        (Some(n), _) => format!("; about {n} samples would settle it"),
        (None, Some(_)) => {
            "; the measured value is so close to the threshold that no number of samples settles it".into()
        }
        (None, None) => String::new(),
    };
    format!("{reason}{}{samples}", distance.unwrap_or_default())
}
