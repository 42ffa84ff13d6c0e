use super::*;
use diapason_core::event::Silent;
use diapason_core::language_model::Finish;
use std::collections::BTreeSet;

/// Answers with how it was asked, and counts what it is asked for.
#[derive(Default)]
struct Echo {
    asked: usize,
}

impl Engine for Echo {
    fn ask(
        &mut self,
        requests: &[Request<'_>],
        known: &dyn Fn(usize) -> bool,
        watch: &mut dyn FnMut(Moment) -> Result<()>,
    ) -> Result<()> {
        for (index, request) in requests.iter().enumerate().filter(|(index, _)| !known(*index)) {
            self.asked += 1;
            let usage = Usage { prompt_tokens: Some(3), completion_tokens: Some(1), seconds: 0.5 };
            watch(Moment::Answered(index, Answer { said: said(request), usage }))?;
            watch(Moment::Pause)?;
        }
        Ok(())
    }
}

fn said(request: &Request<'_>) -> Said {
    let prompt = request.text().unwrap();
    match request.wanted {
        _ if prompt == "filtered" => Said::Lost(Loss::Filtered),
        Wanted::Completion { decoding, stream } => {
            let drawn = if decoding.temperature > 0.0 { stream % 1000 } else { 0 };
            let text = format!("{prompt} t{} n{} r{drawn}", decoding.temperature, decoding.max_tokens);
            Said::Completion(Completion { text, tokens: 1, finish: Finish::Stop })
        }
        Wanted::Likelihood(text) => {
            let logprob = -(text.len() as f64);
            Said::Likelihood(Likelihood { logprob, tokens: 1, bytes: text.len(), greedy: false })
        }
    }
}

fn job(prompt: &str, ordinary: bool, draws: usize, continuations: &[&str], max_tokens: usize) -> Job {
    let continuations = continuations.iter().map(|text| (*text).into()).collect();
    let request = Asked { ordinary, draws, continuations };
    let (conversation, text) = (Conversation::default(), Some(prompt.into()));
    Job { suite: "s".into(), sample: prompt.into(), name: prompt.into(), conversation, text, request, max_tokens }
}

fn config() -> Generate {
    Generate { sampling_temperature: Some(0.8), ..Generate::default() }
}

fn made(engine: &mut Echo, jobs: &[Job], store: &mut Store, interrupted: &dyn Fn() -> bool) -> Result<Made> {
    let (arm, config, sink) = (&Arm::base(), &config(), &Silent);
    Asking { arm, engine, jobs, config, seed: 7, store, sink, interrupted }.made()
}

fn whole(jobs: &[Job]) -> Vec<Output> {
    made(&mut Echo::default(), jobs, &mut Store::in_memory(), &|| false).unwrap().outputs
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
fn interrupted_after_any_answer_it_resumes_to_the_same_outputs_and_asks_nothing_twice() {
    let jobs = [job("a", true, 2, &["x", "yy"], 9), job("b", true, 3, &[], 5), job("c", false, 0, &["z"], 9)];
    let expected = whole(&jobs);
    for stop in 1..units(&jobs) {
        let folder = tempfile::tempdir().unwrap();
        let (mut model, count) = (Echo::default(), std::cell::Cell::new(0));
        let interrupted = || count.replace(count.get() + 1) + 1 >= stop;
        let mut store = Store::open(folder.path(), "i").unwrap();
        let error = made(&mut model, &jobs, &mut store, &interrupted).err().unwrap().to_string();
        assert_eq!(error, format!("interrupted: {stop} of {} answers are saved", units(&jobs)));
        let mut store = Store::open(folder.path(), "i").unwrap();
        assert_eq!(made(&mut model, &jobs, &mut store, &|| false).unwrap().outputs, expected);
        assert_eq!(model.asked, units(&jobs), "stopped after {stop}");
    }
}

/// What is asked of the model for `jobs` once `known` were answered, by `config` and `seed`.
fn asked_after(known: &[Job], jobs: &[Job], config: &Generate, seed: u64) -> usize {
    let mut store = Store::in_memory();
    let mut ask = |jobs: &[Job], config: &Generate, seed| {
        let mut engine = Echo::default();
        let (arm, store, sink, interrupted) = (&Arm::base(), &mut store, &Silent, &|| false);
        Asking { arm, engine: &mut engine, jobs, config, seed, store, sink, interrupted }.made().unwrap();
        engine.asked
    };
    ask(known, &self::config(), 7);
    ask(jobs, config, seed)
}

#[test]
fn an_answer_is_found_again_by_all_that_shapes_it_and_by_nothing_less() {
    let known = [job("a", true, 1, &["x"], 9)];
    let again = |change: fn(&mut Job)| {
        let mut jobs = [job("a", true, 1, &["x"], 9)];
        change(&mut jobs[0]);
        asked_after(&known, &jobs, &config(), 7)
    };
    assert_eq!(again(|_| {}), 0);
    assert_eq!(again(|job| job.text = Some("b".into())), 3, "another prompt");
    assert_eq!(again(|job| job.max_tokens = 8), 2, "another limit is one of completions");
    assert_eq!(again(|job| job.request.continuations = vec!["y".into()]), 1, "another continuation");
    assert_eq!(again(|job| job.request.draws = 2), 1, "one draw more");
    assert_eq!(again(|job| job.suite = "t".into()), 1, "only what is drawn has a stream of its own");
    let other = |change: fn(&mut Generate), seed| {
        let mut config = config();
        change(&mut config);
        asked_after(&known, &known, &config, seed)
    };
    assert_eq!(other(|_| {}, 8), 1, "the seed is one of draws");
    assert_eq!(other(|config| config.sampling_temperature = Some(0.9), 7), 1);
    assert_eq!(other(|config| config.temperature = 0.1, 7), 1);
    assert_eq!(other(|config| config.top_p = 0.9, 7), 2);
    assert_eq!(other(|config| config.stop = vec![";".into()], 7), 2);
    assert_eq!(other(|config| config.batch_size = 3, 7), 0, "prompts side by side differ by rounding only");
}

#[test]
fn one_prompt_in_two_suites_is_asked_once_and_counts_in_both() {
    let twice = [job("a", true, 0, &[], 9), Job { suite: "t".into(), ..job("a", true, 0, &[], 9) }];
    let mut engine = Echo::default();
    let made = made(&mut engine, &twice, &mut Store::in_memory(), &|| false).unwrap();
    assert_eq!(made.outputs[0].completions, made.outputs[1].completions);
    assert_eq!((engine.asked, made.answers, made.usage.prompt_tokens), (1, 2, Some(6)));
}

#[test]
fn a_lost_answer_takes_its_sample_along_and_is_named() {
    let jobs = [job("a", true, 0, &[], 9), job("filtered", true, 0, &["x"], 9)];
    let made = made(&mut Echo::default(), &jobs, &mut Store::in_memory(), &|| false).unwrap();
    assert_eq!(made.outputs.len(), 1);
    assert_eq!(made.lost, [(1, Loss::Filtered)]);
}
