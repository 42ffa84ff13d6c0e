//! Case files, as `plugins/README.md` describes them.

use diapason_core::config::did_you_mean;
use diapason_core::{Error, Result, files, foreign};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One case.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) capability: String,
    #[serde(default)]
    pub(super) settings: Map<String, Value>,
    pub(super) input: Value,
    #[serde(default)]
    pub(super) expect: Option<Value>,
    #[serde(default)]
    pub(super) error: Option<String>,
    #[serde(default)]
    pub(super) plan: Option<Vec<Planned>>,
}

/// What `plan` must give for one sample.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Planned {
    #[serde(default)]
    pub(super) completions: usize,
    #[serde(default)]
    pub(super) continuations: Vec<String>,
}

/// What one sample's judgement must be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    #[serde(default)]
    pub(super) scored: Option<BTreeMap<String, f64>>,
    #[serde(default)]
    pub(super) unscored: Option<String>,
    #[serde(default)]
    pub(super) notes: BTreeMap<String, String>,
}

/// A finding that must be there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedFinding {
    pub(super) rule: String,
    pub(super) line: u32,
    pub(super) split: Option<String>,
    pub(super) severity: Option<String>,
    pub(super) path: Option<String>,
    pub(super) message: Option<String>,
    pub(super) hint: Option<String>,
}

/// The cases of the given files and folders, each with its file's path.
pub(super) fn load(paths: &[PathBuf]) -> Result<Vec<(PathBuf, Case)>> {
    let mut cases = Vec::new();
    for path in paths {
        for file in files_of(path)? {
            cases
                .extend(foreign::guarded(file.display(), || read(&file))?.into_iter().map(|case| (file.clone(), case)));
        }
    }
    match cases.is_empty() {
        true => Err(Error::config("there are no cases").hint("name case files, or folders with .json files in them")),
        false => Ok(cases),
    }
}

fn files_of(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.into()]);
    }
    let fail = |source| Error::data(format!("failed to list {}", path.display())).because(source);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(fail)? {
        let file = entry.map_err(fail)?.path();
        if file.extension().is_some_and(|ending| ending == "json") {
            found.push(file);
        }
    }
    found.sort();
    Ok(found)
}

fn read(file: &Path) -> Result<Vec<Case>> {
    let fail = |source| Error::data(format!("failed to understand {}", file.display())).because(source);
    let document: Value = serde_json::from_str(&files::read_text(file)?).map_err(fail)?;
    let list = match document {
        Value::Array(list) => list,
        one => vec![one],
    };
    let cases = list.into_iter().map(serde_json::from_value).collect::<Result<Vec<Case>, _>>().map_err(fail)?;
    match cases.iter().find(|case| case.faulty()) {
        Some(case) => Err(Error::data(format!("case `{}` of {} is no case", case.name, file.display()))
            .hint("a case has either `expect` (or `plan`) or `error`")),
        None => Ok(cases),
    }
}

impl Case {
    fn faulty(&self) -> bool {
        let expects = self.expect.is_some() || self.plan.is_some();
        expects == self.error.is_some()
    }

    /// The part of the input under `key`, which must be its only key beside those in `others`.
    pub(super) fn part<T: DeserializeOwned>(&self, key: &str, others: &[&str]) -> Result<T, String> {
        let object = self.input.as_object().ok_or("`input` is not an object")?;
        if let Some(unknown) = object.keys().find(|known| *known != key && !others.contains(&known.as_str())) {
            let known = others.iter().copied().chain([key]);
            return Err(format!("unknown key `{unknown}` in `input`: {}", did_you_mean(unknown, known)));
        }
        let part = object.get(key).ok_or_else(|| format!("`input` has no `{key}`"))?;
        serde_json::from_value(part.clone()).map_err(|cause| format!("`input.{key}`: {cause}"))
    }

    /// What is expected, as a list.
    pub(super) fn expected<T: DeserializeOwned>(&self) -> Result<Option<Vec<T>>, String> {
        let parse = |value: &Value| serde_json::from_value(value.clone()).map_err(|cause| format!("`expect`: {cause}"));
        self.expect.as_ref().map(parse).transpose()
    }
}
