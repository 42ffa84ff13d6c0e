//! What the page shows, in words and figures: the report turned into what the template fills in.

use super::about::About;
use super::curve::LossCurve;
use super::tables::{self, Suite};
use super::words::{self, Subject};
use super::worth::{self, Costs};
use super::{arms, forest};
use crate::number::{confidence, count, counted, duration, fixed};
use diapason_core::compare::Comparison;
use diapason_core::config::Config;
use diapason_core::gate::{ConditionResult, GateResult, Verdict};
use diapason_core::report::{Report, Training};
use serde::Serialize;
use std::collections::BTreeSet;

/// Everything on the page but the samples.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    name: String,
    /// Which arms.
    about_arms: String,
    gate: Option<Gate>,
    /// Whether fine-tuning was worth it.
    worth: Vec<String>,
    /// Two arms and no others are laid side by side.
    two: Option<Two>,
    /// What each arm is, and what its answers cost.
    costs: Vec<Costs>,
    has_money: bool,
    /// The head of the corrected p values.
    adjusted: String,
    /// How arms are drawn: `base`, `tuned`, `other`.
    looks: BTreeSet<&'static str>,
    /// Whether there is a second arm to look at.
    several: bool,
    /// Why there is nothing to say of training.
    untrained: &'static str,
    /// Whether two arms are compared at all.
    compared: bool,
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

/// The names of two arms at the head of a column.
#[derive(Debug, Serialize)]
struct Two {
    arms: String,
    reference: String,
    candidate: String,
    difference: String,
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
struct TrainingCard {
    trainable: String,
    steps: String,
    tokens: String,
    seconds: String,
    speed: Option<String>,
    loss: Option<LossCurve>,
}

impl Page {
    /// The page of a report.
    pub(crate) fn of(report: &Report) -> Self {
        let conditions = report.gate.as_ref().map(|gate| gate.conditions.as_slice()).unwrap_or_default();
        let comparison = &report.comparison;
        Self {
            name: report.name.clone(),
            about_arms: about_arms(comparison),
            worth: worth::sentences(report),
            two: two(comparison),
            costs: worth::costs(report),
            has_money: worth::has_money(report),
            adjusted: words::adjusted(comparison),
            looks: comparison.arms.iter().map(arms::look).collect(),
            several: comparison.arms.len() > 1,
            untrained: untrained(&report.about.config),
            compared: !comparison.contrasts.is_empty(),
            gate: report.gate.as_ref().map(|it| gate(report, it)),
            level: confidence(comparison.level),
            forest: forest::layout(comparison, conditions),
            suites: tables::suites(comparison),
            training: report.training.as_ref().map(training),
            findings: findings(report),
            about: About::of(report),
            date: report.about.date.clone(),
            samples: report.samples.len(),
        }
    }
}

fn about_arms(comparison: &Comparison) -> String {
    arms::only_two(comparison)
        .map_or_else(|| arms::listed(&comparison.arms), |two| format!("{} against {}", two.reference, two.candidate))
}

fn untrained(config: &Config) -> &'static str {
    if config.has_tuned() {
        "Nothing was trained in this run: an existing model or adapter was evaluated."
    } else {
        "This project trains no model."
    }
}

fn two(comparison: &Comparison) -> Option<Two> {
    arms::only_two(comparison).map(|two| Two {
        arms: format!("{} and {}", two.reference, two.candidate),
        reference: arms::capital(&two.reference).into(),
        candidate: arms::capital(&two.candidate).into(),
        difference: arms::capital_difference(two),
    })
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
