//! Guests that misbehave over many calls, or with results that are each within their type: too many, too large, or others
//! than before.

use crate::guest::{self, ENGINE, limits, observation, observations};
use diapason_core::config::Limits;
use diapason_core::event::Event;
use diapason_core::finding::Row;
use diapason_core::sample::Sample;
use diapason_core::score::{Pair, Side};
use diapason_core::{Class, Error};
use diapason_sandbox::{Comparator, Evaluator, Grants, Plugin, Validator};
use serde_json::Map;
use std::sync::{Arc, Mutex};

fn samples(count: usize) -> Vec<Sample> {
    observations(count).into_iter().map(|observation| observation.sample).collect()
}

#[track_caller]
fn assert_error(error: &Error, ending: &str, hint: &str) {
    assert_eq!(error.class(), Class::Plugin);
    let text = error.to_string();
    assert!(text.starts_with("plugin test-guest 1.2.3 failed in ") && text.ends_with(ending), "{text}");
    assert!(error.hint_text().unwrap().contains(hint), "{:?}", error.hint_text());
}

#[test]
fn a_value_whose_sums_would_overflow() {
    let mut observed = observations(3);
    observed[1] = observation("x9", "Paris");
    let error = guest::evaluator(&guest::plugin("hostile/huge.wat")).score(&observed).unwrap_err();
    let ending = "evaluator.score at sample x9: measure m is -1e308, expected a number of at most 1e15 in size";
    assert_error(&error, ending, "fault of the plugin");
}

#[test]
fn too_many_measures() {
    let error = guest::evaluator(&guest::plugin("hostile/describes.wat")).describe().unwrap_err();
    assert_error(&error, "evaluator.describe: it describes 400 measures, at most 256 are taken", "fault of the plugin");
}

#[test]
fn too_much_that_the_model_should_do() {
    let plan = |file: &str| guest::evaluator(&guest::plugin(file)).plan(&samples(3)).unwrap_err();
    let many = "plan at sample a0: it asks for 1001 continuations, at most 1000 are judged";
    assert_error(&plan("hostile/plans-many.wat"), many, "fault of the plugin");
    let long = "plan at sample a0: its continuations have 1200128 bytes, at most 1048576 are judged";
    assert_error(&plan("hostile/plans-long.wat"), long, "fault of the plugin");
}

/// Each call stays below `limits.output`; all of them together do not stay below `limits.total_output`.
#[test]
fn too_much_output_over_a_run() {
    let limits = Limits { memory: 256, output: 64, fuel: 1_000_000_000, ..limits() };
    let bytes = guest::module("hostile/annotates.wat");
    let plugin = Plugin::from_bytes(&ENGINE, "annotates", &bytes, &limits).unwrap();
    let mut evaluator = guest::evaluator(&plugin);
    let mut done = 0;
    let error = loop {
        match evaluator.score(&observations(50)) {
            Ok(judgements) => done += judgements.len(),
            Err(error) => break error,
        }
        assert!(done < 2000, "no end");
    };
    assert!(done >= 250, "{done}");
    assert!(error.to_string().contains("it has returned 17 MiB in all, from 0 MiB of input"), "{error}");
    assert!(error.hint_text().unwrap().contains("raise limits.total_output, which is 16 MiB"));
    let roomy = Limits { total_output: 200, ..limits };
    let plugin = Plugin::from_bytes(&ENGINE, "annotates", &bytes, &roomy).unwrap();
    guest::evaluator(&plugin).score(&observations(500)).unwrap();
}

#[test]
fn too_many_findings() {
    let bytes = guest::module_of("hostile/finds.wat", "validator-plugin");
    let plugin = Plugin::from_bytes(&ENGINE, "finds", &bytes, &limits()).unwrap();
    let row = |line| Row { split: "train".into(), line, text: "a".into() };
    let mut validator = Validator::new(&plugin, &Map::new(), &Grants::default()).unwrap();
    let rows: Vec<Row> = (1..=9).map(row).collect();
    let error = validator.push(&rows).unwrap_err();
    assert_error(&error, "validator.push: it has 2000 findings, at most 1900 are kept of so few rows", "fault");
    let mut validator = Validator::new(&plugin, &Map::new(), &Grants::default()).unwrap();
    assert_eq!(validator.push(&(1..=20).map(row).collect::<Vec<_>>()).unwrap().len(), 2000);
    assert!(validator.finish().unwrap_err().to_string().contains("it has 4000 findings, at most 3000"));
}

/// Found by fuzzing: a finding about a line that nobody gave to the validator.
#[test]
fn findings_about_rows_that_there_are_not() {
    let bytes = guest::module_of("guests/images-validator.wat", "validator-plugin");
    let plugin = Plugin::from_bytes(&ENGINE, "images", &bytes, &limits()).unwrap();
    let finding = |line: u32| {
        let line: String = line.to_le_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        format!(
            "010000000000000000000000c0000000010000003800020005000000{line}\
             c000000000000000c000000001000000c000000001000000747261696e"
        )
    };
    let push = |split: &str, line: u32| {
        let row = Row { split: split.into(), line: 7, text: finding(line) };
        Validator::new(&plugin, &Map::new(), &Grants::default()).unwrap().push(&[row])
    };
    assert_eq!(push("train", 7).unwrap()[0].line, 7);
    assert_eq!(push("train", 0).unwrap()[0].line, 0);
    assert_error(
        &push("train", 8193).unwrap_err(),
        "validator.push at train line 8193: it was not given that line",
        "fault",
    );
    assert!(push("test", 7).is_err(), "the finding is about `train`");
}

/// A plugin writes at most so many lines in a run, whichever of its instances writes them.
#[test]
fn too_many_log_lines_over_a_run() {
    let events: Arc<Mutex<Vec<Event>>> = Arc::default();
    let heard = Arc::clone(&events);
    let grants =
        Grants { sink: Arc::new(move |event: &Event| heard.lock().unwrap().push(event.clone())), ..Grants::default() };
    let plugin = guest::plugin("guests/logs.wat");
    for _ in 0..120 {
        Evaluator::new(&plugin, &Map::new(), &grants).unwrap().score(&observations(1)).unwrap();
    }
    let events = events.lock().unwrap();
    assert!(events.len() <= 10_200, "{}", events.len());
    let Some(Event::PluginLog { message, .. }) = events.last() else { panic!("a line") };
    assert_eq!(message, "… its further lines are left out: a plugin writes at most 10000 in a run");
}

#[test]
fn scores_that_depend_on_earlier_calls() {
    let mut evaluator = guest::evaluator(&guest::plugin("hostile/counts.wat"));
    let observed = observations(10);
    let judgements = evaluator.score(&observed).unwrap();
    let error = evaluator.confirm(&observed, &judgements, &[7, 2]).unwrap_err();
    let ending = "score at sample a7: its answer depends on earlier calls: m is 7 first and 0 when it is asked again";
    assert_error(&error, ending, "the same input must give the same result");

    let mut evaluator = guest::evaluator(&guest::plugin("hostile/remembers.wat"));
    let mut observed = observations(10);
    observed[4] = observation("x9", "Paris");
    let judgements = evaluator.score(&observed).unwrap();
    evaluator.confirm(&observed, &judgements, &[3, 1, 0]).unwrap();
    let error = evaluator.confirm(&observed, &judgements, &[8]).unwrap_err();
    assert!(
        error.to_string().contains("at sample a8: its answer depends on earlier calls: m is 0 first and 1"),
        "{error}"
    );
}

#[test]
fn scores_that_do_not_depend_on_earlier_calls_are_confirmed() {
    let mut evaluator = guest::evaluator(&guest::plugin("guests/exact.wat"));
    let observed = [observation("a", "Paris"), observation("b", "London")];
    let judgements = evaluator.score(&observed).unwrap();
    evaluator.confirm(&observed, &judgements, &[1, 0]).unwrap();
    let samples = samples(5);
    let requests = evaluator.plan(&samples).unwrap();
    evaluator.confirm_plan(&samples, &requests, &[4, 0]).unwrap();
}

#[test]
fn plans_that_depend_on_earlier_calls() {
    let mut evaluator = guest::evaluator(&guest::plugin("hostile/plans-more.wat"));
    let samples = samples(5);
    let requests = evaluator.plan(&samples).unwrap();
    let error = evaluator.confirm_plan(&samples, &requests, &[4]).unwrap_err();
    assert!(
        error.to_string().contains("evaluator.plan at sample a4: its answer depends on earlier calls: 5 completions")
    );
}

#[test]
fn comparisons_that_depend_on_earlier_calls() {
    let bytes = guest::module_of("hostile/compares-by-turns.wat", "comparator-plugin");
    let plugin = Plugin::from_bytes(&ENGINE, "turns", &bytes, &limits()).unwrap();
    let mut comparator = Comparator::new(&plugin, &Map::new(), &Grants::default()).unwrap();
    let pair = |sample| Pair { sample, reference: Side::default(), candidate: Side::default() };
    let pairs: Vec<Pair> = samples(4).into_iter().map(pair).collect();
    let judgements = comparator.compare(&pairs).unwrap();
    let error = comparator.confirm(&pairs, &judgements, &[1]).unwrap_err();
    assert!(
        error.to_string().contains("comparator.compare at sample a1: its answer depends on earlier calls"),
        "{error}"
    );
}
