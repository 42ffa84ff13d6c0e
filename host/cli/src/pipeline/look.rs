//! Looks at the files of a run as they are now: what is frozen, and what is compared with it.

use super::Session;
use crate::wire::{self, Origin, origin};
use diapason_core::config::{Plugin as Entry, Suite};
use diapason_core::frozen::{Frozen, Live, PluginUse, Role, Use, labels};
use diapason_core::{Result, digest};
use diapason_disk::files;
use diapason_project::config::is_path;
use diapason_project::prompting::Passages;
use std::collections::BTreeMap;
use std::path::Path;

/// What of a run is looked at beside its models, its template and its training data.
pub(super) struct Place<'a> {
    /// Suites with their test data and plugins.
    pub(super) suites: &'a [Suite],
    /// Whether the validators are looked at as well.
    pub(super) validators: bool,
    /// Paths in the run folder.
    pub(super) artefacts: Vec<String>,
}

/// Every file of the run with its digest.
pub(super) fn files(session: &mut Session, place: &Place<'_>) -> Result<BTreeMap<Role, Live>> {
    let mut live = BTreeMap::new();
    models(session, &mut live)?;
    if let Some(data) = &session.plan.config.data {
        live.insert(Role::TrainingData, file(&data.train)?);
    }
    if let Some(found) = template(session)? {
        live.insert(Role::Template, found);
    }
    for suite in place.suites {
        live.insert(Role::TestData(suite.name.clone()), file(&suite.data)?);
    }
    arms(session, &mut live)?;
    for (used, entry) in entries(session, place) {
        let found = wire::component_digest(&entry.plugin)?.map_or(Live::Missing, Live::Digest);
        live.insert(Role::Plugin(used), found);
    }
    for name in &place.artefacts {
        live.insert(Role::Artefact(name.clone()), artefact(session, name));
    }
    Ok(live)
}

/// What `frozen` names, and nothing else.
pub(super) fn live(session: &mut Session, frozen: &Frozen) -> Result<BTreeMap<Role, Live>> {
    let known = |kind: fn(&Role) -> bool| frozen.files.keys().any(kind);
    let (mut live, mut models) = (BTreeMap::new(), BTreeMap::new());
    self::models(session, &mut models)?;
    let (base, tuned) = (known(|role| matches!(role, Role::Base(_))), known(|role| matches!(role, Role::Tuned(_))));
    live.extend(models.into_iter().filter(|(role, _)| if matches!(role, Role::Base(_)) { base } else { tuned }));
    if known(|role| matches!(role, Role::Arm(..))) {
        arms(session, &mut live)?;
    }
    let suites = session.plan.config.suites.clone();
    let plugins: BTreeMap<Use, Entry> =
        entries(session, &Place { suites: &suites, validators: true, artefacts: Vec::new() }).into_iter().collect();
    for role in frozen.files.keys() {
        let found = match role {
            Role::Base(_) | Role::Tuned(_) | Role::Arm(..) => None,
            Role::TrainingData => session.plan.config.data.as_ref().map(|data| file(&data.train)).transpose()?,
            Role::Template => template(session)?,
            Role::TestData(name) => {
                let suite = suites.iter().find(|suite| suite.name == *name);
                suite.map(|suite| file(&suite.data)).transpose()?
            }
            Role::Plugin(used) => match plugins.get(used) {
                Some(entry) => Some(wire::component_digest(&entry.plugin)?.map_or(Live::Missing, Live::Digest)),
                None => None,
            },
            Role::Artefact(name) => Some(artefact(session, name)),
        };
        if let Some(found) = found {
            live.insert(role.clone(), found);
        }
    }
    Ok(live)
}

/// A file of the run folder.
pub(super) fn artefact(session: &Session, name: &str) -> Live {
    file(&session.artefact(name)).unwrap_or_else(|error| Live::Unknown(error.to_string()))
}

/// A file; missing where there is none.
pub(super) fn file(path: &Path) -> Result<Live> {
    if path.exists() { files::digest(path).map(Live::Digest) } else { Ok(Live::Missing) }
}

/// The files of the base model and of the tuned one, as far as there are any.
fn models(session: &mut Session, live: &mut BTreeMap<Role, Live>) -> Result<()> {
    if session.plan.config.has_tuned() {
        let (_, tuned) = session.tuned();
        model(session, &tuned, Role::Tuned, live)?;
    }
    match session.plan.config.model.as_ref().map(|model| model.path.clone()) {
        Some(base) => model(session, &base, Role::Base, live),
        None => Ok(()),
    }
}

/// The files that shape the answers of each `[[arm]]`.
fn arms(session: &mut Session, live: &mut BTreeMap<Role, Live>) -> Result<()> {
    for arm in session.plan.config.arms.clone() {
        let examples = arm.examples.as_ref().filter(|examples| !examples.from_training());
        let named = [
            ("model", arm.model.as_deref()),
            ("adapter", arm.adapter.as_deref()),
            ("outputs", arm.outputs.as_deref()),
            ("examples", examples.map(|examples| examples.from.as_path())),
        ];
        if let Some(path) = arm.template.as_ref().filter(|name| is_path(name, "jinja")) {
            live.insert(Role::Arm(arm.name.clone(), "template".into()), file(Path::new(path))?);
        }
        if let Some(retrieve) = &arm.retrieve {
            let found = if retrieve.folder.exists() {
                Live::Digest(Passages::open(retrieve)?.digest().to_owned())
            } else {
                Live::Missing
            };
            live.insert(Role::Arm(arm.name.clone(), "passages".into()), found);
        }
        for (kind, path) in named.into_iter().filter_map(|(kind, path)| Some((kind, path?))) {
            let role = |file: String| Role::Arm(arm.name.clone(), file);
            if !path.is_dir() {
                live.insert(role(kind.into()), file(path)?);
            } else {
                let files = session.inputs.files(path)?.iter();
                live.extend(files.map(|(name, digest)| (role(format!("{kind}/{name}")), Live::Digest(digest.clone()))));
            }
        }
    }
    Ok(())
}

fn model(session: &mut Session, path: &Path, role: fn(String) -> Role, live: &mut BTreeMap<Role, Live>) -> Result<()> {
    if path.exists() {
        let files = session.inputs.files(path)?.iter();
        live.extend(files.map(|(name, digest)| (role(name.clone()), Live::Digest(digest.clone()))));
    }
    Ok(())
}

/// The configured template's text; the model's own is among the model's files.
fn template(session: &mut Session) -> Result<Option<Live>> {
    if let Some(path) = origin::file(&session.plan.config.template) {
        return if path.exists() { session.digest(&path).map(Live::Digest).map(Some) } else { Ok(Some(Live::Missing)) };
    }
    let config = &session.plan.config;
    Ok(match Origin::of(&config.template, config.adapter())? {
        // Among the files of the base, or of the adapter.
        Origin::Model | Origin::Adapter(_) => None,
        Origin::Text(text) => Some(Live::Digest(digest::of_bytes(text.as_bytes()))),
    })
}

/// Every plugin that is looked at, by where it is used.
pub(super) fn entries(session: &Session, place: &Place<'_>) -> Vec<(Use, Entry)> {
    let config = &session.plan.config;
    let template = Entry {
        plugin: config.template.plugin.clone(),
        name: None,
        settings: config.template.settings.clone(),
        bounds: std::collections::BTreeMap::new(),
    };
    let mut found = vec![(Use::Template, template)];
    if place.validators {
        let named = labels(&config.validators).into_iter().map(Use::Validator);
        found.extend(named.zip(config.validators.iter().cloned()));
    }
    for suite in place.suites {
        let named = labels(&suite.evaluators).into_iter().map(|label| Use::Suite(suite.name.clone(), label));
        found.extend(named.zip(suite.evaluators.iter().cloned()));
    }
    found
}

/// How each plugin is used.
pub(super) fn plugins(session: &mut Session, place: &Place<'_>) -> Result<Vec<PluginUse>> {
    let mut found = Vec::new();
    for (used, entry) in entries(session, place) {
        let plugin = session.plugins.get(&entry.plugin)?;
        found.push(PluginUse {
            role: Role::Plugin(used),
            id: plugin.id().into(),
            version: plugin.version().into(),
            settings: entry.settings,
            permissions: plugin.permissions().iter().map(|permission| permission.name().to_owned()).collect(),
        });
    }
    Ok(found)
}
