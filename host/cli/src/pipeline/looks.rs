//! The looks that decisions took at an evaluation, recorded in the manifest: more than one, or more than one model, spends
//! the gate's error rate again.

use super::{Session, integrity};
use diapason_core::arm::{Arm, Contrast};
use diapason_core::compare::Comparison;
use diapason_core::config::Config;
use diapason_core::frozen::{Frozen, Role, Verb};
use diapason_core::gate::{History, Look, Plan};
use diapason_core::{Result, digest};
use serde_json::json;
use std::collections::BTreeSet;

/// This look, and what came before it.
pub(super) fn now(session: &Session, comparison: &Comparison) -> Result<(Look, History)> {
    let evaluation = integrity::frozen(session, Verb::Eval)?;
    let now = look(evaluation, &session.plan.config, comparison);
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

/// The look at `comparison` by the rules of `config`.
pub(super) fn look(evaluation: &Frozen, config: &Config, comparison: &Comparison) -> Look {
    let of = |wanted: &dyn Fn(&Role) -> bool| {
        let files = evaluation.files.iter().filter(|(role, _)| wanted(role));
        let parts: Vec<(String, &str)> = files.map(|(role, file)| (role.to_string(), file.sha256.as_str())).collect();
        digest::of_parts(parts.iter().map(|(role, digest)| (role.as_str(), *digest)))
    };
    let named = config.rules.iter().map(|rule| &rule.arm).filter(|arm| !arm.is_tuned());
    let others: BTreeSet<&str> = named.map(Arm::as_str).collect();
    let tuned = others.is_empty() || config.rules.iter().any(|rule| rule.arm.is_tuned());
    let files = of(&|role| match role {
        Role::Tuned(_) => tuned,
        Role::Base(_) => others.contains("base"),
        Role::Arm(arm, _) => others.contains(arm.as_str()),
        _ => false,
    });
    Look {
        model: candidates(files, config, &others),
        data: of(&|role| matches!(role, Role::TestData(_))),
        comparison: evidence(comparison, config),
        samples: comparison.suites.iter().map(|suite| (suite.name.clone(), suite.samples)).collect(),
        plan: Plan::of(&config.gate),
    }
}

/// Digest of what the rules look at: base, tuned and the arms that they name. Another arm beside them is no other look.
fn evidence(comparison: &Comparison, config: &Config) -> String {
    let ruled: Vec<&Arm> = config.rules.iter().flat_map(|rule| [&rule.arm, &rule.against]).collect();
    let seen = |arm: &Arm| arm.is_base() || arm.is_tuned() || ruled.contains(&arm);
    let both = |contrast: &Contrast| seen(&contrast.candidate) && seen(&contrast.reference);
    let mut comparison = comparison.clone();
    comparison.arms.retain(seen);
    comparison.contrasts.retain(both);
    for measure in comparison.suites.iter_mut().flat_map(|suite| &mut suite.measures) {
        measure.levels.retain(|level| seen(&level.arm));
        measure.pairs.retain(|pair| both(&pair.contrast));
        measure.differences.retain(|difference| both(&difference.contrast));
        // Corrected for tests of other arms too.
        measure.differences.iter_mut().filter_map(|one| one.test.as_mut()).for_each(|test| test.adjusted = test.p);
    }
    digest::of_bytes(json!(comparison).to_string().as_bytes())
}

/// What the gate's rules are about: the tuned model, unless they name other arms. An arm is its files and its settings.
fn candidates(files: String, config: &Config, others: &BTreeSet<&str>) -> String {
    let arms: Vec<_> = config.arms.iter().filter(|arm| others.contains(arm.name.as_str())).collect();
    if arms.is_empty() {
        return files;
    }
    // Where its files lie and what its answers cost makes no other arm.
    let settings = arms.iter().map(|arm| {
        json!([arm.name, arm.examples, arm.endpoint.as_ref().map(|one| (&one.url, &one.model, one.protocol))])
    });
    digest::of_parts([("files", files.as_str()), ("arms", json!(settings.collect::<Vec<_>>()).to_string().as_str())])
}
