//! The looks that decisions took at an evaluation, recorded in the manifest: more than one, or more than one model, spends
//! the gate's error rate again.

use super::{Session, integrity};
use crate::artefact::COMPARISON;
use diapason_core::compare::Comparison;
use diapason_core::frozen::{Frozen, Role, Verb};
use diapason_core::gate::{History, Look, Plan};
use diapason_core::{Result, digest};
use diapason_disk::files;

/// This look, and what came before it.
pub(super) fn now(session: &Session, comparison: &Comparison) -> Result<(Look, History)> {
    let sha256 = files::digest(&session.artefact(COMPARISON))?;
    let plan = Plan::of(&session.plan.config.gate);
    let now = look(integrity::frozen(session, Verb::Eval)?, comparison, sha256, plan);
    let history = History::before(&now, &session.manifest.looks);
    Ok((now, history))
}

/// Records a look that decided something, where it is a new one: before anybody sees the verdict, and not where the gate
/// refused to look.
pub(super) fn record(session: &mut Session, now: Look) -> Result<()> {
    let same = |look: &Look| look.model == now.model && look.comparison == now.comparison;
    if session.manifest.looks.iter().any(same) {
        return Ok(());
    }
    session.manifest.looks.push(now);
    session.manifest.save(session.plan.folder())
}

/// The look at `comparison`, whose file has this digest.
pub(super) fn look(evaluation: &Frozen, comparison: &Comparison, sha256: String, plan: Plan) -> Look {
    let of = |wanted: fn(&Role) -> bool| {
        let files = evaluation.files.iter().filter(|(role, _)| wanted(role));
        let parts: Vec<(String, &str)> = files.map(|(role, file)| (role.to_string(), file.sha256.as_str())).collect();
        digest::of_parts(parts.iter().map(|(role, digest)| (role.as_str(), *digest)))
    };
    Look {
        model: of(|role| matches!(role, Role::Tuned(_))),
        data: of(|role| matches!(role, Role::TestData(_))),
        comparison: sha256,
        samples: comparison.suites.iter().map(|suite| (suite.name.clone(), suite.samples)).collect(),
        plan,
    }
}
