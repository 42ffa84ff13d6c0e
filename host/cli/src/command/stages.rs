//! The verbs that do one stage: each reads the artefact before it and writes the next.

use crate::args::{Config, Train};
use crate::exit::Exit;
use crate::pipeline::{Session, compare, eval, report, show, train, validate};
use crate::plan::Plan;
use crate::render::{json, terminal};
use crate::ui::Ui;
use diapason_core::Result;
use diapason_core::escape::line;
use diapason_core::report::FindingCounts;
use serde_json::json;

fn session(arguments: &Config, ui: &Ui) -> Result<Session> {
    Session::new(&Plan::load(&arguments.config)?, ui)
}

/// `diapason validate`.
pub(super) fn validate(arguments: &Config, ui: &Ui) -> Result<Exit> {
    let mut session = session(arguments, ui)?;
    let findings = validate::findings(&mut session)?;
    let counts = FindingCounts::of(&findings);
    ui.result(|paint| terminal::findings(&findings, paint), &json!({"counts": counts, "findings": findings}));
    Ok(if counts.errors == 0 { Exit::Passed } else { Exit::Error })
}

/// `diapason train`; errors among the findings stop it.
pub(super) fn train(arguments: &Train, ui: &Ui) -> Result<Exit> {
    let mut session = session(&arguments.config, ui)?;
    if let Some(rows) = arguments.show {
        let shown = show::rows(&mut session, rows)?;
        ui.result(|paint| show::text(&shown, paint), &json!(shown));
        return Ok(Exit::Passed);
    }
    validate::stage(&mut session)?;
    train::stage(&mut session)?;
    written(&session, ui, "trained", "train.jsonl")
}

/// `diapason eval`.
pub(super) fn eval(arguments: &Config, ui: &Ui) -> Result<Exit> {
    let mut session = session(arguments, ui)?;
    eval::stage(&mut session)?;
    written(&session, ui, "evaluated", "scores.jsonl")
}

fn written(session: &Session, ui: &Ui, done: &str, file: &str) -> Result<Exit> {
    let path = session.plan.folder().join(file).display().to_string();
    ui.result(|_| format!("{done}: {}\n", line(&path)), &json!({"written": path}));
    Ok(Exit::Passed)
}

/// `diapason compare`.
pub(super) fn compare(arguments: &Config, ui: &Ui) -> Result<Exit> {
    let mut session = session(arguments, ui)?;
    let comparison = compare::stage(&mut session)?;
    ui.result(|paint| terminal::comparison(&comparison, paint), &json!(comparison));
    Ok(Exit::Passed)
}

/// `diapason report`. Its exit code says whether the report was written; the verdict's is `gate`'s.
pub(super) fn report(arguments: &Config, ui: &Ui) -> Result<Exit> {
    let mut session = session(arguments, ui)?;
    let report = report::stage(&mut session)?;
    let folder = session.plan.folder();
    ui.result(|paint| terminal::report(&report, folder, paint), &json::report(&report, folder));
    Ok(Exit::Passed)
}

/// `diapason gate`.
pub(super) fn gate(arguments: &Config, ui: &Ui) -> Result<Exit> {
    let mut session = session(arguments, ui)?;
    let (comparison, gate) = report::decide(&mut session)?;
    ui.result(|paint| terminal::gate(gate.as_ref(), &comparison, paint), &json!(gate));
    Ok(gate.map(|gate| gate.verdict).into())
}
