//! Stage `compare`: from `scores.jsonl` to `comparison.json`.

use super::{Session, integrity, jsonl};
use crate::artefact::{COMPARISON, SCORES};
use diapason_core::compare::{self, Comparison, Suite};
use diapason_core::config::Config;
use diapason_core::frozen::Verb;
use diapason_core::score::Score;
use diapason_core::{Error, Result, digest, escape};
use diapason_disk::files;
use serde::de::DeserializeOwned;
use std::path::Path;

const STAGE: &str = "compare";

/// Writes `comparison.json`; refuses scores that are not about what there is now.
pub(crate) fn stage(session: &mut Session) -> Result<Comparison> {
    // Scores that are missing are said to be so, rather than their evaluation.
    jsonl::text(&session.artefact(SCORES), "eval")?;
    integrity::check(session, Verb::Eval)?;
    let scores: Vec<Score> = rows(session, SCORES)?;
    let suites = session.suites()?;
    let compared = suites.iter().map(|suite| suite.compared(&session.grants)).collect::<Result<Vec<_>>>()?;
    let inputs = inputs(session, &format!("{compared:?}"))?;
    if session.is_current(STAGE, &inputs) {
        integrity::freeze_comparison(session)?;
        return read(session);
    }
    session.started(STAGE, None);
    let comparison = make(&compared, &scores, &session.plan.config)?;
    let text = serde_json::to_string_pretty(&comparison)
        .map_err(|source| Error::run(format!("failed to write {COMPARISON}")).because(source))?;
    files::write(&session.artefact(COMPARISON), escape::json(&format!("{text}\n")).as_bytes())?;
    session.finish(STAGE, &inputs, &[COMPARISON.into()])?;
    integrity::freeze_comparison(session)?;
    let measures: usize = comparison.suites.iter().map(|suite| suite.measures.len()).sum();
    session.ended(STAGE, format!("{measures} measures in {} suites", comparison.suites.len()));
    Ok(comparison)
}

/// What the scores say, by the settings of `config`.
pub(super) fn make(suites: &[Suite], scores: &[Score], config: &Config) -> Result<Comparison> {
    compare::compare(suites, &config.arms(), scores, config.gate.resamples, config.run.seed)
}

/// The stored comparison; refused where it is not the one that was frozen.
pub(crate) fn read(session: &Session) -> Result<Comparison> {
    parse(&integrity::text(session, Verb::Compare, COMPARISON)?, &session.artefact(COMPARISON))
}

/// The comparison in `text`, which was read from `path`.
pub(super) fn parse(text: &str, path: &Path) -> Result<Comparison> {
    serde_json::from_str(text).map_err(|source| {
        Error::data(format!("failed to understand {}", path.display()))
            .because(source)
            .hint("`diapason compare` writes it again once it is removed")
    })
}

/// The rows of an artefact that the evaluation froze.
pub(super) fn rows<T: DeserializeOwned>(session: &Session, name: &str) -> Result<Vec<T>> {
    jsonl::rows(&integrity::text(session, Verb::Eval, name)?, &session.artefact(name), "eval")
}

fn inputs(session: &Session, suites: &str) -> Result<String> {
    let scores = files::digest(&session.artefact(SCORES))?;
    let settings = format!("{} {}", session.plan.config.gate.resamples, session.plan.config.run.seed);
    let suites = digest::of_bytes(suites.as_bytes());
    let arms = serde_json::json!(session.plan.config.arms()).to_string();
    Ok(digest::of_parts([
        ("scores", scores.as_str()),
        ("suites", suites.as_str()),
        ("settings", settings.as_str()),
        ("arms", arms.as_str()),
    ]))
}
