//! What a file is to a run: the names under which digests are frozen and differences reported.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a file is to a run. As text: `base/config.json`, `data/test/facts`, `run/scores.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Role {
    /// A file of the base model: weights, `config.json`, tokenizer, chat template.
    Base(String),
    /// A file of the adapter or of the tuned model.
    Tuned(String),
    /// A file that shapes the answers of an `[[arm]]`: of its model or adapter, its examples, its passages, its outputs.
    Arm(String, String),
    /// The training data.
    TrainingData,
    /// The test rows of the suite of this name.
    TestData(String),
    /// The configured chat template's text.
    Template,
    /// A component, by where it is used.
    Plugin(Use),
    /// A file in the run folder, by its path there.
    Artefact(String),
}

/// Where a plugin is used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Use {
    /// It renders chats.
    Template,
    /// It looks at the datasets, under this name.
    Validator(String),
    /// It judges this suite, under this name.
    Suite(String, String),
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Template => f.write_str("the plugin that renders chats"),
            Self::Validator(name) => write!(f, "validator `{name}`"),
            Self::Suite(suite, name) => write!(f, "plugin `{name}` of suite `{suite}`"),
        }
    }
}

/// For a reader: `the test data of suite `facts``.
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base(file) => write!(f, "the base model's {file}"),
            Self::Tuned(file) => write!(f, "the tuned model's {file}"),
            Self::Arm(arm, file) => write!(f, "arm `{arm}`'s {file}"),
            Self::TrainingData => f.write_str("the training data"),
            Self::TestData(suite) => write!(f, "the test data of suite `{suite}`"),
            Self::Template => f.write_str("the chat template"),
            Self::Plugin(place) => place.fmt(f),
            Self::Artefact(path) => f.write_str(path),
        }
    }
}

// A suite or a plugin may be called anything, so that `/` in a name is written as `%2F` and `%` as `%25`.
fn escape(name: &str) -> String {
    name.replace('%', "%25").replace('/', "%2F")
}

fn unescape(name: &str) -> String {
    name.replace("%2F", "/").replace("%25", "%")
}

impl From<Role> for String {
    fn from(role: Role) -> Self {
        match role {
            Role::Base(file) => format!("base/{file}"),
            Role::Tuned(file) => format!("tuned/{file}"),
            Role::Arm(arm, file) => format!("arm/{}/{file}", escape(&arm)),
            Role::TrainingData => "data/train".into(),
            Role::TestData(suite) => format!("data/test/{}", escape(&suite)),
            Role::Template => "template".into(),
            Role::Plugin(Use::Template) => "plugin/template".into(),
            Role::Plugin(Use::Validator(name)) => format!("plugin/validator/{}", escape(&name)),
            Role::Plugin(Use::Suite(suite, name)) => format!("plugin/suite/{}/{}", escape(&suite), escape(&name)),
            Role::Artefact(path) => format!("run/{path}"),
        }
    }
}

impl TryFrom<String> for Role {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (kind, rest) = text.split_once('/').unwrap_or((&text, ""));
        let role = match (kind, rest.split_once('/')) {
            ("template", None) if rest.is_empty() => Self::Template,
            ("base", _) => Self::Base(rest.into()),
            ("tuned", _) => Self::Tuned(rest.into()),
            ("run", _) => Self::Artefact(rest.into()),
            ("arm", Some((arm, file))) => Self::Arm(unescape(arm), file.into()),
            ("data", None) if rest == "train" => Self::TrainingData,
            ("data", Some(("test", suite))) => Self::TestData(unescape(suite)),
            ("plugin", None) if rest == "template" => Self::Plugin(Use::Template),
            ("plugin", Some(("validator", name))) => Self::Plugin(Use::Validator(unescape(name))),
            ("plugin", Some(("suite", place))) => match place.split_once('/') {
                Some((suite, name)) => Self::Plugin(Use::Suite(unescape(suite), unescape(name))),
                None => return Err(format!("`{text}` names no plugin of a suite")),
            },
            _ => return Err(format!("`{text}` is no role of a file")),
        };
        Ok(role)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_role_survives_being_written() {
        let odd = String::from("a/b%2F c");
        let roles = [
            Role::Base("config.json".into()),
            Role::Tuned("adapter_config.json".into()),
            Role::Arm("v2".into(), "handbook/prices.md".into()),
            Role::TrainingData,
            Role::TestData(odd.clone()),
            Role::Template,
            Role::Plugin(Use::Template),
            Role::Plugin(Use::Validator(odd.clone())),
            Role::Plugin(Use::Suite(odd.clone(), odd)),
            Role::Artefact("adapter/adapter_config.json".into()),
        ];
        for role in roles {
            assert_eq!(Role::try_from(String::from(role.clone())).unwrap(), role);
        }
        for wrong in ["", "weights", "arm/v2", "data/test", "plugin/suite/only", "template/x"] {
            Role::try_from(wrong.to_owned()).unwrap_err();
        }
    }
}
