//! Runs one case against a plugin, as a suite would.

use super::convert;
use diapason_case_format::input::Mode;
use diapason_case_format::{Case, expect, input};
use diapason_core::sample::Sample;
use diapason_core::score::{Observation, Pair};
use diapason_sandbox::{ChatTemplate, Comparator, Evaluator, Grants, Plugin, Validator};

/// What went wrong: the plugin's own error, or a disagreement.
pub(super) enum Failure {
    Plugin(diapason_core::Error),
    Case(String),
}

impl From<diapason_core::Error> for Failure {
    fn from(error: diapason_core::Error) -> Self {
        Self::Plugin(error)
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self::Case(text)
    }
}

type Outcome = Result<(), Failure>;

/// Runs `case`; the error says why it does not hold.
pub(super) fn run(plugin: &Plugin, case: &Case) -> Result<(), String> {
    let grants = Grants::default();
    let outcome = match case.capability.as_str() {
        "evaluator" => evaluator(plugin, case, &grants),
        "comparator" => comparator(plugin, case, &grants),
        "validator" => validator(plugin, case, &grants),
        "chat-template" => template(plugin, case, &grants),
        other => Err(Failure::Case(format!("unknown capability `{other}`"))),
    };
    match outcome {
        Err(Failure::Case(text)) => Err(text),
        Err(Failure::Plugin(error)) => case.judge(Err::<(), _>(error.to_string()), Ok),
        Ok(()) => case.judge(Ok(()), Ok),
    }
}

/// An evaluator's case as what it is given.
pub(super) fn observations(case: &Case) -> Result<Vec<Observation>, String> {
    Ok(all(input::observations(&case.input)?, convert::observation))
}

/// A comparator's case as what it is given.
pub(super) fn pairs(case: &Case) -> Result<Vec<Pair>, String> {
    Ok(all(input::pairs(&case.input)?, convert::pair))
}

fn evaluator(plugin: &Plugin, case: &Case, grants: &Grants) -> Outcome {
    let observations = observations(case)?;
    let samples: Vec<Sample> = observations.iter().map(|one| one.sample.clone()).collect();
    let mut evaluator = Evaluator::new(plugin, &case.settings, grants)?;
    evaluator.describe()?;
    let plan = evaluator.plan(&samples)?;
    let judgements = evaluator.score(&observations)?;
    if case.error.is_none() {
        expect::plan(case, &all(plan, convert::plan))?;
        expect::judgements(case, &all(judgements, convert::judgement))?;
    }
    Ok(())
}

fn comparator(plugin: &Plugin, case: &Case, grants: &Grants) -> Outcome {
    let pairs = pairs(case)?;
    let mut comparator = Comparator::new(plugin, &case.settings, grants)?;
    comparator.describe()?;
    let judgements = comparator.compare(&pairs)?;
    Ok(expect::judgements(case, &all(judgements, convert::judgement))?)
}

fn validator(plugin: &Plugin, case: &Case, grants: &Grants) -> Outcome {
    let rows = all(input::rows(&case.input)?, convert::row);
    let mut validator = Validator::new(plugin, &case.settings, grants)?;
    let mut findings = validator.push(&rows)?;
    findings.extend(validator.finish()?);
    Ok(expect::findings(case, all(findings, convert::finding))?)
}

fn template(plugin: &Plugin, case: &Case, grants: &Grants) -> Outcome {
    let (conversations, mode) = input::conversations(&case.input)?;
    let conversations = all(conversations, convert::conversation);
    let mut template = ChatTemplate::new(plugin, &case.settings, grants)?;
    match mode {
        Mode::Prompt => expect::prompts(case, &template.render_prompt(&conversations)?)?,
        Mode::Training => {
            let rendered = template.render_training(&conversations)?;
            expect::segments(case, &all(rendered, convert::segments))?;
        }
    }
    Ok(())
}

fn all<T, R>(list: Vec<T>, convert: fn(T) -> R) -> Vec<R> {
    list.into_iter().map(convert).collect()
}
