//! Stage `validate`: what the validators find in the training data and the suites.

use super::allow::{self, Allowed};
use super::split::{self, Split};
use super::{Session, jsonl, overlap, preflight, specials, unread, unrendered};
use crate::artefact::FINDINGS;
use crate::number::counted;
use crate::render::words;
use crate::wire;
use diapason_core::config::Plugin as Entry;
use diapason_core::finding::{Finding, Severity};
use diapason_core::report::FindingCounts;
use diapason_core::sample::Sample;
use diapason_core::schema;
use diapason_core::{Error, Result, digest};
use diapason_models::decoding;
use diapason_project::dataset;
use diapason_sandbox::{Grants, Plugin, Validator};
use std::collections::{BTreeSet, HashSet};

const STAGE: &str = "validate";

/// Writes `findings.jsonl`; errors where a finding forbids training.
pub(crate) fn stage(session: &mut Session) -> Result<Vec<Finding>> {
    let findings = findings(session)?;
    let allowed = allow::record(session, &findings)?;
    match refusal(&findings, &allowed, session) {
        Some(error) => Err(error),
        None => Ok(findings),
    }
}

/// Writes `findings.jsonl` and gives its rows, whatever they say.
///
/// What `train` or `eval` would refuse of the settings and of an adapter is refused here.
pub(crate) fn findings(session: &mut Session) -> Result<Vec<Finding>> {
    let validators = load(session)?;
    let (train, suites) = split::all(&session.plan.config)?;
    tuning(session, train.as_ref())?;
    let inputs = inputs(session, &validators, train.iter().chain(&suites))?;
    let path = session.artefact(FINDINGS);
    if session.is_current(STAGE, &inputs) {
        return jsonl::read(&path, STAGE);
    }
    session.started(STAGE, Some(validators.len()));
    let found = look(session, &validators, train.as_ref(), &suites)?;
    jsonl::write(&path, &found)?;
    session.finish(STAGE, &inputs, &[FINDINGS.into()])?;
    session.ended(STAGE, summary(&found, train.iter().chain(&suites)));
    Ok(found)
}

/// Holds what the model's files say of its answers against what can be done, and an existing adapter against its base or
/// the settings of training against the number of rows.
fn tuning(session: &mut Session, train: Option<&Split>) -> Result<()> {
    let config = session.plan.config.clone();
    let Some(model) = &config.model else { return Ok(()) };
    if let Some(refusal) = decoding::refusal(&model.path).filter(|_| !config.suites.is_empty()) {
        return Err(refusal);
    }
    if let Some(adapter) = &model.adapter {
        return wire::outline(&model.path)?.check_adapter(adapter);
    }
    let (Some(data), Some(train)) = (&config.data, train) else { return Ok(()) };
    let samples: Vec<&Sample> = train.readable().map(|(_, sample)| sample).collect();
    // Rows that cannot be read are findings.
    if samples.is_empty() || samples.len() < train.rows.len() {
        return Ok(());
    }
    let (rows, _) = dataset::split(&samples, data.held_out, config.run.seed);
    preflight::learns(&session.plan, rows.len())
}

/// Refuses to evaluate beside findings that are about other data, or of other validators.
pub(super) fn check_current(session: &mut Session) -> Result<()> {
    if current(session)? {
        return Ok(());
    }
    Err(Error::data(format!("{FINDINGS} is about other data or of other validators"))
        .hint("`diapason validate` generates it again"))
}

/// Whether the stored findings are about these data and validators; `true` where there are none.
fn current(session: &mut Session) -> Result<bool> {
    let Some(stage) = session.manifest.stages.get(STAGE).cloned() else { return Ok(true) };
    let validators = load(session)?;
    let (train, suites) = split::all(&session.plan.config)?;
    Ok(stage.inputs == inputs(session, &validators, train.iter().chain(&suites))?)
}

/// What the validators say now; writes nothing.
pub(crate) fn again(session: &mut Session) -> Result<Vec<Finding>> {
    let validators = load(session)?;
    let (train, suites) = split::all(&session.plan.config)?;
    look(session, &validators, train.as_ref(), &suites)
}

fn errors(found: &[Finding]) -> impl Iterator<Item = &Finding> {
    found.iter().filter(|finding| finding.severity == Severity::Error)
}

fn look(
    session: &mut Session,
    validators: &[(Plugin, Entry)],
    train: Option<&Split>,
    suites: &[Split],
) -> Result<Vec<Finding>> {
    let mut found: Vec<Finding> = train.into_iter().chain(suites).flat_map(|split| split.faults.clone()).collect();
    for (plugin, entry) in validators {
        found.extend(all_passes(plugin, entry, &session.grants, train, suites)?);
    }
    found.extend(leaks(session, train, suites, &found));
    // Without a model that can be read there is nothing to say of it: that is for the verbs that need it.
    let path = session.plan.config.base().map(|model| model.path.clone());
    if let Ok(model) = path.and_then(|path| wire::outline(&path)) {
        found.extend(specials::findings(session, &model, train.into_iter().chain(suites)));
        found.extend(unrendered::findings(session, &model, train, suites));
    }
    let unread = train.into_iter().chain(suites).flat_map(unread::findings);
    let known: HashSet<(String, u32)> = errors(&found).map(|one| (one.split.clone(), one.line)).collect();
    found.extend(unread.filter(|one| !known.contains(&(one.split.clone(), one.line))));
    Ok(found)
}

/// What the host itself finds in suites that rules rest on, unless a validator said it.
fn leaks(session: &Session, train: Option<&Split>, suites: &[Split], known: &[Finding]) -> Vec<Finding> {
    let Some(train) = train else { return Vec::new() };
    let gated = |suite: &&Split| session.plan.config.rules.iter().any(|rule| rule.suite == suite.name);
    let said = |leak: &Finding| {
        known.iter().any(|one| (&one.rule, &one.split, one.line) == (&leak.rule, &leak.split, leak.line))
    };
    suites.iter().filter(gated).flat_map(|suite| overlap::leaks(train, suite)).filter(|leak| !said(leak)).collect()
}

/// Why the run must not go on, if it must not: errors of rules that are not allowed.
pub(crate) fn refusal(findings: &[Finding], allowed: &Allowed, session: &Session) -> Option<Error> {
    let stops = |finding: &&Finding| finding.severity == Severity::Error && !allowed.contains_key(&finding.rule);
    let errors: Vec<&Finding> = findings.iter().filter(stops).collect();
    let first = errors.first()?;
    let lines: Vec<String> = errors.iter().take(5).map(|finding| format!("  {}", words::finding(finding))).collect();
    let more = errors.len().saturating_sub(lines.len());
    let more = if more == 0 { String::new() } else { format!("\n  … and {more} more") };
    let message = format!("the datasets have {}:\n{}{more}", counted(errors.len(), "error"), lines.join("\n"));
    let all = match session.keeps {
        true => format!("all findings are in {}", session.artefact(FINDINGS).display()),
        false => "`diapason validate` lists all findings".into(),
    };
    Some(Error::data(message).hint(if first.hint.is_empty() { all } else { format!("{}; {all}", first.hint) }))
}

fn load(session: &mut Session) -> Result<Vec<(Plugin, Entry)>> {
    let entries = session.plan.config.validators.clone();
    let mut loaded = Vec::new();
    for entry in entries {
        let plugin = session.plugins.get(&entry.plugin)?;
        schema::check_settings(plugin.id(), plugin.settings_schema(), &entry.settings)?;
        loaded.push((plugin, entry));
    }
    Ok(loaded)
}

fn inputs<'a>(
    session: &mut Session,
    validators: &[(Plugin, Entry)],
    splits: impl Iterator<Item = &'a Split>,
) -> Result<String> {
    let rendering = unrendered::digest(session)?;
    let rows = |split: &Split| {
        let rows = split.rows.iter().map(|row| format!("{}:{}\n", row.line, row.text));
        let faults = split.faults.iter().map(|fault| format!("{}:{}\n", fault.rule, fault.message));
        let text = faults.chain(rows).collect::<String>();
        (split.name.clone(), digest::of_bytes(text.as_bytes()))
    };
    let plugin = |(plugin, entry): &(Plugin, Entry)| {
        (plugin.sha256().to_owned(), serde_json::Value::Object(entry.settings.clone()).to_string())
    };
    let limits = serde_json::json!(session.plan.config.limits).to_string();
    let gated: BTreeSet<&str> = session.plan.config.rules.iter().map(|rule| rule.suite.as_str()).collect();
    let gated = serde_json::json!(gated).to_string();
    let special = serde_json::json!(session.plan.config.template.special_tokens_in_text).to_string();
    let parts: Vec<(String, String)> = splits
        .map(rows)
        .chain(validators.iter().map(plugin))
        .chain([
            ("host".into(), env!("CARGO_PKG_VERSION").into()),
            ("limits".into(), limits),
            ("gated".into(), gated),
            ("specials".into(), special),
        ])
        .chain([("rendering".into(), rendering)])
        .collect();
    Ok(digest::of_parts(parts.iter().map(|(name, digest)| (name.as_str(), digest.as_str()))))
}

/// One pass for each suite, each with the training data before it: a validator sees one `test` split at a time, so
/// that its line numbers are those of one file. What a later pass says again of the training data is left out.
fn all_passes(
    plugin: &Plugin,
    entry: &Entry,
    grants: &Grants,
    train: Option<&Split>,
    suites: &[Split],
) -> Result<Vec<Finding>> {
    let passes: Vec<Option<&Split>> = if suites.is_empty() { vec![None] } else { suites.iter().map(Some).collect() };
    let (mut all, mut known) = (Vec::new(), HashSet::new());
    for suite in passes {
        for finding in pass(plugin, entry, grants, train, suite)? {
            if known.insert(serde_json::json!(finding).to_string()) {
                all.push(finding);
            }
        }
    }
    Ok(all)
}

fn pass(
    plugin: &Plugin,
    entry: &Entry,
    grants: &Grants,
    train: Option<&Split>,
    suite: Option<&Split>,
) -> Result<Vec<Finding>> {
    let mut validator = Validator::new(plugin, &entry.settings, grants)?;
    let mut found = Vec::new();
    for split in [train, suite].into_iter().flatten() {
        found.extend(validator.push(&split.rows)?);
    }
    found.extend(validator.finish()?);
    for finding in &mut found {
        finding.validator = entry.name.clone().unwrap_or_else(|| plugin.id().into());
        if let Some(suite) = suite.filter(|_| finding.split == "test") {
            finding.split.clone_from(&suite.name);
        }
    }
    Ok(found)
}

fn summary<'a>(findings: &[Finding], splits: impl Iterator<Item = &'a Split>) -> String {
    let rows: usize = splits.map(|split| split.rows.len()).sum();
    let FindingCounts { errors, warnings, notes } = FindingCounts::of(findings);
    let [rows, errors, warnings, notes] =
        [(rows, "row"), (errors, "error"), (warnings, "warning"), (notes, "note")].map(|(n, noun)| counted(n, noun));
    format!("{rows}: {errors}, {warnings}, {notes}")
}
