//! `diapason verify`: whether a run folder can be believed.

use crate::args::Verify;
use crate::exit::Exit;
use crate::number::counted;
use crate::paint::Paint;
use crate::pipeline::verify::{self, Status, Verified};
use crate::plan::Plan;
use crate::render::terminal;
use crate::ui::Ui;
use diapason_core::Result;
use diapason_core::event::{Event, Sink as _};
use serde_json::json;
use std::fmt::Write as _;

/// `diapason verify`. A difference is an error; otherwise the exit code is the verdict's, as far as it was shown.
pub(super) fn run(arguments: &Verify, ui: &Ui) -> Result<Exit> {
    let project = arguments.config.as_deref().map(Plan::load).transpose()?;
    let verified = verify::verify(&arguments.run, project, ui)?;
    let exit = exit(&verified);
    let document = json!({
        "run": arguments.run.display().to_string(),
        "trusted": verified.count(Status::Differs) == 0,
        "recomputed": verified.recomputed,
        "verdict": verified.gate.as_ref().map(|gate| gate.verdict),
        "checks": verified.checks,
    });
    ui.result(|paint| text(&verified, paint), &document);
    let differing = verified.checks.iter().filter(|line| line.status == Status::Differs);
    let names: Vec<&str> = differing.map(|line| line.what.as_str()).collect();
    if !names.is_empty() {
        ui.emit(&Event::Warning { message: format!("the run folder cannot be trusted: {}", names.join(", ")) });
    }
    Ok(exit)
}

fn exit(verified: &Verified) -> Exit {
    if verified.count(Status::Differs) > 0 {
        return Exit::Error;
    }
    match verified.gate.as_ref().map(|gate| gate.verdict).into() {
        // What could not be computed again was not shown.
        Exit::Passed if !verified.recomputed => Exit::Inconclusive,
        exit => exit,
    }
}

fn text(verified: &Verified, paint: Paint) -> String {
    let width = verified.checks.iter().map(|line| line.what.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for line in &verified.checks {
        let mark = match line.status {
            Status::Agrees => paint.green("✓"),
            Status::Differs => paint.red("✗"),
            Status::Unchecked => paint.yellow("?"),
        };
        let _ = writeln!(text, "{mark} {:width$}  {}", line.what, line.detail);
    }
    let of = |status| verified.count(status);
    let (agree, differ, unchecked) = (of(Status::Agrees), of(Status::Differs), of(Status::Unchecked));
    let checks = format!(
        "{}: {agree} agree, {differ} differ, {unchecked} not possible",
        counted(verified.checks.len(), "check")
    );
    let _ = writeln!(text, "\n{checks}");
    if differ > 0 {
        let _ = writeln!(text, "{}  The run folder cannot be trusted.", paint.red("REFUSED"));
        return text;
    }
    match &verified.gate {
        None if verified.recomputed => text += "No rules are configured, so there is no verdict.\n",
        None => text += "No verdict could be recomputed.\n",
        Some(gate) => text += &terminal::verdict(gate, paint),
    }
    if !verified.recomputed {
        text += "Not everything that the verdict rests on could be recomputed.\n";
    }
    text
}
