//! What `--format json` prints of a report: the decision and where the rest is.

use crate::artefact;
use diapason_core::report::Report;
use serde_json::{Value, json};
use std::path::Path;

/// Verdict, conditions, comparison, costs and the files' paths; the samples are in `report.json`.
pub(crate) fn report(report: &Report, folder: &Path) -> Value {
    json!({
        "name": report.name,
        "verdict": report.gate.as_ref().map(|gate| gate.verdict),
        "gate": report.gate,
        "comparison": report.comparison,
        "costs": report.costs,
        "worth": report.worth,
        "findings": report.findings,
        "allowed": report.allowed,
        "files": artefact::REPORT.iter().map(|name| folder.join(name).display().to_string()).collect::<Vec<_>>(),
    })
}
