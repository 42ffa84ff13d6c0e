//! The last stage: the gate's decision and the report's four files.

use super::compare;
use super::integrity::{self, Asked};
use super::{Session, jsonl, looks, watched};
use crate::artefact::{self, FINDINGS, SAMPLES, SCORES, TRAINING};
use crate::render;
use diapason_core::compare::Comparison;
use diapason_core::config::Config;
use diapason_core::frozen::{Frozen, Role, Verb};
use diapason_core::gate::{self, GateResult, History};
use diapason_core::report::{self, Parts, Report, Training};
use diapason_core::sample::Sample;
use diapason_core::{Error, Result, escape};
use diapason_disk::files;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::Path;

/// Writes the report.
pub(crate) fn stage(session: &mut Session) -> Result<Report> {
    let decided = decision(session)?;
    let about = integrity::frozen(session, Verb::Eval)?.clone();
    let read = |name: &str| integrity::text(session, Verb::Eval, name);
    let report = build(&session.plan.config.run.name, about, decided, &session.manifest.allowed, &read)?;
    for (name, content) in artefact::REPORT.iter().zip(contents(&report)?) {
        files::write(&session.artefact(name), content.as_bytes())?;
    }
    integrity::freeze_report(session)?;
    Ok(report)
}

/// The contents of [`artefact::REPORT`], in that order.
pub(super) fn contents(report: &Report) -> Result<[String; 4]> {
    let json = serde_json::to_string_pretty(report)
        .map_err(|source| Error::run("failed to write report.json").because(source))?;
    let json = escape::json(&json).into_owned() + "\n";
    Ok([render::html::render(report)?, render::markdown::render(report), json, render::junit::render(report)?])
}

/// Decides on the stored comparison, after making sure that it is about what there is, and so is the report.
pub(crate) fn decide(session: &mut Session) -> Result<(Comparison, Option<GateResult>)> {
    let decided = decision(session)?;
    integrity::check_report(session)?;
    Ok(decided)
}

/// Refuses where what was evaluated and compared is no longer what there is, by name.
pub(crate) fn check(session: &mut Session) -> Result<()> {
    // A comparison that is missing is said to be so, rather than its evaluation.
    jsonl::text(&session.artefact(artefact::COMPARISON), "compare")?;
    integrity::check(session, Verb::Eval)?;
    integrity::check(session, Verb::Compare)
}

/// The gate speaks about what would be released: it refuses where that is no longer what was evaluated.
fn decision(session: &mut Session) -> Result<(Comparison, Option<GateResult>)> {
    check(session)?;
    let comparison = compare::read(session)?;
    watched::check(session)?;
    let (look, history) = looks::now(session, &comparison)?;
    let gate = judge(&session.plan.config, &comparison, &history)?;
    if gate.is_some() {
        looks::record(session, look)?;
    }
    Ok((comparison, gate))
}

/// What the rules of `config` make of the comparison; `None` where there are none.
pub(super) fn judge(config: &Config, comparison: &Comparison, history: &History) -> Result<Option<GateResult>> {
    if config.rules.is_empty() {
        return Ok(None);
    }
    gate::decide(&config.rules, &config.gate, comparison, history).map(Some)
}

/// The report, of artefacts that `read` gives by name.
pub(super) fn build(
    name: &str,
    about: Frozen,
    (comparison, gate): (Comparison, Option<GateResult>),
    allowed: &BTreeMap<String, usize>,
    read: &dyn Fn(&str) -> Result<String>,
) -> Result<Report> {
    let has = |name: &str| about.files.contains_key(&Role::Artefact(name.into()));
    let findings = if has(FINDINGS) { parsed(FINDINGS, read)? } else { Vec::new() };
    let training = if has(TRAINING) { parsed::<Training>(TRAINING, read)?.pop() } else { None };
    let arms = &comparison.arms;
    let outputs = arms.iter().map(|arm| parsed(&artefact::outputs(arm), read)).collect::<Result<Vec<_>>>()?;
    let usage = arms.iter().map(|arm| parsed(&artefact::usage(arm), read)).collect::<Result<Vec<_>>>()?.concat();
    Ok(report::build(Parts {
        name,
        suites: &suites(parsed(SAMPLES, read)?),
        outputs: &outputs,
        usage: &usage,
        scores: &parsed(SCORES, read)?,
        findings: &findings,
        allowed: allowed.clone(),
        training,
        about,
        comparison,
        gate,
    }))
}

/// The samples by suite, in the order of the file.
pub(super) fn suites(asked: Vec<Asked>) -> Vec<(String, Vec<Sample>)> {
    let mut suites: Vec<(String, Vec<Sample>)> = Vec::new();
    for Asked { suite, sample } in asked {
        match suites.iter_mut().find(|(name, _)| *name == suite) {
            Some((_, samples)) => samples.push(sample),
            None => suites.push((suite, vec![sample])),
        }
    }
    suites
}

/// An artefact's rows.
pub(super) fn parsed<T: DeserializeOwned>(name: &str, read: &dyn Fn(&str) -> Result<String>) -> Result<Vec<T>> {
    jsonl::rows(&read(name)?, Path::new(name), "eval")
}
