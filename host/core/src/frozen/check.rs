//! What was frozen against what there is now.

use super::role::Role;
use super::{Frozen, Verb, keyed};
use crate::config::Config;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// A file as it is found now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Live {
    /// It is there, with this SHA-256.
    Digest(String),
    /// It should be there and is not.
    Missing,
    /// It cannot be looked at from here, for this reason.
    Unknown(String),
}

/// Something that is not as it was frozen.
#[derive(Debug, Clone, PartialEq)]
pub enum Difference {
    /// A key of the configuration; `None` where it has none.
    Setting {
        /// The key.
        key: String,
        /// Its value then.
        was: Option<Value>,
        /// Its value now.
        is: Option<Value>,
    },
    /// A file has other content.
    Changed(Role),
    /// A file is no longer there.
    Gone(Role),
    /// A file was not there before.
    Added(Role),
}

impl Difference {
    /// The file that differs; `None` for a key of the configuration.
    pub fn role(&self) -> Option<&Role> {
        match self {
            Self::Setting { .. } => None,
            Self::Changed(role) | Self::Gone(role) | Self::Added(role) => Some(role),
        }
    }
}

/// Longer values are cut: an error has to fit on a screen.
const SHOWN: usize = 60;

fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else { return "not set".into() };
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting { key, was, is } => {
                write!(f, "`{key}` was {} and is {}", shown(was.as_ref()), shown(is.as_ref()))
            }
            Self::Changed(role) => write!(f, "{role} changed"),
            Self::Gone(role) => write!(f, "{role} has disappeared"),
            Self::Added(role) => write!(f, "{role} is new"),
        }
    }
}

/// What came of comparing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checked {
    /// What is as it was.
    pub agree: Vec<Role>,
    /// What is not.
    pub differ: Vec<Difference>,
    /// What could not be looked at, and why.
    pub unknown: Vec<(Role, String)>,
}

/// Compares frozen files with those that are there now. What `live` does not name is unknown.
pub fn files(frozen: &Frozen, live: &BTreeMap<Role, Live>) -> Checked {
    let mut checked = Checked::default();
    for (role, file) in &frozen.files {
        match live.get(role) {
            Some(Live::Digest(found)) if *found == file.sha256 => checked.agree.push(role.clone()),
            Some(Live::Digest(_)) => checked.differ.push(Difference::Changed(role.clone())),
            Some(Live::Missing) => checked.differ.push(Difference::Gone(role.clone())),
            Some(Live::Unknown(reason)) => checked.unknown.push((role.clone(), reason.clone())),
            None => checked.unknown.push((role.clone(), "it is not here".into())),
        }
    }
    let added =
        live.iter().filter(|(role, found)| matches!(found, Live::Digest(_)) && !frozen.files.contains_key(role));
    let added = added.filter(|(role, _)| frozen.files.keys().any(|known| same_model(known, role)));
    checked.differ.extend(added.map(|(role, _)| Difference::Added(role.clone())));
    checked
}

/// Whether both are files of one model, where a further file can change what it is. Other files come with a key of the
/// configuration.
fn same_model(one: &Role, other: &Role) -> bool {
    match (one, other) {
        (Role::Base(_), Role::Base(_)) | (Role::Tuned(_), Role::Tuned(_)) => true,
        (Role::Arm(one, _), Role::Arm(other, _)) => one == other,
        _ => false,
    }
}

/// Compares the keys of the frozen configuration that matter to `verb` with those of `live`, which is portable too.
pub fn settings(verb: Verb, frozen: &Frozen, live: &Config) -> Vec<Difference> {
    let (then, now) = (keyed(&frozen.config), keyed(live));
    let has_adapter = |config: &Config| config.model.as_ref().is_some_and(|model| model.adapter.is_some());
    let adapter = has_adapter(&frozen.config) && has_adapter(live);
    let keys: std::collections::BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    let data: Vec<String> =
        frozen.config.suites.iter().chain(&live.suites).map(|suite| format!("suite.{}.data", suite.name)).collect();
    let differs =
        |key: &&&String| !data.contains(key) && matters(verb, key, adapter) && then.get(**key) != now.get(**key);
    let difference =
        |key: &String| Difference::Setting { key: key.clone(), was: then.get(key).cloned(), is: now.get(key).cloned() };
    keys.iter().filter(differs).map(|key| difference(key)).collect()
}

/// Keys without influence on answers and scores: names, places, speed, and what only the gate reads. Files are known by
/// their digests, wherever they lie.
const FREE: [&str; 7] =
    ["run.name", "run.folder", "run.price_per_hour", "model.path", "model.device", "data.train", "generate.batch_size"];

/// The same of an arm: `arm.NAME.` and one of these.
const FREE_OF_ARM: [&str; 12] = [
    "adapter",
    "model",
    "outputs",
    "retrieve.folder",
    "examples.from",
    "price",
    "endpoint.concurrency",
    "endpoint.retries",
    "endpoint.timeout",
    "endpoint.requests_per_minute",
    "endpoint.token_variable",
    "endpoint.budget",
];

fn is_free(key: &str) -> bool {
    let of_arm = key.strip_prefix("arm.").and_then(|rest| rest.split_once('.')).map(|(_, rest)| rest);
    let under = |table: &&str| of_arm.is_some_and(|key| key == *table || key.starts_with(&format!("{table}.")));
    FREE.contains(&key) || FREE_OF_ARM.iter().any(under)
}

/// Keys of `[train]` that decide how a model is read even where nothing is trained.
const READING: [&str; 3] = ["train.method", "train.compute", "train.double_quantization"];

fn matters(verb: Verb, key: &str, adapter: bool) -> bool {
    let under = |table: &str| key == table || key.strip_prefix(table).is_some_and(|rest| rest.starts_with('.'));
    match verb {
        _ if is_free(key) => false,
        Verb::Train => ["train", "data", "template", "run.seed"].into_iter().any(under),
        Verb::Eval if under("train") && adapter => READING.contains(&key),
        Verb::Eval => !["rule", "gate", "compare"].into_iter().any(under),
        Verb::Compare => key == "gate.resamples" || key == "run.seed" || under("compare"),
        Verb::Report => under("rule") || under("gate"),
    }
}
