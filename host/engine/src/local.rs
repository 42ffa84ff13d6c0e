//! A model on this machine as one that answers.

use diapason_core::Result;
use diapason_core::engine::{Answer, Engine, Moment, Request, Said, Usage, Wanted};
use diapason_core::language_model::{Decoding, LanguageModel, Likelihood, Progress, Prompt};
use diapason_models::Model;
use std::time::Instant;

/// A model that answers, `batch_size` sequences at a time. Answers depend on it by rounding only.
#[derive(Debug, Clone, Copy)]
pub struct Local<'a> {
    model: &'a Model,
    batch_size: usize,
}

impl<'a> Local<'a> {
    /// `model` with 16 sequences side by side.
    pub fn new(model: &'a Model) -> Self {
        Self { model, batch_size: 16 }
    }

    /// The same with another number of sequences side by side; at least 1.
    #[must_use]
    pub fn batched(self, batch_size: usize) -> Self {
        Self { batch_size: batch_size.max(1), ..self }
    }
}

impl LanguageModel for Local<'_> {
    fn complete(
        &mut self,
        prompts: &[Prompt<'_>],
        decoding: &Decoding,
        known: &dyn Fn(usize) -> bool,
        watch: &mut dyn FnMut(Progress) -> Result<()>,
    ) -> Result<()> {
        crate::generate::complete(self.model, self.batch_size, prompts, decoding, known, watch)
    }

    fn likelihoods(
        &mut self,
        pairs: &[(String, String)],
        known: &dyn Fn(usize) -> bool,
        watch: &mut dyn FnMut(usize, Likelihood) -> Result<()>,
    ) -> Result<()> {
        crate::loglikelihood::likelihoods(self.model, self.batch_size, pairs, known, watch)
    }
}

/// Requests that are decoded alike are asked together; likelihoods come last. All arms are answered by the one model.
impl Engine for Local<'_> {
    fn ask(
        &mut self,
        requests: &[Request<'_>],
        known: &dyn Fn(usize) -> bool,
        watch: &mut dyn FnMut(Moment) -> Result<()>,
    ) -> Result<()> {
        let mut answered = Timed { last: Instant::now(), watch };
        for (decoding, group) in groups(requests) {
            if !group.iter().all(|index| known(*index)) {
                self.complete_group(requests, decoding, &group, known, &mut answered)?;
            }
        }
        let asks = |index: &usize| matches!(requests[*index].wanted, Wanted::Likelihood(_));
        let group: Vec<usize> = (0..requests.len()).filter(asks).collect();
        if group.iter().all(|index| known(*index)) {
            return Ok(());
        }
        self.weigh_group(requests, &group, known, &mut answered)
    }
}

impl Local<'_> {
    fn complete_group(
        &mut self,
        requests: &[Request<'_>],
        decoding: &Decoding,
        group: &[usize],
        known: &dyn Fn(usize) -> bool,
        answered: &mut Timed<'_>,
    ) -> Result<()> {
        let prompt = |index: &usize| {
            let stream = if let Wanted::Completion { stream, .. } = requests[*index].wanted { stream } else { 0 };
            Ok(Prompt { text: requests[*index].text()?, stream })
        };
        let prompts: Vec<Prompt<'_>> = group.iter().map(prompt).collect::<Result<_>>()?;
        let model = self.model;
        self.complete(&prompts, decoding, &|i| known(group[i]), &mut |moment| match moment {
            Progress::Finished(i, completion) => {
                let read = model.tokenizer().encode(prompts[i].text)?.len();
                answered.put(group[i], (read, completion.tokens), Said::Completion(completion))
            }
            Progress::Batch => (answered.watch)(Moment::Pause),
        })
    }

    fn weigh_group(
        &mut self,
        requests: &[Request<'_>],
        group: &[usize],
        known: &dyn Fn(usize) -> bool,
        answered: &mut Timed<'_>,
    ) -> Result<()> {
        let pair = |index: &usize| {
            let text = if let Wanted::Likelihood(text) = requests[*index].wanted { text } else { "" };
            Ok((requests[*index].text()?.to_owned(), text.to_owned()))
        };
        let pairs: Vec<(String, String)> = group.iter().map(pair).collect::<Result<_>>()?;
        let model = self.model;
        self.likelihoods(&pairs, &|i| known(group[i]), &mut |i, likelihood| {
            let read = model.tokenizer().encode(&(pairs[i].0.clone() + &pairs[i].1))?.len();
            answered.put(group[i], (read, 0), Said::Likelihood(likelihood))?;
            (answered.watch)(Moment::Pause)
        })
    }
}

/// Completions that are decoded alike, in the order in which each way of decoding is first asked for.
fn groups<'a>(requests: &[Request<'a>]) -> Vec<(&'a Decoding, Vec<usize>)> {
    let mut groups: Vec<(&Decoding, Vec<usize>)> = Vec::new();
    for (index, request) in requests.iter().enumerate() {
        let Wanted::Completion { decoding, .. } = request.wanted else { continue };
        match groups.iter_mut().find(|(known, _)| *known == decoding) {
            Some((_, group)) => group.push(index),
            None => groups.push((decoding, vec![index])),
        }
    }
    groups
}

/// Hands answers over with what they took.
struct Timed<'a> {
    last: Instant,
    watch: &'a mut dyn FnMut(Moment) -> Result<()>,
}

impl Timed<'_> {
    fn put(&mut self, index: usize, (read, written): (usize, usize), said: Said) -> Result<()> {
        let seconds = std::mem::replace(&mut self.last, Instant::now()).elapsed().as_secs_f64();
        let usage = Usage { prompt_tokens: Some(read as u64), completion_tokens: Some(written as u64), seconds };
        (self.watch)(Moment::Answered(index, Answer { said, usage }))
    }
}
