//! The files of a run folder: what they are called, and which verb writes them.

use diapason_core::arm::Arm;

/// What the validators found.
pub(crate) const FINDINGS: &str = "findings.jsonl";
/// Every event of training.
pub(crate) const TRAINING_LOG: &str = "train.jsonl";
/// What the report says of training.
pub(crate) const TRAINING: &str = "training.json";
/// The test rows as they were asked, so that a run folder can be verified without its data.
pub(crate) const SAMPLES: &str = "samples.jsonl";
/// What the evaluators say of the answers.
pub(crate) const SCORES: &str = "scores.jsonl";
/// The arms, compared.
pub(crate) const COMPARISON: &str = "comparison.json";
/// The report's files, for a reader first.
pub(crate) const REPORT: [&str; 4] = ["report.html", "report.md", "report.json", "junit.xml"];

/// The file of an arm's outputs. An arm's name has no dot in it.
pub(crate) fn outputs(arm: &Arm) -> String {
    format!("outputs.{arm}.jsonl")
}

/// The file of what an arm's answers took.
pub(crate) fn usage(arm: &Arm) -> String {
    format!("usage.{arm}.json")
}

/// The verb that writes an artefact, as it is typed.
pub(crate) fn maker(path: &str) -> &'static str {
    match path {
        FINDINGS => "validate",
        COMPARISON => "compare",
        TRAINING_LOG | TRAINING => "run",
        _ if REPORT.contains(&path) => "report",
        _ => "eval",
    }
}
