//! Stage `compare`: from `scores.jsonl` to `comparison.json`.

use super::{Session, jsonl, score};
use diapason_core::compare::{self, Comparison};
use diapason_core::manifest::digest_of;
use diapason_core::score::Score;
use diapason_core::{Error, Result, digest, escape, files};

const STAGE: &str = "compare";
pub(super) const FILE: &str = "comparison.json";

/// Writes `comparison.json`.
pub(crate) fn stage(session: &mut Session) -> Result<Comparison> {
    let scores: Vec<Score> = jsonl::read(&session.artefact(score::FILE), "eval")?;
    let suites = session.suites()?;
    let compared = suites.iter().map(|suite| suite.compared(&session.grants)).collect::<Result<Vec<_>>>()?;
    let inputs = inputs(session, &format!("{compared:?}"))?;
    if session.stands(STAGE, &inputs) {
        return read(session);
    }
    session.started(STAGE, None);
    let config = &session.plan.config;
    let comparison = compare::compare(&compared, &scores, config.gate.resamples, config.run.seed)?;
    let text = serde_json::to_string_pretty(&comparison)
        .map_err(|source| Error::run(format!("failed to write {FILE}")).because(source))?;
    files::write(&session.artefact(FILE), escape::json(&format!("{text}\n")).as_bytes())?;
    session.finish(STAGE, &inputs, &[FILE.into()])?;
    let measures: usize = comparison.suites.iter().map(|suite| suite.measures.len()).sum();
    session.ended(STAGE, format!("{measures} measures in {} suites", comparison.suites.len()));
    Ok(comparison)
}

/// The stored comparison.
pub(crate) fn read(session: &Session) -> Result<Comparison> {
    let path = session.artefact(FILE);
    serde_json::from_str(&jsonl::text(&path, STAGE)?).map_err(|source| {
        Error::data(format!("failed to understand {}", path.display()))
            .because(source)
            .hint("`diapason compare` writes it anew once it is removed")
    })
}

fn inputs(session: &Session, suites: &str) -> Result<String> {
    let scores = digest::of_file(&session.artefact(score::FILE))?;
    let settings = format!("{} {}", session.plan.config.gate.resamples, session.plan.config.run.seed);
    let suites = digest::of_bytes(suites.as_bytes());
    Ok(digest_of([("scores", scores.as_str()), ("suites", suites.as_str()), ("settings", settings.as_str())]))
}
