//! The last stage: the gate's decision and the report's four files.

use super::validate::FILE as FINDINGS;
use super::{Session, compare, eval, jsonl, score, train, watched};
use crate::render;
use diapason_core::compare::Comparison;
use diapason_core::gate::{self, GateResult};
use diapason_core::report::{self, Parts, Report};
use diapason_core::score::{Arm, Output, Score};
use diapason_core::{Error, Result, files};
use std::collections::BTreeMap;

/// The report's files, for a reader first.
pub(crate) const FILES: [&str; 4] = ["report.html", "report.md", "report.json", "junit.xml"];

/// Writes the report.
pub(crate) fn stage(session: &mut Session) -> Result<Report> {
    let report = build(session)?;
    let json = serde_json::to_string_pretty(&report)
        .map_err(|source| Error::run("failed to write report.json").because(source))?;
    let contents = [
        render::html::render(&report)?,
        render::markdown::render(&report),
        json + "\n",
        render::junit::render(&report),
    ];
    for (name, content) in FILES.iter().zip(contents) {
        files::write(&session.artefact(name), content.as_bytes())?;
    }
    session.manifest.save(session.plan.folder())?;
    Ok(report)
}

/// Decides on the stored comparison, after making sure that it is about what lies in the run folder.
pub(crate) fn decide(session: &mut Session) -> Result<(Comparison, Option<GateResult>)> {
    let comparison = compare::read(session)?;
    bind(session)?;
    watched::check(session)?;
    let config = &session.plan.config;
    let result = match config.rules.is_empty() {
        true => None,
        false => Some(gate::decide(&config.rules, &config.gate, &comparison)?),
    };
    Ok((comparison, result))
}

/// The gate speaks about the model that would be released: refuse where that is no longer the one that was evaluated.
fn bind(session: &mut Session) -> Result<()> {
    let evaluated = session.manifest.clone();
    let refuse = |what: &str| {
        Error::data(format!("{what} changed since the evaluation"))
            .hint("the comparison is about something else than would be released: run `diapason run` again")
    };
    let stage = evaluated.stages.get("compare").ok_or_else(|| refuse("the manifest"))?;
    if !evaluated.stands("compare", &stage.inputs, session.plan.folder()) {
        return Err(refuse("comparison.json"));
    }
    train::tuned_digest(session)?;
    for role in ["adapter", "tuned"] {
        if session.manifest.digests.get(role) != evaluated.digests.get(role) {
            return Err(refuse("the tuned model"));
        }
    }
    Ok(())
}

fn build(session: &mut Session) -> Result<Report> {
    let (comparison, gate) = decide(session)?;
    let suites = session.suites()?;
    let permissions = suites.iter().flat_map(|suite| suite.evaluators.iter().chain(&suite.comparators)).map(|scorer| {
        let names = scorer.plugin.permissions().iter().map(|permission| permission.name().to_owned());
        (scorer.plugin.id().to_owned(), names.collect())
    });
    let permissions: BTreeMap<String, Vec<String>> = permissions.collect();
    let samples: Vec<_> = suites.into_iter().map(|suite| (suite.config.name, suite.samples)).collect();
    let base: Vec<Output> = jsonl::read(&session.artefact(eval::file(Arm::Base)), "eval")?;
    let tuned: Vec<Output> = jsonl::read(&session.artefact(eval::file(Arm::Tuned)), "eval")?;
    let scores: Vec<Score> = jsonl::read(&session.artefact(score::FILE), "eval")?;
    let findings = match session.artefact(FINDINGS).exists() {
        true => jsonl::read(&session.artefact(FINDINGS), "validate")?,
        false => Vec::new(),
    };
    Ok(report::build(Parts {
        name: &session.plan.config.run.name,
        suites: &samples,
        base: &base,
        tuned: &tuned,
        scores: &scores,
        findings: &findings,
        allowed: session.manifest.allowed.clone(),
        training: train::summary(session)?,
        digests: session.manifest.digests.clone(),
        comparison,
        gate,
        permissions,
    }))
}
