//! `diapason plugin test`: every case in the sandbox, and a word on each that does not hold.

use super::{case, execute};
use crate::exit::Exit;
use crate::paint::Paint;
use crate::ui::Ui;
use diapason_case_format::Case;
use diapason_core::Result;
use diapason_core::escape::line;
use diapason_sandbox::Plugin;
use serde_json::{Value, json};
use std::path::PathBuf;

struct Tested {
    file: PathBuf,
    name: String,
    outcome: Result<(), String>,
}

/// Exit code 0 where every case holds, else 4.
pub(super) fn run(plugin: &Plugin, paths: &[PathBuf], ui: &Ui) -> Result<Exit> {
    let cases = case::load(paths)?;
    let test = |(file, case): (PathBuf, Case)| Tested { outcome: execute::run(plugin, &case), name: case.name, file };
    let tested: Vec<Tested> = cases.into_iter().map(test).collect();
    let failed = tested.iter().filter(|one| one.outcome.is_err()).count();
    let documents: Vec<Value> = tested.iter().map(document).collect();
    let json = json!({"plugin": plugin.id(), "cases": tested.len(), "failed": failed, "results": documents});
    ui.result(|paint| human(plugin, &tested, failed, paint), &json);
    Ok(if failed == 0 { Exit::Passed } else { Exit::Error })
}

fn human(plugin: &Plugin, tested: &[Tested], failed: usize, paint: Paint) -> String {
    let verdict = match failed {
        0 => paint.green("passed"),
        _ => paint.red("failed"),
    };
    let holding = tested.len() - failed;
    let mut text = format!("{verdict}: {holding} of {} cases of {} {}\n", tested.len(), plugin.id(), plugin.version());
    for one in tested {
        if let Err(reason) = &one.outcome {
            let place = format!("{} ({})", one.name, one.file.display());
            text.push_str(&format!("\n{} {}\n  {}\n", paint.red("✗"), line(&place), line(reason)));
        }
    }
    text
}

fn document(tested: &Tested) -> Value {
    let reason = tested.outcome.as_ref().err();
    json!({"file": tested.file.display().to_string(), "name": tested.name, "passed": reason.is_none(), "reason": reason})
}
