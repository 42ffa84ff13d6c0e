//! Runs a plugin's cases on the host, without a sandbox: what `cargo test` does in a plugin's folder.
//!
//! [`plugin!`](crate::plugin) adds a test that calls [`check`] on the package's `cases` folder. The format is described
//! in the README of Diapason's `plugins` folder; `diapason plugin test` runs the same files in the sandbox.

mod expect;
mod input;

use crate::bindings::{chat_template, comparator, evaluator};
use crate::{ChatTemplate, Comparator, Evaluator, Exported, Finding, Result, Validator, instance};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::Path;

/// One case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    name: String,
    capability: String,
    #[serde(default = "empty_object")]
    settings: Value,
    input: Value,
    #[serde(default)]
    plan: Option<Vec<expect::Plan>>,
    #[serde(default)]
    expect: Option<Value>,
    #[serde(default)]
    error: Option<String>,
}

/// A capability's name in case files, and what runs a case of it.
pub type Runner = (&'static str, fn(&Case) -> Result<()>);

/// Runs every case in a folder.
///
/// # Panics
///
/// If a case does not hold, if a file is not a case, or if there is no case at all: a plugin without cases is not
/// tested.
pub fn check(folder: &str, runners: &[Runner]) {
    let cases = read_folder(Path::new(folder)).unwrap_or_else(|cause| panic!("{cause}"));
    assert!(!cases.is_empty(), "no case in {folder}: write at least one");
    let failures: Vec<String> = cases.iter().filter_map(|(file, case)| run(file, case, runners).err()).collect();
    assert!(failures.is_empty(), "{} of {} cases failed\n\n{}", failures.len(), cases.len(), failures.join("\n\n"));
}

/// Runs an evaluator's case.
pub fn evaluate<T: Evaluator>(case: &Case) -> Result<()> {
    use evaluator::exports::diapason::plugin::evaluator::Guest;
    let settings = case.settings.to_string();
    let observations = input::observations(&case.input)?;
    let samples = observations.iter().map(|seen| seen.sample.clone()).collect();
    case.judge(
        || {
            let plan = Exported::<T>::plan(settings.clone(), samples)?;
            let judgements = Exported::<T>::score(settings.clone(), observations)?;
            Ok((Exported::<T>::describe(settings)?, plan, judgements))
        },
        |(measures, plan, judgements)| {
            expect::plan(case.plan.as_deref(), &plan)?;
            expect::declared(&measures, &judgements)?;
            expect::judgements(case.expect.as_ref(), &judgements)
        },
    )
}

/// Runs a comparator's case.
pub fn compare<T: Comparator>(case: &Case) -> Result<()> {
    use comparator::exports::diapason::plugin::comparator::Guest;
    let settings = case.settings.to_string();
    let pairs = input::pairs(&case.input)?;
    case.judge(
        || Ok((Exported::<T>::describe(settings.clone())?, Exported::<T>::compare(settings, pairs)?)),
        |(measures, judgements)| {
            expect::declared(&measures, &judgements)?;
            expect::judgements(case.expect.as_ref(), &judgements)
        },
    )
}

/// Runs a validator's case.
pub fn validate<T: Validator>(case: &Case) -> Result<()> {
    let rows = input::rows(&case.input)?;
    let run = || -> Result<Vec<Finding>> {
        let mut pass = T::start(instance::read(&case.settings.to_string())?)?;
        let mut findings = Vec::new();
        for row in &rows {
            findings.extend(pass.push(row)?);
        }
        findings.extend(pass.finish()?);
        Ok(findings)
    };
    case.judge(run, |findings| expect::findings(case.expect.as_ref(), findings))
}

/// Runs a chat template's case.
pub fn render<T: ChatTemplate>(case: &Case) -> Result<()> {
    use chat_template::exports::diapason::plugin::chat_template::Guest;
    let settings = case.settings.to_string();
    match input::conversations(&case.input)? {
        (conversations, input::Mode::Training) => case.judge(
            || Exported::<T>::render_training(settings, conversations),
            |rendered| expect::segments(case.expect.as_ref(), rendered),
        ),
        (conversations, input::Mode::Prompt) => case.judge(
            || Exported::<T>::render_prompt(settings, conversations),
            |rendered| expect::prompts(case.expect.as_ref(), &rendered),
        ),
    }
}

impl Case {
    /// Runs and compares: with `expect` what came out, with `error` what went wrong.
    fn judge<R>(&self, run: impl FnOnce() -> Result<R>, compare: impl FnOnce(R) -> Result<()>) -> Result<()> {
        match (run(), &self.error) {
            (Ok(result), None) => compare(result),
            (Ok(_), Some(text)) => Err(format!("expected an error with `{text}`, got none")),
            (Err(error), Some(text)) if error.contains(text) => Ok(()),
            (Err(error), Some(text)) => Err(format!("expected an error with `{text}`, got: {error}")),
            (Err(error), None) => Err(format!("failed: {error}")),
        }
    }

    /// Whether the case says anything at all, and only one thing.
    fn consistent(&self) -> Result<()> {
        match (self.expect.is_some() || self.plan.is_some(), self.error.is_some()) {
            (true, true) => Err("has both `expect` and `error`".into()),
            (false, false) => Err("has neither `expect` nor `error`".into()),
            _ => Ok(()),
        }
    }
}

fn run(file: &str, case: &Case, runners: &[Runner]) -> Result<()> {
    let known = runners.iter().find(|(capability, _)| *capability == case.capability);
    let runner = known.ok_or_else(|| format!("the plugin is no {}", case.capability));
    let result = case.consistent().and(runner).and_then(|(_, run)| run(case));
    result.map_err(|cause| format!("{file}: {}\n  {}", case.name, cause.replace('\n', "\n  ")))
}

/// Every case of a folder, with its file's name, in the order of names.
fn read_folder(folder: &Path) -> Result<Vec<(String, Case)>> {
    let entries = std::fs::read_dir(folder).map_err(|cause| format!("failed to read {}: {cause}", folder.display()))?;
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).map_err(|cause| format!("failed to read {file}: {cause}"))?;
        let read: Vec<Case> = one_or_more(&text).map_err(|cause| format!("{file} is no case: {cause}"))?;
        cases.extend(read.into_iter().map(|case| (file.clone(), case)));
    }
    Ok(cases)
}

/// Reads an object as a list of one.
fn one_or_more(text: &str) -> Result<Vec<Case>> {
    match serde_json::from_str(text).map_err(|cause| cause.to_string())? {
        Value::Array(cases) => cases.into_iter().map(from_value).collect(),
        case => Ok(vec![from_value(case)?]),
    }
}

/// Reads a part of a case. An error names what is wrong with it.
fn from_value<T: DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|cause| cause.to_string())
}

fn empty_object() -> Value {
    Value::Object(serde_json::Map::new())
}
