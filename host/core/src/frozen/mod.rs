//! What a verb used, frozen when it was done: later verbs compare what they find with it and refuse what differs.

mod check;
mod role;

pub use check::{Checked, Difference, Live, files as check_files, settings as check_settings};
pub use role::{Role, Use};

use crate::config::Config;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// The verbs that freeze what they used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// From training data to a tuned model.
    Train,
    /// From models and test data to scores.
    Eval,
    /// From scores to a comparison.
    Compare,
    /// From all of it to the report's files.
    Report,
}

/// What the verb did, as a noun.
impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "training",
            Self::Eval => "evaluation",
            Self::Compare => "comparison",
            Self::Report => "report",
        })
    }
}

/// What a verb used and made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frozen {
    /// When it was done, in UTC: `2026-03-01T12:00:00Z`.
    pub date: String,
    /// Version of Diapason that did it.
    pub diapason: String,
    /// The configuration; of paths only the last part, so that it says nothing about the machine.
    pub config: Config,
    /// Digests of every file that was used or made.
    pub files: BTreeMap<Role, File>,
    /// The plugins that took part.
    pub plugins: Vec<PluginUse>,
}

/// A file as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its SHA-256.
    pub sha256: String,
    /// Datasets: the number of rows that were used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<usize>,
}

impl File {
    /// A file without rows.
    pub fn new(sha256: impl Into<String>) -> Self {
        Self { sha256: sha256.into(), rows: None }
    }
}

/// A plugin as it was used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginUse {
    /// Where; the component's digest is in [`Frozen::files`] under this role.
    pub role: Role,
    /// The id that it gives itself.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Its settings.
    pub settings: Map<String, Value>,
    /// What it was allowed to use.
    pub permissions: Vec<String>,
}

impl Frozen {
    /// Whether both say the same, whenever they were frozen.
    pub fn same(&self, other: &Self) -> bool {
        Self { date: other.date.clone(), ..self.clone() } == *other
    }

    /// One digest of the files of a kind: what a model of several files is.
    pub fn digest(&self, kind: impl Fn(&Role) -> bool) -> String {
        let files: Vec<(String, &str)> = self
            .files
            .iter()
            .filter(|(role, _)| kind(role))
            .map(|(role, file)| (String::from(role.clone()), file.sha256.as_str()))
            .collect();
        super::digest::of_parts(files.iter().map(|(role, digest)| (role.as_str(), *digest)))
    }

    /// How a plugin was used.
    pub fn plugin(&self, place: &Use) -> Option<&PluginUse> {
        self.plugins.iter().find(|used| used.role == Role::Plugin(place.clone()))
    }
}

/// `config` with the last part of each path: the same on every machine.
pub fn portable(config: &Config) -> Config {
    let mut config = config.clone();
    shorten(&mut config.run.folder);
    if let Some(model) = &mut config.model {
        shorten(&mut model.path);
        model.adapter.iter_mut().for_each(shorten);
    }
    for arm in &mut config.arms {
        let (examples, retrieve) = (&mut arm.examples, &mut arm.retrieve);
        examples.iter_mut().for_each(|examples| shorten(&mut examples.from));
        retrieve.iter_mut().for_each(|retrieve| shorten(&mut retrieve.folder));
        let paths = [&mut arm.adapter, &mut arm.model, &mut arm.outputs];
        paths.into_iter().flatten().for_each(shorten);
        arm.template.iter_mut().for_each(shorten_text);
    }
    config.data.iter_mut().for_each(|data| shorten(&mut data.train));
    shorten_text(&mut config.template.plugin);
    config.template.template.iter_mut().for_each(shorten_text);
    config.validators.iter_mut().for_each(|entry| shorten_text(&mut entry.plugin));
    for suite in &mut config.suites {
        shorten(&mut suite.data);
        suite.evaluators.iter_mut().for_each(|entry| shorten_text(&mut entry.plugin));
    }
    config
}

fn shorten(path: &mut PathBuf) {
    if let Some(name) = path.file_name() {
        *path = name.into();
    }
}

fn shorten_text(name: &mut String) {
    if let Some(last) = Path::new(name.as_str()).file_name() {
        *name = last.to_string_lossy().into_owned();
    }
}

/// Every value of a configuration by its key: `suite.facts.evaluator.eval-accuracy.settings.json`. Entries of lists are
/// found by their names.
pub fn keyed(config: &Config) -> BTreeMap<String, Value> {
    let mut keyed = BTreeMap::new();
    let value = serde_json::to_value(config).unwrap_or_default();
    flatten("", &value, &mut keyed);
    keyed
}

/// The leaves of `value` under `key`.
pub fn flatten(key: &str, value: &Value, into: &mut BTreeMap<String, Value>) {
    // A name with a dot in it is quoted, as TOML quotes it: it is not two names.
    let inner = |name: &str| {
        if key.is_empty() {
            name.to_owned()
        } else if name.contains('.') {
            format!("{key}.{name:?}")
        } else {
            format!("{key}.{name}")
        }
    };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(name, value)| flatten(&inner(name), value, into));
        }
        // Lists of tables that have names of their own; in settings the order of a list may matter.
        Value::Array(entries) if entries.iter().any(Value::is_object) && !key.contains(".settings") => {
            let mut seen: BTreeMap<String, usize> = BTreeMap::new();
            for entry in entries {
                let name = ["name", "plugin"].iter().find_map(|field| entry[*field].as_str()).unwrap_or("entry");
                let count = seen.entry(name.into()).or_default();
                *count += 1;
                let name = if *count == 1 { name.to_owned() } else { format!("{name}#{count}") };
                flatten(&inner(&name), entry, into);
            }
        }
        // What is not given is not there.
        Value::Null => {}
        _ => {
            into.insert(key.into(), value.clone());
        }
    }
}

/// The names under which a list of plugins is frozen: as configured, numbered where two are alike.
pub fn labels(entries: &[crate::config::Plugin]) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let label = |entry: &crate::config::Plugin| {
        let mut name = entry.plugin.clone();
        shorten_text(&mut name);
        let name = entry.name.clone().unwrap_or(name);
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        if *count == 1 { name } else { format!("{name}#{count}") }
    };
    entries.iter().map(label).collect()
}
