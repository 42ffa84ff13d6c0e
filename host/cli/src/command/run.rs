//! `diapason run`: all stages.

use crate::args::Config;
use crate::exit::Exit;
use crate::pipeline;
use crate::plan::Plan;
use crate::render::{json, terminal};
use crate::ui::Ui;
use diapason_core::Result;

pub(super) fn run(arguments: &Config, ui: &Ui) -> Result<Exit> {
    let plan = Plan::load(&arguments.config)?;
    let report = pipeline::run(&plan, ui)?;
    ui.result(|paint| terminal::report(&report, plan.folder(), paint), &json::report(&report, plan.folder()));
    Ok(pipeline::verdict(&report).into())
}
