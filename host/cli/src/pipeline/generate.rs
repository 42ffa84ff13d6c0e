//! From prompts and requests to outputs, batched over all suites.

use super::journal::{Answer, Journal, Key, Part};
use super::request::{self, Asked, Requests};
use super::suite::LoadedSuite;
use crate::wire::{self, Renderer};
use diapason_core::config::{Config, Generate};
use diapason_core::event::{Event, Sink};
use diapason_core::language_model::{Completion, Decoding, LanguageModel, Likelihood, Progress, Prompt};
use diapason_core::sample::{Conversation, Sample};
use diapason_core::score::Output;
use diapason_core::{Error, Result, digest};
use std::collections::BTreeMap;

/// One sample of one suite.
pub(super) struct Job {
    pub(super) suite: String,
    pub(super) sample: String,
    pub(super) prompt: String,
    pub(super) request: Asked,
    pub(super) max_tokens: usize,
}

/// How many answers the jobs ask for.
pub(super) fn units(jobs: &[Job]) -> usize {
    jobs.iter().map(|job| parts(&job.request).count()).sum()
}

/// A model being asked.
pub(super) struct Asking<'a> {
    pub(super) model: &'a mut dyn LanguageModel,
    pub(super) jobs: &'a [Job],
    pub(super) config: &'a Generate,
    pub(super) seed: u64,
    /// Answers that are known already are not asked for.
    pub(super) journal: &'a mut Journal,
    pub(super) sink: &'a dyn Sink,
    /// Whether to stop.
    pub(super) interrupted: &'a dyn Fn() -> bool,
}

impl Asking<'_> {
    /// Returns what the model makes of each job, in the order of the jobs. An answer depends on its job and on which of
    /// the job's answers it is, on nothing else: not on the other jobs, and not on what was known already.
    ///
    /// Errors if the model does, or if it is interrupted; the journal has what finished before.
    pub(super) fn outputs(&mut self) -> Result<Vec<Output>> {
        self.progress();
        self.complete(|part| matches!(part, Part::Ordinary), self.config.temperature)?;
        if let Some(temperature) = request::sampling(self.config) {
            self.complete(|part| matches!(part, Part::Draw(_)), temperature)?;
        }
        self.continuations()?;
        (0..self.jobs.len()).map(|job| self.output(job)).collect()
    }

    /// All answers of one kind, none where all are known.
    fn wanted(&self, kind: impl Fn(&Part) -> bool) -> Vec<Key> {
        let all = self.jobs.iter().enumerate();
        let keys = all.flat_map(|(job, asked)| parts(&asked.request).map(move |part| Key { job, part }));
        let keys: Vec<Key> = keys.filter(|key| kind(&key.part)).collect();
        if keys.iter().all(|key| self.journal.get(*key).is_some()) { Vec::new() } else { keys }
    }

    /// Jobs with the same token limit are decoded together.
    fn complete(&mut self, kind: impl Fn(&Part) -> bool, temperature: f64) -> Result<()> {
        let mut groups: BTreeMap<usize, Vec<Key>> = BTreeMap::new();
        for key in self.wanted(kind) {
            groups.entry(self.jobs[key.job].max_tokens).or_default().push(key);
        }
        for (max_tokens, keys) in groups {
            let Generate { top_p, ref stop, .. } = *self.config;
            let decoding = Decoding { max_tokens, temperature, top_p, stop: stop.clone(), seed: self.seed };
            self.ask(&keys, &decoding)?;
        }
        Ok(())
    }

    fn ask(&mut self, keys: &[Key], decoding: &Decoding) -> Result<()> {
        let jobs = self.jobs;
        let prompt = |key: &Key| Prompt { text: &jobs[key.job].prompt, stream: stream(&jobs[key.job], key.part) };
        let prompts: Vec<Prompt<'_>> = keys.iter().map(prompt).collect();
        let known = self.known(keys);
        let Self { model, journal, sink, interrupted, .. } = self;
        model.complete(&prompts, decoding, &|index| known[index], &mut |moment| match moment {
            Progress::Finished(index, completion) => keep(journal, keys[index], Answer::Completion(completion), *sink),
            // Within a batch, what is unfinished would have to be asked with the rest of it again.
            Progress::Batch => stop(interrupted, journal, jobs),
        })
    }

    fn known(&self, keys: &[Key]) -> Vec<bool> {
        keys.iter().map(|key| self.journal.get(*key).is_some()).collect()
    }

    fn continuations(&mut self) -> Result<()> {
        let jobs = self.jobs;
        let keys = self.wanted(|part| matches!(part, Part::Continuation(_)));
        let pair = |key: &Key| match key.part {
            Part::Continuation(number) => {
                Some((jobs[key.job].prompt.clone(), jobs[key.job].request.continuations[number].clone()))
            }
            _ => None,
        };
        let pairs: Vec<(String, String)> = keys.iter().filter_map(pair).collect();
        let known = self.known(&keys);
        let Self { model, journal, sink, interrupted, .. } = self;
        model.likelihoods(&pairs, &|index| known[index], &mut |index, likelihood| {
            keep(journal, keys[index], Answer::Likelihood(likelihood), *sink)?;
            stop(interrupted, journal, jobs)
        })
    }

    fn progress(&self) {
        self.sink.emit(&Event::Progress { done: self.journal.len() as u64 });
    }

    fn output(&self, number: usize) -> Result<Output> {
        let job = &self.jobs[number];
        let completion = |part| self.completion(number, part);
        let likelihood = |(index, text): (usize, &String)| Ok((text.clone(), self.likelihood(number, index)?));
        Ok(Output {
            suite: job.suite.clone(),
            sample: job.sample.clone(),
            prompt: wire::unmarked(&job.prompt),
            completions: job.request.ordinary.then(|| completion(Part::Ordinary)).into_iter().collect::<Result<_>>()?,
            samples: (0..job.request.draws).map(|draw| completion(Part::Draw(draw))).collect::<Result<_>>()?,
            likelihoods: job.request.continuations.iter().enumerate().map(likelihood).collect::<Result<_>>()?,
        })
    }

    fn completion(&self, job: usize, part: Part) -> Result<Completion> {
        match self.journal.get(Key { job, part }) {
            Some(Answer::Completion(completion)) => Ok(completion.clone()),
            _ => Err(self.unanswered(job)),
        }
    }

    fn likelihood(&self, job: usize, index: usize) -> Result<Likelihood> {
        match self.journal.get(Key { job, part: Part::Continuation(index) }) {
            Some(Answer::Likelihood(likelihood)) => Ok(*likelihood),
            _ => Err(self.unanswered(job)),
        }
    }

    fn unanswered(&self, job: usize) -> Error {
        let Job { suite, sample, .. } = &self.jobs[job];
        Error::run(format!("sample {sample} of suite `{suite}` was not answered in full"))
            .hint("run `diapason eval` again")
    }
}

/// What a suite asks of a model.
pub(super) fn jobs(
    renderer: &mut Renderer,
    suite: &LoadedSuite,
    requests: &Requests,
    config: &Config,
) -> Result<Vec<Job>> {
    let conversations: Vec<_> = suite.samples.iter().map(Conversation::prompt).collect();
    let prompts = renderer.prompts(&conversations)?;
    let max_tokens = suite.config.max_tokens.unwrap_or(config.generate.max_tokens);
    let rows = suite.samples.iter().zip(prompts).zip(&requests.merged);
    let job = |((sample, prompt), request): ((&Sample, String), &Asked)| Job {
        suite: suite.config.name.clone(),
        sample: sample.id.clone(),
        prompt,
        request: request.clone(),
        max_tokens,
    };
    Ok(rows.map(job).collect())
}

/// An answer that is known already came again with the rest of its batch.
fn keep(journal: &mut Journal, key: Key, answer: Answer, sink: &dyn Sink) -> Result<()> {
    if journal.get(key).is_none() {
        journal.add(key, answer)?;
        sink.emit(&Event::Progress { done: journal.len() as u64 });
    }
    Ok(())
}

fn stop(interrupted: &dyn Fn() -> bool, journal: &Journal, jobs: &[Job]) -> Result<()> {
    if interrupted() {
        let message = format!("interrupted: {} of {} answers are saved", journal.len(), units(jobs));
        return Err(Error::run(message).hint("run the same command again to resume"));
    }
    Ok(())
}

fn parts(asked: &Asked) -> impl Iterator<Item = Part> {
    let ordinary = asked.ordinary.then_some(Part::Ordinary);
    let draws = (0..asked.draws).map(Part::Draw);
    ordinary.into_iter().chain(draws).chain((0..asked.continuations.len()).map(Part::Continuation))
}

/// The stream of random numbers of one answer: named by the suite, the sample and which of its answers it is.
fn stream(job: &Job, part: Part) -> u64 {
    let name = serde_json::json!([job.suite, job.sample, part]).to_string();
    let digest = digest::of_bytes(name.as_bytes());
    u64::from_str_radix(&digest[..16], 16).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
