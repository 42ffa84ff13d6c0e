//! Answers that were made elsewhere, as the outputs of an arm. What a sample's evaluators ask for and the file does not have
//! makes the sample a lost one; where all of a suite lack it, the file does not fit the suite, which is an error.

use super::request::{Asked, Requests};
use super::suite::LoadedSuite;
use diapason_core::arm::Arm;
use diapason_core::language_model::{Completion, Finish, Likelihood};
use diapason_core::score::Output;
use diapason_core::worth::Usage;
use diapason_core::{Error, Result};
use diapason_project::foreign::{self, Found, Lost, Made, Why};
use std::collections::HashMap;
use std::path::Path;

/// What a file gives an arm.
pub(super) struct Elsewhere {
    pub(super) outputs: Vec<Output>,
    pub(super) usage: Usage,
    /// Why samples have no output, one by one.
    pub(super) lost: Vec<String>,
    /// What else is to be said of the file.
    pub(super) notes: Vec<String>,
}

/// Reads the file at `path` and gives its answers to the samples of `suites`. `prompts` are what samples were rendered as,
/// by suite and sample, where anything rendered them.
///
/// # Errors
/// The file cannot be read, answers nothing or contradicts itself, or lacks for a whole suite what its evaluators need.
pub(super) fn read(
    arm: &Arm,
    path: &Path,
    suites: &[LoadedSuite],
    requests: &[Requests],
    prompts: &[Output],
) -> Result<Elsewhere> {
    let answers = foreign::read(path)?;
    let mut notes: Vec<String> = Vec::new();
    if !answers.unread.is_empty() {
        let unread = answers.unread.join(", ");
        notes.push(format!("{}: nothing reads the columns {unread}", path.display()));
    }
    let rendered = rendered(suites, prompts);
    let wanting: Vec<foreign::Suite<'_>> = suites
        .iter()
        .zip(&rendered)
        .map(|(suite, prompts)| foreign::Suite { name: &suite.config.name, samples: &suite.samples, prompts })
        .collect();
    let matched = foreign::matched(answers, &wanting, &path.display().to_string())?;
    if let Some(first) = matched.strangers.first() {
        let named = first.id.as_ref().map_or_else(|| first.place.clone(), |id| format!("`{id}` ({})", first.place));
        let count = matched.strangers.len();
        notes.push(format!("{}: {count} of its answers belong to no sample, the first is {named}", path.display()));
    }
    let mut lost: Vec<String> = matched.lost.iter().map(said).collect();
    let asked = by_sample(suites, requests);
    let (mut outputs, mut took) = (Vec::new(), Vec::new());
    let mut lacking: HashMap<&str, Lacking> = HashMap::new();
    for found in &matched.found {
        let Some((suite, asked)) = asked.get(&(found.suite.as_str(), found.sample.as_str())) else { continue };
        let lacks = lacking.entry(suite).or_default();
        lacks.answered += 1;
        match output(found, asked) {
            Ok(output) => {
                outputs.push(output);
                took.push(found.usage);
            }
            Err(what) => {
                lost.push(format!("sample {} of suite `{suite}` ({}): {what}", found.sample, found.place));
                lacks.without += 1;
                lacks.what = what;
            }
        }
    }
    refuse(path, &lacking)?;
    Ok(Elsewhere { usage: usage(arm, outputs.len(), &took), outputs, lost, notes })
}

/// What a suite's answers lack.
#[derive(Default)]
struct Lacking {
    answered: usize,
    without: usize,
    what: String,
}

fn refuse(path: &Path, lacking: &HashMap<&str, Lacking>) -> Result<()> {
    let mut all: Vec<_> = lacking.iter().filter(|(_, lacks)| lacks.without == lacks.answered).collect();
    all.sort_by_key(|(suite, _)| *suite);
    let Some((suite, lacks)) = all.first() else { return Ok(()) };
    Err(Error::data(format!("{} has no answer that suite `{suite}` can use: {}", path.display(), lacks.what))
        .hint("take the evaluators that need it out of the suite, or evaluate the file in a project of its own"))
}

/// The rendered prompt of each sample; none where one of them is not known.
fn rendered(suites: &[LoadedSuite], prompts: &[Output]) -> Vec<Vec<String>> {
    let known: HashMap<(&str, &str), &str> = prompts
        .iter()
        .map(|output| ((output.suite.as_str(), output.sample.as_str()), output.prompt.as_str()))
        .collect();
    let of = |suite: &LoadedSuite| {
        let prompt = |id: &str| known.get(&(suite.config.name.as_str(), id)).map(|text| (*text).to_owned());
        suite.samples.iter().map(|sample| prompt(&sample.id)).collect::<Option<Vec<String>>>().unwrap_or_default()
    };
    suites.iter().map(of).collect()
}

fn by_sample<'a>(
    suites: &'a [LoadedSuite],
    requests: &'a [Requests],
) -> HashMap<(&'a str, &'a str), (&'a str, &'a Asked)> {
    let rows = suites.iter().zip(requests).flat_map(|(suite, requests)| {
        let name = suite.config.name.as_str();
        suite
            .samples
            .iter()
            .zip(&requests.merged)
            .map(move |(sample, asked)| ((name, sample.id.as_str()), (name, asked)))
    });
    rows.collect()
}

fn said(lost: &Lost) -> String {
    let sample = format!("sample {} of suite `{}`", lost.sample, lost.suite);
    match &lost.why {
        Why::Missing => format!("{sample} has no answer in the file"),
        Why::Failed { place, reason } => format!("{sample} failed ({place}): {reason}"),
    }
}

/// The sample's output, or what the file lacks of what was asked.
fn output(found: &Found, asked: &Asked) -> Result<Output, String> {
    let Made { ordinary, draws, likelihoods } = &found.made;
    let completions = match ordinary {
        Some(completion) => vec![self::completion(completion)?],
        None if asked.ordinary => return Err("it has no completion".into()),
        None => Vec::new(),
    };
    if draws.len() < asked.draws {
        return Err(format!("{} draws of a prompt are needed, and it has {}", asked.draws, draws.len()));
    }
    let samples = draws[..asked.draws].iter().map(completion).collect::<Result<_, _>>()?;
    let likelihoods = asked.continuations.iter().map(|text| likelihood(text, likelihoods)).collect::<Result<_, _>>()?;
    Ok(Output {
        suite: found.suite.clone(),
        sample: found.sample.clone(),
        prompt: found.asked.texts.first().cloned().unwrap_or_default(),
        completions,
        samples,
        likelihoods,
    })
}

fn completion(given: &foreign::Completion) -> Result<Completion, String> {
    let finish = match &given.finish {
        // A file that does not say it has whole answers.
        None | Some(foreign::Finish::Stop) => Finish::Stop,
        Some(foreign::Finish::Length) => Finish::Length,
        Some(foreign::Finish::Other(reason)) => return Err(format!("it was ended for the reason `{reason}`")),
    };
    let tokens = given.tokens.unwrap_or_default() as usize;
    Ok(Completion { text: given.text.clone(), tokens, finish })
}

/// Other tools write the space between prompt and continuation into the continuation.
fn likelihood(text: &str, given: &[(String, foreign::Likelihood)]) -> Result<(String, Likelihood), String> {
    let same = |(known, _): &&(String, foreign::Likelihood)| known == text || known.strip_prefix(' ') == Some(text);
    let (_, found) = given.iter().find(same).ok_or_else(|| format!("it has no likelihood of `{text}`"))?;
    let tokens = found.tokens.unwrap_or_default() as usize;
    let likelihood = Likelihood { logprob: found.logprob, tokens, bytes: text.len(), greedy: found.greedy };
    Ok((text.to_owned(), likelihood))
}

fn usage(arm: &Arm, answers: usize, took: &[foreign::Usage]) -> Usage {
    Usage {
        arm: arm.clone(),
        answers: answers as u64,
        prompt_tokens: took.iter().map(|one| one.prompt_tokens).sum(),
        completion_tokens: took.iter().map(|one| one.completion_tokens).sum(),
        seconds: took.iter().map(|one| one.seconds).sum(),
    }
}
