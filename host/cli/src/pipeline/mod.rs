//! A run, stage by stage. Each stage reads the artefacts before it, writes its own into the run folder and records in
//! `manifest.json` what they depend on; a stage whose inputs and outputs still agree is not run again.

pub(crate) mod allow;
mod arm;
mod check;
pub(crate) mod compare;
mod consistency;
mod differ;
mod elsewhere;
pub(crate) mod eval;
mod generate;
pub(crate) mod hand_off;
mod here;
mod inputs;
mod integrity;
mod jsonl;
mod look;
mod looks;
pub(crate) mod outlook;
mod overlap;
mod preflight;
mod recompute;
pub(crate) mod report;
mod request;
mod score;
mod session;
pub(crate) mod show;
mod specials;
mod split;
mod store;
mod suite;
mod tokens;
pub(crate) mod train;
mod unread;
mod unrendered;
pub(crate) mod validate;
pub(crate) mod verify;
mod watch;
mod watched;

pub(crate) use session::Session;
pub(crate) use tokens::untaught;

use crate::plan::Plan;
use crate::ui::Ui;
use diapason_core::Result;
use diapason_core::gate::Verdict;
use diapason_core::report::Report;

/// Validates, trains, evaluates, compares and reports, as far as that has not been done yet.
/// Findings of the rules in `allow` do not stop it.
pub fn run(plan: &Plan, ui: &Ui, allow: &[String]) -> Result<Report> {
    let mut session = Session::new(plan, ui, allow)?;
    validate::stage(&mut session)?;
    train::stage(&mut session)?;
    eval::stage(&mut session)?;
    compare::stage(&mut session)?;
    report::stage(&mut session)
}

/// The gate's verdict, where the run has rules.
pub fn verdict(report: &Report) -> Option<Verdict> {
    report.gate.as_ref().map(|gate| gate.verdict)
}
