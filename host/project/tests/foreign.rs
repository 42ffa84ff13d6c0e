//! Answers as other tools write them, read from files that the tools wrote (tests/oracles/foreign_answers.py), and given to
//! the samples of the two suites that they were asked.
#![allow(clippy::unwrap_used, missing_docs)]

use diapason_core::config::Columns;
use diapason_core::sample::{Message, Sample};
use diapason_core::{Class, Error, Result};
use diapason_project::dataset::{self, Selection};
use diapason_project::foreign::{
    self, Answers, By, Completion, Finish, Format, Found, Matched, Suite, Usage, Why, matched,
};
use std::path::{Path, PathBuf};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/foreign").join(name)
}

fn samples(name: &str) -> Vec<Sample> {
    dataset::load(&golden(name), &Columns::default(), &Selection::default()).unwrap()
}

fn read(name: &str) -> Answers {
    foreign::read(&golden(name)).unwrap()
}

/// The answers given to both suites.
fn given(name: &str) -> Result<Matched> {
    let (support, colours) = (samples("support.jsonl"), samples("colours.jsonl"));
    let suite = |name, samples| Suite { name, samples, prompts: &[] };
    matched(read(name), &[suite("support", &support), suite("colours", &colours)], name)
}

fn found<'a>(matched: &'a Matched, sample: &str) -> &'a Found {
    matched.found.iter().find(|found| found.sample == sample).unwrap()
}

fn text(matched: &Matched, sample: &str) -> String {
    found(matched, sample).made.ordinary.clone().unwrap().text
}

fn lost(matched: &Matched, sample: &str) -> Why {
    matched.lost.iter().find(|lost| lost.sample == sample).unwrap().why.clone()
}

fn failed(matched: &Matched, sample: &str) -> String {
    match lost(matched, sample) {
        Why::Failed { reason, .. } => reason,
        Why::Missing => panic!("{sample} is missing"),
    }
}

fn ids(matched: &Matched) -> Vec<&str> {
    matched.found.iter().map(|found| found.sample.as_str()).collect()
}

#[track_caller]
fn refused(error: &Error, part: &str) {
    assert_eq!(error.class(), Class::Data, "{error}");
    assert!(error.hint_text().is_some_and(|hint| !hint.is_empty()), "no hint: {error}");
    assert!(error.to_string().contains(part), "{part} in {error}");
}

const USAGE: Usage = Usage { prompt_tokens: Some(9), completion_tokens: Some(3), seconds: None };

/// The harness's raw response of each document, as Python reads the file.
fn responses(name: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(golden(name)).unwrap();
    let line = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["resps"][0].clone();
    text.lines().map(|text| serde_json::from_value(line(text)).unwrap()).collect()
}

#[test]
fn the_harness_generates() {
    let answers = read("harness_support.jsonl");
    assert_eq!((answers.format, answers.model.as_deref()), (Format::Harness, None));
    let matched = given("harness_support.jsonl").unwrap();
    assert_eq!(ids(&matched), ["refund", "hours", "köln"]);
    assert_eq!(matched.lost.len(), 2, "the other suite is not answered");
    assert!(matched.found.iter().all(|found| found.by == By::Id && found.made.draws.is_empty()));
    let expected = responses("harness_support.jsonl");
    assert_eq!(text(&matched, "refund"), expected[0][0]);
    assert_eq!(text(&matched, "köln"), expected[2][0]);
    assert_eq!(
        found(&matched, "hours").asked.texts[0],
        "<|user|>When are you open?\nAlso on Sunday?<|end|><|assistant|>"
    );
    assert_eq!(found(&matched, "hours").made.ordinary.as_ref().unwrap().tokens, None, "the harness does not say it");
}

#[test]
fn filters_of_the_harness_share_one_answer() {
    let matched = given("harness_filtered.jsonl").unwrap();
    assert_eq!(ids(&matched), ["refund", "hours", "köln"]);
    assert_eq!(text(&matched, "hours"), responses("harness_filtered.jsonl")[1][0], "not what a filter left of it");
}

#[test]
fn repeats_of_the_harness_are_draws() {
    let matched = given("harness_repeated.jsonl").unwrap();
    let made = &found(&matched, "refund").made;
    let texts: Vec<&str> = made.draws.iter().map(|draw| draw.text.as_str()).collect();
    assert_eq!(texts, responses("harness_repeated.jsonl")[0]);
    assert_eq!(made.ordinary.as_ref(), made.draws.first());
}

#[test]
fn the_harness_measures_likelihoods() {
    let matched = given("harness_colours.jsonl").unwrap();
    assert_eq!(ids(&matched), ["sky", "grass"]);
    let made = &found(&matched, "sky").made;
    assert_eq!(made.ordinary, None, "nothing was written");
    // The likelihoods after no prompt, for mutual information, are none of them.
    let [(blue, likely), (green, unlikely)] = made.likelihoods.as_slice() else { panic!("{made:?}") };
    assert_eq!((blue.as_str(), green.as_str()), (" blue", " green"));
    assert_eq!((likely.logprob, likely.greedy, unlikely.greedy), (-35.29070281982422, false, false));
}

#[test]
fn inspect_logs() {
    for ending in ["eval", "json"] {
        let name = format!("inspect_plain.{ending}");
        let answers = read(&name);
        assert_eq!((answers.format, answers.model.as_deref()), (Format::Inspect, Some("mockllm/model")), "{name}");
        let matched = given(&name).unwrap();
        assert_eq!(ids(&matched), ["refund", "hours", "köln"], "{name}");
        let hours = found(&matched, "hours");
        let completion = hours.made.ordinary.as_ref().unwrap();
        assert!(completion.text.starts_with("Answer ") && completion.text.ends_with(" ♪"), "{completion:?}");
        assert_eq!((completion.tokens, completion.finish.as_ref()), (Some(3), Some(&Finish::Stop)));
        assert_eq!((hours.usage.prompt_tokens, hours.usage.completion_tokens), (Some(9), Some(3)));
        assert!(hours.usage.seconds.is_some_and(|seconds| seconds > 0.0 && seconds < 1.0), "{:?}", hours.usage);
        assert_eq!(hours.asked.messages.as_ref().unwrap()[0], Message::new("system", "Be brief."));
    }
}

#[test]
fn inspects_epochs_are_draws() {
    for ending in ["eval", "json"] {
        let matched = given(&format!("inspect_epochs.{ending}")).unwrap();
        let hours = found(&matched, "hours");
        let texts: std::collections::BTreeSet<&str> = hours.made.draws.iter().map(|draw| draw.text.as_str()).collect();
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert_eq!((hours.usage.prompt_tokens, hours.usage.completion_tokens), (Some(27), Some(9)));
    }
}

#[test]
fn what_failed_in_inspect_is_lost_with_its_reason() {
    for ending in ["eval", "json"] {
        let matched = given(&format!("inspect_failed.{ending}")).unwrap();
        assert_eq!(ids(&matched), ["refund", "köln"]);
        assert_eq!(failed(&matched, "hours"), "RuntimeError('the server said 503')");
    }
}

/// Inspect numbers samples without an id from 1, which are no ids of ours. What was asked is all of a sample's conversation,
/// or not: the sample with a system prompt was asked without it.
#[test]
fn numbers_of_inspect_are_no_ids() {
    for ending in ["eval", "json"] {
        let matched = given(&format!("inspect_unnamed.{ending}")).unwrap();
        assert_eq!(ids(&matched), ["refund", "köln"]);
        assert!(matched.found.iter().all(|found| found.by == By::Prompt));
        assert_eq!(lost(&matched, "hours"), Why::Missing);
        let strangers: Vec<_> = matched.strangers.iter().map(|stranger| stranger.id.as_deref().unwrap()).collect();
        assert_eq!(strangers, ["2"]);
    }
}

#[test]
fn promptfoo_results() {
    for ending in ["json", "jsonl"] {
        let name = format!("promptfoo_plain.{ending}");
        let answers = read(&name);
        assert_eq!((answers.format, answers.model.as_deref()), (Format::Promptfoo, Some("tiny-bot")), "{name}");
        let matched = given(&name).unwrap();
        assert_eq!(
            text(&matched, "refund"),
            "Answer 71",
            "its assertion does not hold, and it is answered all the same"
        );
        let refund = found(&matched, "refund");
        assert_eq!(Usage { seconds: None, ..refund.usage }, USAGE);
        assert!(refund.usage.seconds.is_some_and(|seconds| (0.0..1.0).contains(&seconds)));
        assert_eq!(refund.asked.messages, Some(vec![Message::new("user", "How do I get a refund?")]));
        assert_eq!(failed(&matched, "hours"), "the server said 503");
        assert_eq!(failed(&matched, "köln"), "the output is data that was made of the answer, not its text");
    }
}

#[test]
fn promptfoo_repeats_are_draws_and_two_providers_are_refused() {
    let matched = given("promptfoo_repeated.json").unwrap();
    assert_eq!(found(&matched, "refund").made.draws.len(), 2);
    assert_eq!(found(&matched, "refund").usage.prompt_tokens, Some(18));
    assert_eq!(failed(&matched, "hours"), "the server said 503");
    let error = foreign::read(&golden("promptfoo_two.json")).unwrap_err();
    refused(&error, "answers of 2 models: `other-bot`, `tiny-bot`");
}

#[test]
fn openai_batches() {
    let matched = given("batch.jsonl").unwrap();
    let cut = found(&matched, "refund").made.ordinary.clone().unwrap();
    assert_eq!(cut, Completion { text: "By form".into(), tokens: Some(3), finish: Some(Finish::Length) });
    assert_eq!(found(&matched, "köln").usage, USAGE);
    assert_eq!(failed(&matched, "hours"), "status 429: Rate limit reached");
    assert_eq!(read("batch.jsonl").model.as_deref(), Some("tiny-1"));

    let matched = given("batch_odd.jsonl").unwrap();
    let draws = &found(&matched, "refund").made.draws;
    assert_eq!(
        draws.iter().map(|draw| (draw.text.as_str(), draw.tokens)).collect::<Vec<_>>(),
        [("By form 7.", None), ("By form 8.", None)]
    );
    assert_eq!(found(&matched, "refund").usage.completion_tokens, Some(6));
    assert_eq!(failed(&matched, "hours"), "the answer is the call of a tool, which is no text");
    assert_eq!(failed(&matched, "köln"), "This request could not be executed in time.");
}

#[test]
fn every_eval_ever() {
    let matched = given("every_turns.jsonl").unwrap();
    let refund = found(&matched, "refund");
    assert_eq!(refund.made.draws.len(), 2);
    assert_eq!(refund.usage, Usage { seconds: Some(1.5), ..USAGE });
    assert_eq!(text(&matched, "hours"), "9 to 5.", "without its reasoning");
    assert_eq!(found(&matched, "hours").asked.messages.as_ref().unwrap().len(), 2);
    assert_eq!(failed(&matched, "köln"), "the server said 503");
    assert_eq!(read("every_turns.jsonl").model.as_deref(), Some("nobody/tiny"));
}

/// Its converter takes over the harness's `doc_id`, counted from 0, for an id; the prompt finds the samples.
#[test]
fn what_every_eval_ever_made_of_the_harness() {
    let support = samples("support.jsonl");
    let render = |sample: &Sample| format!("<|user|>{}<|end|><|assistant|>", sample.messages.last().unwrap().content);
    let prompts: Vec<String> = support.iter().map(render).collect();
    let suite = Suite { name: "support", samples: &support, prompts: &prompts };
    let given = matched(read("every_support.jsonl"), &[suite], "every_support.jsonl").unwrap();
    assert_eq!(ids(&given), ["refund", "hours", "köln"]);
    assert!(given.found.iter().all(|found| found.by == By::Prompt));
    assert_eq!(text(&given, "hours"), responses("harness_support.jsonl")[1][0]);

    for (name, part) in [
        ("every_colours.jsonl", "the choice with the highest likelihood, which no model wrote"),
        ("every_filtered.jsonl", "what the filter `strict` left of an answer"),
    ] {
        refused(&foreign::read(&golden(name)).unwrap_err(), part);
    }
}

#[test]
fn digests_are_of_the_file() {
    let bytes = std::fs::read(golden("batch.jsonl")).unwrap();
    assert_eq!(read("batch.jsonl").digest, diapason_core::digest::of_bytes(&bytes));
}
