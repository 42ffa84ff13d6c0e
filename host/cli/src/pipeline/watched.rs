//! Which rows early stopping watched, kept with the adapter or model that it chose: wherever that is evaluated, the gate
//! does not rest on them.

use super::session::Session;
use super::{jsonl, overlap};
use diapason_core::sample::Sample;
use diapason_core::{Error, Result, digest};
use diapason_project::dataset::{self, Selection};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

/// In the adapter's folder, so that it travels with it; PEFT ignores it.
const FILE: &str = "diapason_watched.json";

/// What was watched.
#[derive(Debug, Serialize, Deserialize)]
struct Watch {
    /// As `suite.plugin.measure`.
    metric: String,
    /// A digest of each prompt.
    prompts: BTreeSet<String>,
}

/// Keeps what training watched in `folder`; without a metric, that it watched nothing.
///
/// Errors if the file cannot be written.
pub(super) fn keep(folder: &Path, watched: Option<(&str, &[Sample])>) -> Result<()> {
    let path = folder.join(FILE);
    let Some((metric, samples)) = watched else {
        // Of an earlier training in this folder.
        return match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::run(format!("failed to remove {}", path.display()))
                    .because(source)
                    .hint("remove it by hand"))
            }
            _ => Ok(()),
        };
    };
    jsonl::write(&path, &[Watch { metric: metric.into(), prompts: samples.iter().map(mark).collect() }])
}

/// Refuses rules on rows that chose the tuned model's state, whatever the configuration says today.
///
/// Errors if a suite with rules has such a row, or what was watched cannot be read.
pub(super) fn check(session: &Session) -> Result<()> {
    let (_, folder) = session.tuned();
    let path = folder.join(FILE);
    if !path.exists() {
        return Ok(());
    }
    let watch: Watch = serde_json::from_str(&jsonl::text(&path, "train")?).map_err(|source| {
        Error::data(format!("failed to understand {}", path.display()))
            .because(source)
            .hint("it records which rows early stopping watched: train again")
    })?;
    let config = &session.plan.config;
    for suite in config.suites.iter().filter(|suite| config.rules.iter().any(|rule| rule.suite == suite.name)) {
        let samples =
            dataset::load(&suite.data, &suite.columns, &Selection { limit: suite.limit, ..Selection::default() })?;
        let seen = samples.iter().filter(|sample| watch.prompts.contains(&mark(sample))).count();
        if seen > 0 {
            return Err(seen_before(&suite.name, seen, samples.len(), &watch.metric));
        }
    }
    Ok(())
}

fn seen_before(suite: &str, seen: usize, all: usize, metric: &str) -> Error {
    let message = format!(
        "suite `{suite}` is no evidence for the gate: early stopping chose this model by {seen} of its {all} prompts ({metric})"
    );
    Error::data(message).hint("give the gate rows that training has not seen, or train again without watching these")
}

fn mark(sample: &Sample) -> String {
    digest::of_bytes(overlap::prompt(sample).as_bytes())
}
