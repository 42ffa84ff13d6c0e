//! Deciding: each condition's p value against its level. What is printed is the interval that this test inverts, so the two
//! cannot disagree.

use super::condition::{Condition, conditions};
use super::lookup::find;
use super::{ConditionResult, GateResult, History, Look, Plan, Reason, Side, Verdict};
use crate::compare::Comparison;
use crate::config::{Gate, Rule};
use crate::stats::power::SampleSize;
use crate::stats::{holm, looks, power};
use crate::{Error, Result};

/// Holds `rules` against `comparison`, with what came before it.
///
/// The gate passes where every condition's p value is at most the gate's level. A condition by itself passes or fails at
/// its level after Holm's correction over all conditions; otherwise it is inconclusive. A missing arm, lost samples or too
/// many unscored ones never pass.
///
/// # Errors
/// No rules, a rule without a condition, an unknown or ambiguous suite or measure, a limit that makes no sense, an alpha
/// outside 0 to 0.5, more looks or candidates than planned, a look without new samples.
pub fn decide(rules: &[Rule], gate: &Gate, comparison: &Comparison, history: &History) -> Result<GateResult> {
    refuse(rules, gate, history)?;
    // Without planned looks every decision is one by itself, on samples that are new.
    let earlier = if gate.looks > 1 { history.earlier.as_slice() } else { &[] };
    let mut asked = Vec::new();
    let mut samples = Vec::new();
    for rule in rules {
        let (suite, measure) = find(rule, comparison)?;
        let of_rule = conditions(rule, &suite.name, suite.samples, measure, gate)?;
        let sizes = sizes(gate, earlier, &suite.name, suite.samples)?;
        samples.extend(of_rule.iter().map(|_| sizes.clone()));
        asked.extend(of_rule);
    }
    let alpha = gate.alpha / gate.candidates.max(1) as f64;
    let at_this_look = |alpha: f64, samples: &Vec<f64>| looks::level(alpha, gate.looks, samples);
    let holm = |p: Vec<Option<f64>>| -> Vec<f64> {
        // A condition that may not pass takes no step down either, so the others are not judged more leniently for it.
        let steps: Vec<f64> = p.into_iter().map(|p| p.unwrap_or(1.0)).collect();
        holm::levels(&steps, alpha, |level, index| at_this_look(level, &samples[index]))
    };
    let passing: Vec<Option<f64>> = asked.iter().map(|one| one.p().filter(|_| one.may_pass())).collect();
    let failing: Vec<Option<f64>> = asked.iter().map(|one| one.p_of_failing().filter(|_| one.may_fail())).collect();
    let whole: Vec<f64> = samples.iter().map(|samples| at_this_look(alpha, samples)).collect();
    let all_pass = passing.iter().zip(&whole).all(|(p, level)| p.is_some_and(|p| p <= *level));
    let (ticks, crosses) = (holm(passing), holm(failing));
    let conditions: Vec<ConditionResult> = (0..asked.len())
        .map(|index| {
            let levels = Levels {
                tick: ticks[index],
                joint: whole[index],
                fail: crosses[index],
                all_pass,
                later: (gate.looks > 1).then_some(alpha),
            };
            result(&asked[index], &levels)
        })
        .collect();
    Ok(GateResult {
        verdict: overall(&conditions),
        alpha: gate.alpha,
        level: whole.iter().copied().fold(f64::INFINITY, f64::min),
        look: (earlier.len() + 1, gate.looks),
        candidates: gate.candidates,
        models: history.models.max(1),
        looked_before: history.earlier.len(),
        conditions,
    })
}

/// Refuses what cannot be decided whatever the samples say.
fn refuse(rules: &[Rule], gate: &Gate, history: &History) -> Result<()> {
    if rules.is_empty() {
        return Err(Error::config("the gate has no rules").hint("add a [[rule]] with suite, measure and a limit"));
    }
    if !(gate.alpha >= 1e-9 && gate.alpha < 0.5) {
        return Err(
            Error::config(format!("gate.alpha is {}", gate.alpha)).hint("give a value from 0.000000001 to below 0.5")
        );
    }
    if gate.candidates > 1 && history.models > gate.candidates {
        let (planned, models) = (gate.candidates, history.models);
        return Err(Error::config(format!(
            "gate.candidates is {planned}, but {models} models were held against these samples"
        ))
        .hint("set it to the number of all models that were tried, or decide on new samples"));
    }
    let plan = Plan::of(gate);
    if gate.looks > 1
        && let Some(other) = history.plans.iter().find(|other| **other != plan)
    {
        return Err(Error::config(format!(
            "the gate was planned otherwise at an earlier look at this model: {other}, now {plan}"
        ))
        .hint("a plan is made before the first look: keep it, or decide on new samples in a run folder of their own"));
    }
    Ok(())
}

/// The suite's numbers of samples at each look, this one last.
fn sizes(gate: &Gate, earlier: &[Look], suite: &str, now: usize) -> Result<Vec<f64>> {
    if earlier.len() >= gate.looks && gate.looks > 1 {
        let message = format!("this is look {} at this model, but gate.looks is {}", earlier.len() + 1, gate.looks);
        return Err(
            Error::config(message).hint("alpha is spent: decide on new samples alone, in a run folder of their own")
        );
    }
    let mut sizes: Vec<f64> = Vec::new();
    let past = earlier.iter().filter_map(|look| look.samples.get(suite).copied());
    for samples in past.chain([now]) {
        if sizes.last().is_some_and(|last| samples as f64 <= *last) {
            let message = format!("suite `{suite}` has no more samples than at the look before ({samples})");
            return Err(Error::config(message).hint("add samples before looking again"));
        }
        sizes.push(samples as f64);
    }
    Ok(sizes)
}

fn overall(conditions: &[ConditionResult]) -> Verdict {
    let any = |verdict| conditions.iter().any(|condition| condition.verdict == verdict);
    if any(Verdict::Failed) {
        Verdict::Failed
    } else if any(Verdict::Inconclusive) {
        Verdict::Inconclusive
    } else {
        Verdict::Passed
    }
}

/// The one-sided levels that a condition is held at.
struct Levels {
    /// To pass by itself.
    tick: f64,
    /// To pass together with all others.
    joint: f64,
    /// To fail.
    fail: f64,
    /// Whether all others pass too.
    all_pass: bool,
    /// Where more looks are planned, what a last one has left, nearly: O'Brien and Fleming save most for it.
    later: Option<f64>,
}

fn result(condition: &Condition<'_>, levels: &Levels) -> ConditionResult {
    let p = condition.p();
    let passes = |level: f64| condition.may_pass() && p.is_some_and(|p| p <= level);
    let fails = condition.may_fail() && condition.p_of_failing().is_some_and(|p| p <= levels.fail);
    let jointly = levels.all_pass && !passes(levels.tick);
    let level = if jointly { levels.joint } else { levels.tick };
    let verdict = if fails {
        Verdict::Failed
    } else if passes(level) {
        Verdict::Passed
    } else {
        Verdict::Inconclusive
    };
    let tails = if condition.side == Side::Above { (level, levels.fail) } else { (levels.fail, level) };
    let interval = condition.evidence.deciding_interval(tails, Some(condition.threshold));
    let open = verdict == Verdict::Inconclusive && condition.obstacle.is_none() && condition.undecidable().is_none();
    let wanted = levels.later.unwrap_or(level);
    let settle = open.then(|| power::samples_to_settle(&condition.evidence, condition.threshold, wanted)).flatten();
    let settle = settle.map(|size| match levels.later {
        None => size,
        // A later look has at least one sample more.
        Some(_) => {
            let least = size.least.max(condition.evidence.n() + 1);
            SampleSize { least, most: size.most.map(|most| most.max(least)), new: false }
        }
    });
    let detectable = open.then(|| power::detectable(&condition.evidence, level)).flatten();
    let obstacle = condition.obstacle.clone().or_else(|| condition.undecidable());
    let reason = obstacle.filter(|_| verdict == Verdict::Inconclusive).unwrap_or(Reason::Interval);
    ConditionResult {
        suite: condition.suite.into(),
        measure: condition.measure.full_name(),
        arm: condition.contrast.candidate.clone(),
        against: condition.reference(),
        kind: condition.kind,
        limit: condition.limit,
        verdict,
        reason,
        estimate: condition.evidence.estimate(),
        interval,
        threshold: condition.threshold,
        side: condition.side,
        p,
        alpha: level,
        jointly,
        n: condition.evidence.n(),
        detectable,
        samples_to_settle: settle,
    }
}
