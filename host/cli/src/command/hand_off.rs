//! `diapason hand-off`: a training run for another trainer.

use crate::args::{HandOff, Trainer};
use crate::exit::Exit;
use crate::lock::Lock;
use crate::number::counted;
use crate::pipeline::hand_off::{self, Elsewhere};
use crate::pipeline::{Session, allow, validate};
use crate::plan::Plan;
use crate::ui::Ui;
use diapason_core::Result;
use diapason_core::escape::line;
use diapason_train::hand_off::Tool;
use serde_json::json;

/// `diapason hand-off`; errors among the findings stop it, as they stop `train`.
pub(super) fn run(arguments: &HandOff, ui: &Ui) -> Result<Exit> {
    let checked = &arguments.checked;
    let mut session = Session::looking(&Plan::load(&checked.config.config)?, ui, &checked.allow)?;
    session.trains()?;
    let findings = validate::again(&mut session)?;
    let allowed = allow::counts(&session, &findings)?;
    if let Some(error) = validate::refusal(&findings, &allowed, &session) {
        return Err(error);
    }
    let elsewhere = Elsewhere {
        tool: tool(arguments.trainer),
        out: &arguments.out,
        base: arguments.base.as_deref(),
        gpus: arguments.gpus as usize,
        nodes: arguments.nodes as usize,
    };
    let _lock = Lock::beside(&arguments.out)?;
    let handed = hand_off::write(&mut session, &elsewhere)?;
    let out = arguments.out.display().to_string();
    let text = format!(
        "handed to {}: {} ({} on {})\nNext: README.md there\n",
        elsewhere.tool.name(),
        line(&out),
        counted(handed.steps as usize, "step"),
        counted(handed.processes, "GPU"),
    );
    ui.result(|_| text, &json!({"written": out, "run": handed}));
    Ok(Exit::Passed)
}

fn tool(trainer: Trainer) -> Tool {
    match trainer {
        Trainer::Trl => Tool::Trl,
        Trainer::Axolotl => Tool::Axolotl,
        Trainer::LlamaFactory => Tool::LlamaFactory,
    }
}
