//! The verbs that do one stage: each reads the artefact before it and writes the next.

use crate::args::{Checked, Config, Train};
use crate::exit::Exit;
use crate::pipeline::{Session, allow, compare, eval, report, show, train, validate};
use crate::plan::Plan;
use crate::render::{json, terminal, words};
use crate::ui::Ui;
use diapason_core::escape::line;
use diapason_core::report::FindingCounts;
use diapason_core::{Error, Result};
use serde_json::json;

fn plan(arguments: &Checked) -> Result<Plan> {
    Plan::load(&arguments.config.config)
}

fn session(arguments: &Checked, ui: &Ui) -> Result<Session> {
    Session::new(&plan(arguments)?, ui, &arguments.allow)
}

/// `diapason validate`.
pub(super) fn validate(arguments: &Checked, ui: &Ui) -> Result<Exit> {
    let mut session = session(arguments, ui)?;
    let findings = validate::findings(&mut session)?;
    let allowed = allow::record(&mut session, &findings)?;
    let counts = FindingCounts::of(&findings);
    let open = counts.errors - allowed.values().sum::<usize>();
    let human = |paint| {
        let lines: String = allowed.iter().map(|(rule, count)| words::allowed(rule, *count) + "\n").collect();
        terminal::findings(&findings, paint) + &lines
    };
    ui.result(human, &json!({"counts": counts, "allowed": allowed, "findings": findings}));
    Ok(if open == 0 { Exit::Passed } else { Exit::Error })
}

/// `diapason train`; errors among the findings stop it, and `--show` ends with them as `validate` does.
pub(super) fn train(arguments: &Train, ui: &Ui) -> Result<Exit> {
    if let Some(rows) = arguments.show {
        let mut session = Session::looking(&plan(&arguments.checked)?, ui, &arguments.checked.allow)?;
        session.trains()?;
        let shown = show::rows(&mut session, rows)?;
        ui.result(|paint| show::text(&shown, paint), &json!(shown));
        let findings = validate::again(&mut session)?;
        let allowed = allow::counts(&session, &findings)?;
        return validate::refusal(&findings, &allowed, &session).map_or(Ok(Exit::Passed), Err);
    }
    let mut session = session(&arguments.checked, ui)?;
    session.trains()?;
    validate::stage(&mut session)?;
    train::stage(&mut session)?;
    written(&session, ui, "trained", "train.jsonl")
}

/// `diapason eval`; errors among the findings stop it.
pub(super) fn eval(arguments: &Checked, ui: &Ui) -> Result<Exit> {
    let mut session = session(arguments, ui)?;
    validate::stage(&mut session)?;
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
    let mut session = Session::reading(&Plan::load(&arguments.config)?, ui, &[])?;
    let comparison = compare::stage(&mut session)?;
    ui.result(|paint| terminal::comparison(&comparison, paint), &json!(comparison));
    Ok(Exit::Passed)
}

/// `diapason report`. Its exit code says whether the report was written; the verdict's is `gate`'s.
pub(super) fn report(arguments: &Checked, ui: &Ui) -> Result<Exit> {
    let mut session = Session::reading(&plan(arguments)?, ui, &arguments.allow)?;
    decided(&mut session)?;
    let report = report::stage(&mut session)?;
    let folder = session.plan.folder();
    ui.result(|paint| terminal::report(&report, folder, paint), &json::report(&report, folder));
    Ok(Exit::Passed)
}

/// `diapason gate`. It needs rules: an exit code of 0 without one would say that something was shown.
pub(super) fn gate(arguments: &Checked, ui: &Ui) -> Result<Exit> {
    let mut session = Session::reading(&plan(arguments)?, ui, &arguments.allow)?;
    if session.plan.config.rules.is_empty() {
        return Err(Error::config(format!("{} has no rules, so the gate has nothing to decide", session.plan.name))
            .hint("add a `[[rule]]` with `suite`, `measure` and a limit: `minimum`, `maximum`, `margin` or `gain`"));
    }
    decided(&mut session)?;
    let (comparison, gate) = report::decide(&mut session)?;
    ui.result(|paint| terminal::gate(gate.as_ref(), &comparison, paint), &json!(gate));
    Ok(gate.map(|gate| gate.verdict).into())
}

/// Makes sure that there is a comparison to speak about, that all it rests on is as it was, and that no error is among the
/// findings.
fn decided(session: &mut Session) -> Result<()> {
    report::check(session)?;
    validate::stage(session).map(|_| ())
}
