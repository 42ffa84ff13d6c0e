//! From prompts and requests to outputs, batched over all suites.

use super::request::{self, Asked, Requests};
use super::store::{Key, Store};
use super::suite::LoadedSuite;
use crate::wire;
use diapason_core::arm::Arm;
use diapason_core::config::Generate;
use diapason_core::engine::{Answer, Engine, Loss, Moment, Prompt, Request, Said, Usage, Wanted};
use diapason_core::event::{Event, Sink};
use diapason_core::language_model::{Completion, Decoding, Likelihood};
use diapason_core::sample::Conversation;
use diapason_core::score::Output;
use diapason_core::{Error, Result, digest};
use serde::Serialize;
use serde_json::json;
use std::collections::{HashMap, HashSet};

/// One sample of one suite.
pub(super) struct Job {
    pub(super) suite: String,
    pub(super) sample: String,
    /// What messages call it.
    pub(super) name: String,
    pub(super) conversation: Conversation,
    /// The rendered prompt; `None` for a server that renders conversations itself.
    pub(super) text: Option<String>,
    pub(super) request: Asked,
    pub(super) max_tokens: usize,
}

/// What a suite asks of an arm: `conversations` are its prompts, and `texts` what they are rendered as, where they are.
pub(super) fn jobs(
    suite: &LoadedSuite,
    requests: &Requests,
    conversations: Vec<Conversation>,
    texts: Option<Vec<String>>,
    config: &Generate,
) -> Vec<Job> {
    let mut texts = texts.into_iter().flatten();
    let rows = suite.samples.iter().zip(conversations).zip(&requests.merged);
    rows.map(|((sample, conversation), request)| Job {
        suite: suite.config.name.clone(),
        sample: sample.id.clone(),
        name: format!("sample {} of suite `{}`", sample.id, suite.config.name),
        conversation,
        text: texts.next(),
        request: request.clone(),
        max_tokens: suite.config.max_tokens.unwrap_or(config.max_tokens),
    })
    .collect()
}

/// How many answers the jobs ask for.
pub(super) fn units(jobs: &[Job]) -> usize {
    jobs.iter().map(|job| parts(&job.request).count()).sum()
}

/// Which answer of which job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// Number of the job.
    job: usize,
    part: Part,
}

/// Which of a job's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Part {
    /// The ordinary completion.
    Ordinary,
    /// One of several draws.
    Draw(usize),
    /// The likelihood of a continuation.
    Continuation(usize),
}

/// An engine being asked.
pub(super) struct Asking<'a> {
    pub(super) arm: &'a Arm,
    pub(super) engine: &'a mut dyn Engine,
    pub(super) jobs: &'a [Job],
    pub(super) config: &'a Generate,
    pub(super) seed: u64,
    /// Answers that are known already are not asked for.
    pub(super) store: &'a mut Store,
    pub(super) sink: &'a dyn Sink,
    /// Whether to stop.
    pub(super) interrupted: &'a dyn Fn() -> bool,
}

/// What came of asking.
pub(super) struct Made {
    /// In the order of the jobs; a job of which any answer is lost has none.
    pub(super) outputs: Vec<Output>,
    /// Jobs without an output, with the reason.
    pub(super) lost: Vec<(usize, Loss)>,
    /// What all answers took.
    pub(super) usage: Usage,
    /// How many answers there are.
    pub(super) answers: usize,
}

impl Asking<'_> {
    /// Returns what the engine makes of the jobs. An answer depends on its job and on which of the job's answers it is, on
    /// nothing else: not on the other jobs, and not on what was known already.
    ///
    /// Errors if the engine does, or if it is interrupted; the store has what finished before.
    pub(super) fn made(&mut self) -> Result<Made> {
        let places = self.places();
        let keys: Vec<Key> = places.iter().map(|place| self.key(*place)).collect();
        self.ask(&places, &keys)?;
        let answers: Vec<&Answer> = keys.iter().filter_map(|key| self.store.get(key)).collect();
        let usage = total(&answers);
        let mut found = answers.into_iter();
        let mut made = Made { outputs: Vec::new(), lost: Vec::new(), usage, answers: places.len() };
        for (number, job) in self.jobs.iter().enumerate() {
            let answers: Vec<&Answer> = found.by_ref().take(parts(&job.request).count()).collect();
            match output(job, &answers)? {
                Ok(output) => made.outputs.push(output),
                Err(loss) => made.lost.push((number, loss)),
            }
        }
        Ok(made)
    }

    /// How many answers are known already.
    pub(super) fn known(&self) -> usize {
        self.places().iter().filter(|place| self.store.get(&self.key(**place)).is_some()).count()
    }

    /// Every answer, job by job.
    fn places(&self) -> Vec<Place> {
        let jobs = self.jobs.iter().enumerate();
        jobs.flat_map(|(job, asked)| parts(&asked.request).map(move |part| Place { job, part })).collect()
    }

    fn decoding(&self, place: Place) -> Decoding {
        let Generate { temperature, top_p, ref stop, .. } = *self.config;
        let temperature = match place.part {
            Part::Draw(_) => request::sampling(self.config).unwrap_or_default(),
            _ => temperature,
        };
        let max_tokens = self.jobs[place.job].max_tokens;
        Decoding { max_tokens, temperature, top_p, stop: stop.clone(), seed: self.seed }
    }

    /// All that an answer depends on beside who answers. Where nothing is drawn, seed and stream play no part.
    fn key(&self, place: Place) -> Key {
        let job = &self.jobs[place.job];
        let Conversation { messages, tools, variables, .. } = &job.conversation;
        let prompt = job.text.as_ref().map_or_else(|| json!([messages, tools, variables]), |text| json!(text));
        if let Part::Continuation(number) = place.part {
            let continuation = &job.request.continuations[number];
            return Key::of(&json!({ "prompt": prompt, "continuation": continuation }));
        }
        let Decoding { max_tokens, temperature, top_p, stop, seed } = self.decoding(place);
        let drawn = (temperature > 0.0).then(|| (seed, stream(job, place.part)));
        Key::of(&json!({ "prompt": prompt, "decoding": [max_tokens, temperature, top_p, stop, drawn] }))
    }

    fn ask(&mut self, places: &[Place], keys: &[Key]) -> Result<()> {
        let jobs = self.jobs;
        let decodings: Vec<Decoding> = places.iter().map(|place| self.decoding(*place)).collect();
        let arm = self.arm;
        let each = places.iter().zip(&decodings);
        let requests: Vec<Request<'_>> =
            each.map(|(place, decoding)| request(arm, &jobs[place.job], place.part, decoding)).collect();
        let known: Vec<bool> = keys.iter().map(|key| self.store.get(key).is_some()).collect();
        // One prompt in two suites is asked once.
        let mut first = HashSet::new();
        let asked: Vec<bool> = keys.iter().zip(&known).map(|(key, known)| !known && first.insert(key)).collect();
        let mut progress = Progress::new(keys, &known);
        let Self { engine, store, sink, interrupted, .. } = self;
        progress.say(*sink);
        engine.ask(&requests, &|index| !asked[index], &mut |moment| match moment {
            Moment::Answered(index, answer) => {
                // An answer that is known already came again with the rest of its batch.
                if store.get(&keys[index]).is_none() {
                    store.add(&keys[index], answer)?;
                    progress.add(&keys[index], *sink);
                }
                Ok(())
            }
            // Within a batch, what is unfinished would have to be asked with the rest of it again.
            Moment::Pause => progress.stop(interrupted),
        })
    }
}

fn request<'a>(arm: &'a Arm, job: &'a Job, part: Part, decoding: &'a Decoding) -> Request<'a> {
    let wanted = match part {
        Part::Continuation(number) => Wanted::Likelihood(&job.request.continuations[number]),
        _ => Wanted::Completion { decoding, stream: stream(job, part) },
    };
    let prompt = Prompt { conversation: Some(&job.conversation), text: job.text.as_deref() };
    Request { arm, name: &job.name, prompt, wanted }
}

/// How many answers there are of how many. One prompt in two suites is one answer, which counts in both.
struct Progress<'a> {
    done: usize,
    all: usize,
    asked: HashMap<&'a Key, usize>,
}

impl<'a> Progress<'a> {
    fn new(keys: &'a [Key], known: &[bool]) -> Self {
        let mut asked = HashMap::new();
        keys.iter().for_each(|key| *asked.entry(key).or_default() += 1);
        Self { done: known.iter().filter(|known| **known).count(), all: keys.len(), asked }
    }

    fn add(&mut self, key: &Key, sink: &dyn Sink) {
        self.done += self.asked.get(key).copied().unwrap_or_default();
        self.say(sink);
    }

    fn say(&self, sink: &dyn Sink) {
        sink.emit(&Event::Progress { done: self.done as u64 });
    }

    fn stop(&self, interrupted: &dyn Fn() -> bool) -> Result<()> {
        if interrupted() {
            let message = format!("interrupted: {} of {} answers are saved", self.done, self.all);
            return Err(Error::run(message).hint("run the same command again to resume"));
        }
        Ok(())
    }
}

/// What all answers took; a number that one of them lacks is not known.
fn total(answers: &[&Answer]) -> Usage {
    Usage {
        prompt_tokens: answers.iter().map(|answer| answer.usage.prompt_tokens).sum(),
        completion_tokens: answers.iter().map(|answer| answer.usage.completion_tokens).sum(),
        seconds: answers.iter().map(|answer| answer.usage.seconds).sum(),
    }
}

/// A job's answers in the order of its parts as its output, or why there is none.
fn output(job: &Job, answers: &[&Answer]) -> Result<Result<Output, Loss>> {
    let mut output = Output {
        suite: job.suite.clone(),
        sample: job.sample.clone(),
        prompt: job.text.as_deref().map(wire::unmarked).unwrap_or_default(),
        completions: Vec::new(),
        samples: Vec::new(),
        likelihoods: Vec::new(),
    };
    if answers.len() < parts(&job.request).count() {
        return Err(Error::run(format!("{} was not answered in full", job.name)).hint("run `diapason eval` again"));
    }
    for (part, answer) in parts(&job.request).zip(answers) {
        match (&answer.said, part) {
            (Said::Lost(loss), _) => return Ok(Err(loss.clone())),
            (Said::Completion(completion), Part::Ordinary) => output.completions.push(Completion::clone(completion)),
            (Said::Completion(completion), Part::Draw(_)) => output.samples.push(Completion::clone(completion)),
            (Said::Likelihood(likelihood), Part::Continuation(number)) => {
                let continuation = job.request.continuations[number].clone();
                output.likelihoods.push((continuation, Likelihood::clone(likelihood)));
            }
            _ => return Err(Error::run(format!("{} was answered with something else", job.name))),
        }
    }
    Ok(Ok(output))
}

fn parts(asked: &Asked) -> impl Iterator<Item = Part> {
    let ordinary = asked.ordinary.then_some(Part::Ordinary);
    let draws = (0..asked.draws).map(Part::Draw);
    ordinary.into_iter().chain(draws).chain((0..asked.continuations.len()).map(Part::Continuation))
}

/// The stream of random numbers of one answer: named by the suite, the sample and which of its answers it is.
fn stream(job: &Job, part: Part) -> u64 {
    let name = json!([job.suite, job.sample, part]).to_string();
    let digest = digest::of_bytes(name.as_bytes());
    u64::from_str_radix(&digest[..16], 16).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
