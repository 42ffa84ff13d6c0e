//! `diapason run`: all stages.

use crate::args::Checked;
use crate::exit::Exit;
use crate::pipeline;
use crate::plan::Plan;
use crate::render::{json, terminal};
use crate::ui::Ui;
use diapason_core::Result;

pub(super) fn run(arguments: &Checked, ui: &Ui) -> Result<Exit> {
    let plan = Plan::load(&arguments.config.config)?;
    let report = pipeline::run(&plan, ui, &arguments.allow)?;
    ui.result(|paint| terminal::report(&report, plan.folder(), paint), &json::report(&report, plan.folder()));
    Ok(pipeline::verdict(&report).into())
}
