//! What a verb used is frozen when it is done; the verbs after it refuse what has changed since, by name.

use super::suite::LoadedSuite;
use super::{Session, jsonl, look};
use crate::artefact::{self, COMPARISON, FINDINGS, SAMPLES, SCORES, TRAINING, TRAINING_LOG};
use crate::clock;
use diapason_core::event::{Event, Sink as _};
use diapason_core::frozen::{
    Difference, File, Frozen, Live, PluginUse, Role, Use, Verb, check_files, check_settings, portable,
};
use diapason_core::sample::Sample;
use diapason_core::{Class, Error, Result, digest};
use diapason_project::dataset;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// At most this many differences are listed; an error has to fit on a screen.
const LISTED: usize = 10;

/// A row of `samples.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) suite: String,
    pub(super) sample: Sample,
}

/// Freezes what training used and made.
pub(super) fn freeze_training(session: &mut Session) -> Result<()> {
    let place = look::Place { suites: &[], validators: false, artefacts: vec![TRAINING_LOG.into(), TRAINING.into()] };
    let plugins = look::plugins(session, &place)?;
    let files = look::files(session, &place)?;
    freeze(session, Verb::Train, digests(session, files)?, plugins)
}

/// Freezes what the evaluation used and made. `suites` are the ones that were evaluated.
pub(super) fn freeze_evaluation(session: &mut Session, suites: &[LoadedSuite]) -> Result<()> {
    check_training(session)?;
    check_tuned(session)?;
    let asked = suites.iter().flat_map(|suite| {
        let name = suite.config.name.clone();
        suite.samples.iter().map(move |sample| Asked { suite: name.clone(), sample: sample.clone() })
    });
    jsonl::write(&session.artefact(SAMPLES), &asked.collect::<Vec<_>>())?;
    let mut artefacts = [SAMPLES, SCORES].map(String::from).to_vec();
    for arm in session.plan.config.arms().all {
        artefacts.extend([artefact::outputs(&arm), artefact::usage(&arm)]);
    }
    artefacts.extend(written(session)?);
    let place = look::Place { suites: &session.plan.config.suites.clone(), validators: true, artefacts };
    let plugins = look::plugins(session, &place)?;
    let live = look::files(session, &place)?;
    let mut files = digests(session, live)?;
    for (used, entry) in look::entries(session, &place) {
        // The component that worked is the one that was loaded, whatever the file has become since.
        let role = Role::Plugin(used);
        let worked = session.plugins.get(&entry.plugin)?.sha256().to_owned();
        if files.get(&role).is_some_and(|file| file.sha256 != worked) {
            return Err(Error::data(format!("{role} changed while it was in use"))
                .hint("run `diapason eval` again: the scores stem from the previous component"));
        }
    }
    for suite in suites {
        // The digest of what was read, whatever the file has become since.
        let file = File { sha256: suite.file.clone(), rows: Some(suite.samples.len()) };
        files.insert(Role::TestData(suite.config.name.clone()), file);
    }
    freeze(session, Verb::Eval, files, plugins)
}

/// Freezes what the comparison rests on and says.
pub(super) fn freeze_comparison(session: &mut Session) -> Result<()> {
    let artefacts = [SAMPLES, SCORES, COMPARISON].map(String::from).to_vec();
    let place = look::Place { suites: &session.plan.config.suites.clone(), validators: false, artefacts };
    let mut live = look::files(session, &place)?;
    live.retain(|role, _| matches!(role, Role::Artefact(_) | Role::Plugin(_)));
    let files = digests(session, live)?;
    freeze(session, Verb::Compare, files, Vec::new())
}

/// Freezes the report's files and what they are about.
pub(super) fn freeze_report(session: &mut Session) -> Result<()> {
    let names = [SCORES, COMPARISON].into_iter().chain(artefact::REPORT);
    let live = names.map(|name| (Role::Artefact(name.into()), look::artefact(session, name))).collect();
    let files = digests(session, live)?;
    freeze(session, Verb::Report, files, Vec::new())
}

/// What validation and training left, where it is what they wrote.
fn written(session: &Session) -> Result<Vec<String>> {
    let adapter = session.plan.config.adapter().is_some();
    let stages = [("validate", vec![FINDINGS]), ("train", vec![TRAINING_LOG, TRAINING])];
    let mut found = Vec::new();
    for (name, files) in stages.into_iter().filter(|(name, _)| *name == "validate" || !adapter) {
        let Some(stage) = session.manifest.stages.get(name) else { continue };
        for file in files {
            match (look::artefact(session, file), stage.outputs.get(file)) {
                (Live::Digest(found), Some(recorded)) if found != *recorded => {
                    let message = format!("{file} is not what `diapason {name}` wrote");
                    return Err(Error::data(message).hint(format!("`diapason {name}` generates it again")));
                }
                (Live::Digest(_), _) => found.push(file.to_owned()),
                _ => {}
            }
        }
    }
    Ok(found)
}

fn digests(session: &Session, live: BTreeMap<Role, Live>) -> Result<BTreeMap<Role, File>> {
    let mut files = BTreeMap::new();
    for (role, found) in live {
        let file = match (&role, found) {
            (Role::TrainingData, Live::Digest(_)) => training_data(session)?,
            (_, Live::Digest(digest)) => File::new(digest),
            (_, Live::Missing) => return Err(Error::data(format!("{role} has disappeared")).hint("put it back")),
            (_, Live::Unknown(reason)) => return Err(Error::data(format!("failed to read {role}: {reason}"))),
        };
        files.insert(role, file);
    }
    Ok(files)
}

fn training_data(session: &Session) -> Result<File> {
    let Some(data) = &session.plan.config.data else { return Err(Error::config("no training data is configured")) };
    let (text, sha256) = dataset::read(&data.train, &data.columns)?;
    Ok(File { sha256, rows: Some(dataset::rows(&text, "train", data.limit).len()) })
}

/// The date stays where nothing else has changed.
fn freeze(session: &mut Session, verb: Verb, files: BTreeMap<Role, File>, plugins: Vec<PluginUse>) -> Result<()> {
    session.inputs.unchanged()?;
    let config = portable(&session.plan.config);
    let mut frozen = Frozen { date: clock::now()?, diapason: env!("CARGO_PKG_VERSION").into(), config, files, plugins };
    if let Some(old) = session.manifest.frozen.get(&verb)
        && old.files == frozen.files
        && check_settings(verb, old, &frozen.config).is_empty()
    {
        frozen.date.clone_from(&old.date);
    }
    session.manifest.frozen.insert(verb, frozen);
    session.manifest.save(session.plan.folder())
}

/// Refuses where what `verb` used or made is not what there is now.
pub(super) fn check(session: &mut Session, verb: Verb) -> Result<()> {
    let frozen = frozen(session, verb)?.clone();
    check_some(session, verb, &frozen, |_| true)
}

/// What `verb` froze.
pub(super) fn frozen(session: &Session, verb: Verb) -> Result<&Frozen> {
    session.manifest.frozen.get(&verb).ok_or_else(|| {
        Error::run(format!("manifest.json records no {verb} in {}", session.plan.folder().display()))
            .hint(format!("run `diapason {}` first", name(verb)))
    })
}

/// Refuses a tuned model that was trained by another configuration, from other data or on another base.
pub(super) fn check_training(session: &mut Session) -> Result<()> {
    check_trained(session, |role| !matches!(role, Role::Tuned(_) | Role::Artefact(_)))
}

/// Refuses a tuned model that is not the one that training wrote.
pub(super) fn check_tuned(session: &mut Session) -> Result<()> {
    check_trained(session, |role| matches!(role, Role::Tuned(_)))
}

fn check_trained(session: &mut Session, kind: impl Fn(&Role) -> bool) -> Result<()> {
    let frozen = session.manifest.frozen.get(&Verb::Train).cloned();
    let own = session.plan.config.trains();
    frozen.filter(|_| own).map_or(Ok(()), |frozen| check_some(session, Verb::Train, &frozen, kind))
}

fn check_some(session: &mut Session, verb: Verb, frozen: &Frozen, kind: impl Fn(&Role) -> bool) -> Result<()> {
    let mut frozen = frozen.clone();
    frozen.files.retain(|role, _| kind(role));
    session.inputs.unchanged()?;
    let mut differ = check_settings(verb, &frozen, &portable(&session.plan.config));
    let live = look::live(session, &frozen)?;
    let checked = check_files(&frozen, &live);
    differ.extend(checked.differ);
    // In the project's own place everything has to be there.
    differ.extend(checked.unknown.into_iter().map(|(role, _)| Difference::Gone(role)));
    if differ.is_empty() { Ok(()) } else { Err(refusal(verb, &differ)) }
}

/// The text of an artefact that `verb` froze; refused where it is not the one that is read here.
pub(super) fn text(session: &Session, verb: Verb, name: &str) -> Result<String> {
    let role = Role::Artefact(name.into());
    let text = jsonl::text(&session.artefact(name), self::name(verb))?;
    let known = frozen(session, verb)?.files.get(&role);
    if known.is_some_and(|file| file.sha256 == digest::of_bytes(text.as_bytes())) {
        return Ok(text);
    }
    Err(refusal(verb, &[Difference::Changed(role)]))
}

/// Refuses a report that somebody else wrote to; warns of one that is about something else by now.
pub(super) fn check_report(session: &Session) -> Result<()> {
    let Some(frozen) = session.manifest.frozen.get(&Verb::Report) else { return Ok(()) };
    let mut stale = !check_settings(Verb::Report, frozen, &portable(&session.plan.config)).is_empty();
    for (role, file) in &frozen.files {
        let Role::Artefact(name) = role else { continue };
        let Live::Digest(found) = look::artefact(session, name) else { continue };
        let changed = found != file.sha256;
        if changed && artefact::REPORT.contains(&name.as_str()) {
            return Err(refusal(Verb::Report, &[Difference::Changed(role.clone())]));
        }
        stale |= changed;
    }
    if stale {
        let message =
            "the report in the run folder is out of date (other rules or scores): `diapason report` writes it again";
        session.ui.emit(&Event::Warning { message: message.into() });
    }
    Ok(())
}

/// The error that names what differs from what `verb` froze.
fn refusal(verb: Verb, differ: &[Difference]) -> Error {
    let settings = differ.iter().any(|difference| difference.role().is_none());
    let class = if settings { Class::Config } else { Class::Data };
    let message = match differ {
        [only @ Difference::Setting { .. }] => format!("the configuration changed since the {verb}: {only}"),
        [only] => format!("{only} since the {verb}"),
        _ => {
            let mut lines: Vec<String> =
                differ.iter().take(LISTED).map(|difference| format!("\n  {difference}")).collect();
            if differ.len() > LISTED {
                lines.push(format!("\n  … and {} more", differ.len() - LISTED));
            }
            format!("{} things changed since the {verb}:{}", differ.len(), lines.concat())
        }
    };
    let hint = differ.first().map(|first| remedy(verb, first)).unwrap_or_default();
    Error::new(class, message).hint(hint)
}

/// What makes it whole again.
fn remedy(verb: Verb, difference: &Difference) -> String {
    let again = |all: bool| if all && verb <= Verb::Eval { "run" } else { name(verb) };
    match difference {
        Difference::Setting { key, .. } => {
            let verb = again(["train.", "data.", "template.", "run.seed"].iter().any(|table| key.starts_with(table)));
            format!("restore the old value, or run `diapason {verb}` to start over with the new one")
        }
        Difference::Changed(Role::Artefact(path)) | Difference::Gone(Role::Artefact(path)) => {
            format!("`diapason {}` generates it again", artefact::maker(path))
        }
        Difference::Changed(role) | Difference::Gone(role) | Difference::Added(role) => {
            let judges = matches!(role, Role::TestData(_) | Role::Plugin(Use::Suite(..) | Use::Validator(_)));
            let verb = again(!judges);
            format!("restore the old file, or run `diapason {verb}` to start over with the current one")
        }
    }
}

/// The verb as it is typed.
pub(super) fn name(verb: Verb) -> &'static str {
    match verb {
        Verb::Train => "train",
        Verb::Eval => "eval",
        Verb::Compare => "compare",
        Verb::Report => "report",
    }
}
