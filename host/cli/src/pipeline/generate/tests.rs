use super::*;
use diapason_core::event::Silent;
use diapason_core::language_model::Finish;
use std::collections::BTreeSet;

/// Answers with how it was asked, and counts what it is asked for.
#[derive(Default)]
struct Echo {
    asked: usize,
}

impl LanguageModel for Echo {
    fn complete(
        &mut self,
        prompts: &[Prompt<'_>],
        decoding: &Decoding,
        known: &dyn Fn(usize) -> bool,
        watch: &mut dyn FnMut(Progress) -> Result<()>,
    ) -> Result<()> {
        for (index, prompt) in prompts.iter().enumerate().filter(|(index, _)| !known(*index)) {
            self.asked += 1;
            let drawn = if decoding.temperature > 0.0 { prompt.stream % 1000 } else { 0 };
            let text = format!("{} t{} n{} r{drawn}", prompt.text, decoding.temperature, decoding.max_tokens);
            watch(Progress::Finished(index, Completion { text, tokens: 1, finish: Finish::Stop }))?;
            watch(Progress::Batch)?;
        }
        Ok(())
    }

    fn likelihoods(
        &mut self,
        pairs: &[(String, String)],
        known: &dyn Fn(usize) -> bool,
        watch: &mut dyn FnMut(usize, Likelihood) -> Result<()>,
    ) -> Result<()> {
        for (index, (_, text)) in pairs.iter().enumerate().filter(|(index, _)| !known(*index)) {
            self.asked += 1;
            let logprob = -(text.len() as f64);
            watch(index, Likelihood { logprob, tokens: 1, bytes: text.len(), greedy: false })?;
        }
        Ok(())
    }
}

fn job(prompt: &str, ordinary: bool, draws: usize, continuations: &[&str], max_tokens: usize) -> Job {
    let continuations = continuations.iter().map(|text| (*text).into()).collect();
    let request = Asked { ordinary, draws, continuations };
    Job { suite: "s".into(), sample: prompt.into(), prompt: prompt.into(), request, max_tokens }
}

fn config() -> Generate {
    Generate { sampling_temperature: Some(0.8), ..Generate::default() }
}

fn outputs(
    model: &mut Echo,
    jobs: &[Job],
    journal: &mut Journal,
    interrupted: &dyn Fn() -> bool,
) -> Result<Vec<Output>> {
    Asking { model, jobs, config: &config(), seed: 7, journal, sink: &Silent, interrupted }.outputs()
}

fn whole(jobs: &[Job]) -> Vec<Output> {
    outputs(&mut Echo::default(), jobs, &mut Journal::in_memory(), &|| false).unwrap()
}

fn texts(completions: &[Completion]) -> Vec<&str> {
    completions.iter().map(|one| one.text.as_str()).collect()
}

#[test]
fn every_job_gets_what_it_asked_for_in_order() {
    let jobs = [job("a", true, 0, &["x", "yy"], 9), job("b", true, 3, &[], 5), job("c", false, 0, &["z"], 9)];
    let made = whole(&jobs);
    assert_eq!(texts(&made[0].completions), ["a t0 n9 r0"]);
    assert_eq!(texts(&made[1].completions), ["b t0 n5 r0"], "beside draws, the ordinary one is still greedy");
    assert!(made[1].samples.iter().all(|one| one.text.starts_with("b t0.8 n5 ")), "all draws at one temperature");
    assert_eq!(texts(&made[1].samples).iter().collect::<BTreeSet<_>>().len(), 3, "each from a stream of its own");
    assert!(made[2].completions.is_empty() && made[2].samples.is_empty());
    let logprobs: Vec<_> = made[0].likelihoods.iter().map(|(text, one)| (text.as_str(), one.logprob)).collect();
    assert_eq!(logprobs, [("x", -1.0), ("yy", -2.0)]);
    assert_eq!(units(&jobs), 8);
}

#[test]
fn an_answer_does_not_depend_on_what_else_is_asked() {
    let alone = whole(&[job("b", false, 2, &[], 5)]);
    let beside = whole(&[job("a", true, 4, &["x"], 5), job("b", true, 6, &["y"], 5)]);
    assert_eq!(alone[0].samples, beside[1].samples[..2]);
    assert_eq!(whole(&[job("b", true, 0, &[], 5)])[0].completions, beside[1].completions);
}

#[test]
fn interrupted_after_any_answer_it_goes_on_to_the_same_outputs_and_asks_nothing_twice() {
    let jobs = [job("a", true, 2, &["x", "yy"], 9), job("b", true, 3, &[], 5), job("c", false, 0, &["z"], 9)];
    let expected = whole(&jobs);
    for stop in 1..units(&jobs) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("partial");
        let (mut model, count) = (Echo::default(), std::cell::Cell::new(0));
        let interrupted = || count.replace(count.get() + 1) + 1 >= stop;
        let mut journal = Journal::open(&path, "i").unwrap();
        let error = outputs(&mut model, &jobs, &mut journal, &interrupted).unwrap_err().to_string();
        assert_eq!(error, format!("interrupted: {stop} of {} answers are saved", units(&jobs)));
        let mut journal = Journal::open(&path, "i").unwrap();
        assert_eq!(outputs(&mut model, &jobs, &mut journal, &|| false).unwrap(), expected);
        assert_eq!(model.asked, units(&jobs), "stopped after {stop}");
    }
}
