//! From prompts and requests to outputs, batched over all suites.

use diapason_core::Result;
use diapason_core::config::Generate;
use diapason_core::event::{Event, Sink};
use diapason_core::language_model::{Completion, Decoding, LanguageModel};
use diapason_core::score::{Output, Request};
use std::collections::BTreeMap;

/// Further samples of a prompt need chance: where decoding is greedy, they are drawn at this temperature.
const SAMPLING: f64 = 0.8;

/// One sample of one suite.
pub(super) struct Job {
    pub(super) suite: String,
    pub(super) sample: String,
    pub(super) prompt: String,
    pub(super) request: Request,
    pub(super) max_tokens: usize,
}

/// How many units of progress [`outputs`] reports.
pub(super) fn units(jobs: &[Job]) -> usize {
    jobs.iter().map(|job| job.request.completions + job.request.continuations.len()).sum()
}

/// What the model makes of each job, in the order of the jobs. A job's first completion is decoded as configured; the
/// others, where more than one is asked for, are sampled.
pub(super) fn outputs(
    model: &mut dyn LanguageModel,
    jobs: &[Job],
    config: &Generate,
    seed: u64,
    sink: &dyn Sink,
) -> Result<Vec<Output>> {
    let mut outputs: Vec<Output> = jobs.iter().map(empty).collect();
    let mut done = 0;
    complete(
        model,
        jobs,
        &ordinary(config, seed),
        |request| request.completions.min(1),
        sink,
        &mut done,
        &mut outputs,
    )?;
    let further = |request: &Request| request.completions.saturating_sub(1);
    complete(model, jobs, &sampled(config, seed), further, sink, &mut done, &mut outputs)?;
    continuations(model, jobs, sink, done, &mut outputs)?;
    Ok(outputs)
}

fn empty(job: &Job) -> Output {
    let (suite, sample, prompt) = (job.suite.clone(), job.sample.clone(), job.prompt.clone());
    Output { suite, sample, prompt, completions: Vec::new(), likelihoods: Vec::new() }
}

fn ordinary(config: &Generate, seed: u64) -> Decoding {
    let Generate { max_tokens, temperature, top_p, ref stop, .. } = *config;
    Decoding { max_tokens, temperature, top_p, stop: stop.clone(), seed }
}

fn sampled(config: &Generate, seed: u64) -> Decoding {
    let temperature = if config.temperature > 0.0 { config.temperature } else { SAMPLING };
    // Another seed, or the first further sample would repeat the ordinary one where that is sampled too.
    Decoding { temperature, seed: seed.wrapping_add(1), ..ordinary(config, seed) }
}

/// Jobs with the same token limit are decoded together.
fn complete(
    model: &mut dyn LanguageModel,
    jobs: &[Job],
    decoding: &Decoding,
    count: impl Fn(&Request) -> usize,
    sink: &dyn Sink,
    done: &mut usize,
    outputs: &mut [Output],
) -> Result<()> {
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, job) in jobs.iter().enumerate() {
        groups.entry(job.max_tokens).or_default().extend(std::iter::repeat_n(index, count(&job.request)));
    }
    for (max_tokens, indices) in groups.into_iter().filter(|(_, indices)| !indices.is_empty()) {
        let prompts: Vec<String> = indices.iter().map(|&index| jobs[index].prompt.clone()).collect();
        let decoding = Decoding { max_tokens, ..decoding.clone() };
        let mut progress = |now: usize| sink.emit(&Event::Progress { done: (*done + now) as u64 });
        let completions: Vec<Completion> = model.generate(&prompts, &decoding, &mut progress)?;
        for (&index, completion) in indices.iter().zip(completions) {
            outputs[index].completions.push(completion);
        }
        *done += prompts.len();
    }
    Ok(())
}

fn continuations(
    model: &mut dyn LanguageModel,
    jobs: &[Job],
    sink: &dyn Sink,
    done: usize,
    outputs: &mut [Output],
) -> Result<()> {
    let asked = || {
        jobs.iter().enumerate().flat_map(|(index, job)| job.request.continuations.iter().map(move |text| (index, text)))
    };
    let pairs: Vec<(String, String)> =
        asked().map(|(index, text)| (jobs[index].prompt.clone(), text.clone())).collect();
    if pairs.is_empty() {
        return Ok(());
    }
    let mut progress = |now: usize| sink.emit(&Event::Progress { done: (done + now) as u64 });
    let likelihoods = model.loglikelihood(&pairs, &mut progress)?;
    for ((index, text), likelihood) in asked().zip(likelihoods) {
        outputs[index].likelihoods.push((text.clone(), likelihood));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use diapason_core::event::Silent;
    use diapason_core::language_model::{Finish, Likelihood};

    /// Answers with how it was asked.
    struct Echo;

    impl LanguageModel for Echo {
        fn generate(
            &mut self,
            prompts: &[String],
            decoding: &Decoding,
            progress: &mut dyn FnMut(usize),
        ) -> Result<Vec<Completion>> {
            progress(prompts.len());
            let text = |prompt: &String| {
                format!("{prompt} t{} n{} s{}", decoding.temperature, decoding.max_tokens, decoding.seed)
            };
            Ok(prompts
                .iter()
                .map(|prompt| Completion { text: text(prompt), tokens: 1, finish: Finish::Stop })
                .collect())
        }

        fn loglikelihood(&mut self, pairs: &[(String, String)], _: &mut dyn FnMut(usize)) -> Result<Vec<Likelihood>> {
            let of = |(_, text): &(String, String)| Likelihood {
                logprob: -(text.len() as f64),
                tokens: 1,
                bytes: text.len(),
                greedy: false,
            };
            Ok(pairs.iter().map(of).collect())
        }
    }

    fn job(prompt: &str, completions: usize, continuations: &[&str], max_tokens: usize) -> Job {
        let continuations = continuations.iter().map(|text| (*text).into()).collect();
        let request = Request { completions, continuations };
        Job { suite: "s".into(), sample: prompt.into(), prompt: prompt.into(), request, max_tokens }
    }

    #[test]
    fn every_job_gets_what_it_asked_for_in_order() {
        let jobs = [job("a", 1, &["x", "yy"], 9), job("b", 3, &[], 5), job("c", 0, &["z"], 9)];
        let made = outputs(&mut Echo, &jobs, &Generate::default(), 7, &Silent).unwrap();
        let texts = |index: usize| made[index].completions.iter().map(|one| one.text.as_str()).collect::<Vec<_>>();
        assert_eq!(texts(0), ["a t0 n9 s7"]);
        assert_eq!(texts(1), ["b t0 n5 s7", "b t0.8 n5 s8", "b t0.8 n5 s8"]);
        assert!(texts(2).is_empty());
        let logprobs = |index: usize| {
            made[index].likelihoods.iter().map(|(text, one)| (text.as_str(), one.logprob)).collect::<Vec<_>>()
        };
        assert_eq!(logprobs(0), [("x", -1.0), ("yy", -2.0)]);
        assert_eq!(logprobs(2), [("z", -1.0)]);
        assert_eq!(units(&jobs), 7);
    }
}
