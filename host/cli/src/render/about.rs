//! What a report is about, in words: models, data, settings and plugins, as the evaluation froze them.

use super::arms;
use crate::number::{count, counted};
use diapason_core::config::{Arm, Config};
use diapason_core::frozen::{File, Frozen, PluginUse, Role, Use, flatten};
use diapason_core::report::Report;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a report is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct About {
    /// Name, value, and digest where there is one: models, date, version, seed, data.
    pub(crate) facts: Vec<Fact>,
    /// Key and value of `[train]` and `[data]`; empty where an existing adapter was evaluated.
    pub(crate) training: Vec<(String, String)>,
    /// Key and value of everything else that answers and scores depend on.
    pub(crate) decoding: Vec<(String, String)>,
    /// Every plugin.
    pub(crate) plugins: Vec<Plugin>,
    /// Every file with its digest.
    pub(crate) files: Vec<(String, String)>,
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Fact {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) digest: Option<String>,
}

/// A plugin as it was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Plugin {
    /// Where, in full.
    pub(crate) place: String,
    /// Where, in a narrow column.
    pub(crate) used: String,
    pub(crate) name: String,
    pub(crate) settings: String,
    pub(crate) permissions: String,
    pub(crate) digest: String,
    /// The beginning of the digest.
    pub(crate) short: String,
}

/// Digits of a digest where there is no room for all of them.
const SHORT: usize = 12;

/// The beginning of a digest.
pub(crate) fn short(digest: &str) -> String {
    digest.chars().take(SHORT).collect()
}

impl About {
    /// What `report` is about.
    pub(crate) fn of(report: &Report) -> Self {
        let config = &report.about.config;
        let suites: Vec<Value> = config
            .suites
            .iter()
            .map(|suite| {
                let mut shown = json!({"name": suite.name, "limit": suite.limit, "system": suite.system,
                    "max_tokens": suite.max_tokens});
                if !suite.template_variables.is_empty() {
                    shown["template_variables"] = suite.template_variables.clone().into();
                }
                shown
            })
            .collect();
        let device = config.model.as_ref().map(|model| &model.device);
        let decoding = json!({"generate": config.generate, "suite": suites, "template": config.template.template,
            "limits": config.limits, "model.device": device,
            "arm": config.arms.iter().map(|arm| Arm { price: None, ..arm.clone() }).collect::<Vec<_>>()});
        let training = json!({"train": config.train, "data": config.data});
        Self {
            facts: facts(report),
            training: if config.trains() { pairs(&training) } else { Vec::new() },
            decoding: pairs(&decoding),
            plugins: report.about.plugins.iter().map(|used| plugin(report, used)).collect(),
            files: report.about.files.iter().map(|(role, file)| (role.to_string(), file.sha256.clone())).collect(),
        }
    }
}

fn facts(report: &Report) -> Vec<Fact> {
    let (about, config) = (&report.about, &report.about.config);
    let fact = |name: &str, value: String, digest: Option<String>| Fact { name: name.into(), value, digest };
    let mut facts = models(about, config);
    if let (Some(data), Some(file)) = (&config.data, about.files.get(&Role::TrainingData)) {
        facts.push(fact("Training data", rows(&data.train.display().to_string(), file), Some(file.sha256.clone())));
    }
    for suite in &config.suites {
        if let Some(file) = about.files.get(&Role::TestData(suite.name.clone())) {
            let name = format!("Test data of {}", suite.name);
            facts.push(fact(&name, rows(&suite.data.display().to_string(), file), Some(file.sha256.clone())));
        }
    }
    if config.trains() {
        facts.push(fact("Training", named(&json!(config.train), &TRAINING), None));
    }
    facts.push(fact("Decoding", named(&json!(config.generate), &DECODING), None));
    facts.push(fact("Evaluated", about.date.clone(), None));
    facts.push(fact("Diapason", about.diapason.clone(), None));
    facts.push(fact("Seed", config.run.seed.to_string(), None));
    facts
}

/// What answered: base and tuned where there are any, and every other arm.
fn models(about: &Frozen, config: &Config) -> Vec<Fact> {
    let digest = |kind: &dyn Fn(&Role) -> bool| about.files.keys().any(kind).then(|| about.digest(kind));
    let base = config.model.as_ref().map(|model| Fact {
        name: "Base model".into(),
        value: model.path.display().to_string(),
        digest: digest(&|role| matches!(role, Role::Base(_))),
    });
    let tuned = config.has_tuned().then(|| Fact {
        name: arms::tuned_kind(config).into(),
        value: arms::tuned(config),
        digest: digest(&|role| matches!(role, Role::Tuned(_))),
    });
    let others = config.arms.iter().map(|arm| Fact {
        name: format!("Arm {}", arm.name),
        value: arms::described(config, &arm.name.as_str().into()),
        digest: digest(&|role| matches!(role, Role::Arm(of, _) if *of == arm.name)),
    });
    base.into_iter().chain(tuned).chain(others).collect()
}

/// The settings that are told in a line; all of them are listed further on.
const TRAINING: [&str; 6] = ["method", "rank", "alpha", "learning_rate", "epochs", "batch_size"];
const DECODING: [&str; 4] = ["max_tokens", "temperature", "top_p", "stop"];

fn named(settings: &Value, keys: &[&str]) -> String {
    let text = |key: &&str| format!("{} {}", key.replace('_', " "), plain(&settings[*key]));
    keys.iter().filter(|key| !settings[**key].is_null()).map(text).collect::<Vec<_>>().join(", ")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_u64().map_or_else(|| number.to_string(), count),
        Value::Array(values) if values.is_empty() => "none".into(),
        other => other.to_string(),
    }
}

fn rows(name: &str, file: &File) -> String {
    file.rows.map_or_else(|| name.to_owned(), |rows| format!("{name}, {}", counted(rows, "row")))
}

/// Keys and values; what is not set is left out.
fn pairs(value: &Value) -> Vec<(String, String)> {
    let mut keyed = BTreeMap::new();
    flatten("", value, &mut keyed);
    let kept = keyed.into_iter().filter(|(key, value)| !value.is_null() && !key.ends_with(".name"));
    kept.map(|(key, value)| (key, plain(&value))).collect()
}

fn place(used: &PluginUse) -> String {
    match &used.role {
        Role::Plugin(Use::Suite(suite, name)) if *name == used.id => suite.clone(),
        Role::Plugin(Use::Suite(suite, name)) => format!("{suite}, as {name}"),
        Role::Plugin(Use::Validator(_)) => "validator".into(),
        Role::Plugin(Use::Template) => "chat template".into(),
        other => other.to_string(),
    }
}

fn plugin(report: &Report, used: &PluginUse) -> Plugin {
    let digest = report.about.files.get(&used.role).map(|file| file.sha256.clone()).unwrap_or_default();
    let settings = Value::Object(used.settings.clone()).to_string();
    Plugin {
        place: used.role.to_string(),
        used: place(used),
        short: short(&digest),
        name: format!("{} {}", used.id, used.version),
        settings: if used.settings.is_empty() { "defaults".into() } else { settings },
        permissions: if used.permissions.is_empty() { "nothing".into() } else { used.permissions.join(", ") },
        digest,
    }
}
