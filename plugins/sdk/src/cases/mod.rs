//! Runs a plugin's cases on the host, without a sandbox: what `cargo test` does in a plugin's folder.
//!
//! [`plugin!`](crate::plugin) adds a test that calls [`check`] on the package's `cases` folder. The format is described
//! in the README of Diapason's `plugins` folder; `diapason plugin test` runs the same files in the sandbox.

mod convert;

use crate::bindings::{chat_template, comparator, evaluator};
use crate::{ChatTemplate, Comparator, Evaluator, Exported, Finding, Judgement, MeasureInfo, Outcome, Result};
use crate::{Validator, instance};
use convert::all;
pub use diapason_case_format::Case;
use diapason_case_format::input::Mode;
use diapason_case_format::{expect, input};
use std::path::Path;

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
    use evaluator::exports::diapason::plugin::evaluator::{Guest, Observation};
    let settings = settings(case);
    let observations: Vec<Observation> = all(input::observations(&case.input)?);
    let samples = observations.iter().map(|seen| seen.sample.clone()).collect();
    let run = || {
        let plan = Exported::<T>::plan(settings.clone(), samples)?;
        let judgements = Exported::<T>::score(settings.clone(), observations)?;
        Ok((Exported::<T>::describe(settings)?, plan, judgements))
    };
    case.judge(run(), |(measures, plan, judgements)| {
        expect::plan(case, &all::<_, expect::Plan>(plan))?;
        declared(&measures, &judgements)?;
        expect::judgements(case, &all::<_, expect::Judgement>(judgements))
    })
}

/// Runs a comparator's case.
pub fn compare<T: Comparator>(case: &Case) -> Result<()> {
    use comparator::exports::diapason::plugin::comparator::Guest;
    let settings = settings(case);
    let pairs = all(input::pairs(&case.input)?);
    let run = || Ok((Exported::<T>::describe(settings.clone())?, Exported::<T>::compare(settings, pairs)?));
    case.judge(run(), |(measures, judgements)| {
        declared(&measures, &judgements)?;
        expect::judgements(case, &all::<_, expect::Judgement>(judgements))
    })
}

/// Runs a validator's case.
pub fn validate<T: Validator>(case: &Case) -> Result<()> {
    let rows: Vec<crate::Row> = all(input::rows(&case.input)?);
    let run = || -> Result<Vec<Finding>> {
        let mut pass = T::start(instance::read(&settings(case))?)?;
        let mut findings = Vec::new();
        for row in &rows {
            findings.extend(pass.push(row)?);
        }
        findings.extend(pass.finish()?);
        Ok(findings)
    };
    case.judge(run(), |findings| expect::findings(case, all(findings)))
}

/// Runs a chat template's case.
pub fn render<T: ChatTemplate>(case: &Case) -> Result<()> {
    use chat_template::exports::diapason::plugin::chat_template::Guest;
    let (conversations, mode) = input::conversations(&case.input)?;
    let (settings, conversations) = (settings(case), all(conversations));
    match mode {
        Mode::Training => case.judge(Exported::<T>::render_training(settings, conversations), |rendered| {
            expect::segments(case, &rendered.into_iter().map(all).collect::<Vec<_>>())
        }),
        Mode::Prompt => case
            .judge(Exported::<T>::render_prompt(settings, conversations), |rendered| expect::prompts(case, &rendered)),
    }
}

fn settings(case: &Case) -> String {
    serde_json::Value::Object(case.settings.clone()).to_string()
}

/// Whether every measure was described, finite and, if it is called binary, 0 or 1. The host checks the same.
fn declared(measures: &[MeasureInfo], judgements: &[Judgement]) -> Result<()> {
    let scores = judgements.iter().filter_map(|judgement| match &judgement.outcome {
        Outcome::Scored(measures) => Some(measures),
        Outcome::Unscored(_) => None,
    });
    scores.flatten().try_for_each(|score| {
        let name = &score.name;
        let Some(info) = measures.iter().find(|info| info.name == *name) else {
            return Err(format!("`{name}` is not among the measures described"));
        };
        let (least, most) = info.bounds.unwrap_or((f64::MIN, f64::MAX));
        let allowed = !info.binary || score.value == 0.0 || score.value == 1.0;
        let good = score.value.is_finite() && (least..=most).contains(&score.value) && allowed;
        if good { Ok(()) } else { Err(format!("`{name}` is {}, against its description {info:?}", score.value)) }
    })
}

fn run(file: &str, case: &Case, runners: &[Runner]) -> Result<()> {
    let known = runners.iter().find(|(capability, _)| *capability == case.capability);
    let runner = known.ok_or_else(|| format!("the plugin is no {}", case.capability));
    let result = runner.and_then(|(_, run)| run(case));
    result.map_err(|cause| format!("{file}: {}\n  {}", case.name, cause.replace('\n', "\n  ")))
}

/// Every case of a folder, with its file's name, in the order of names.
fn read_folder(folder: &Path) -> Result<Vec<(String, Case)>> {
    let fail = |cause| format!("failed to read {}: {cause}", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        paths.push(entry.map_err(fail)?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).map_err(|cause| format!("failed to read {file}: {cause}"))?;
        let read = Case::read(&text).map_err(|cause| format!("failed to understand {file}: {cause}"))?;
        cases.extend(read.into_iter().map(|case| (file.clone(), case)));
    }
    Ok(cases)
}
