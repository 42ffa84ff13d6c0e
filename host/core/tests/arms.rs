//! More than two arms: their levels, the pairs that are asked for, and rules on any of them.
#![allow(clippy::unwrap_used)]

mod scores;

use diapason_core::arm::{Arm, Arms, Contrast};
use diapason_core::compare::{Comparison, compare};
use diapason_core::config::{Config, Gate, Rule};
use diapason_core::gate::{History, Reason, Scored, Verdict, decide};
use diapason_core::score::Score;
use diapason_core::stats::holm;
use scores::{compared, gate, info, row, rule, scored, suite};

const SAMPLES: usize = 100;

fn contrast(candidate: &str, reference: &str) -> Contrast {
    Contrast { candidate: candidate.into(), reference: reference.into() }
}

fn three() -> Arms {
    let all = ["base", "tuned", "few-shot"].map(Arm::from).into();
    Arms { all, contrasts: vec![contrast("tuned", "base"), contrast("tuned", "few-shot")] }
}

fn right(arm: &str, count: usize) -> impl Iterator<Item = Score> {
    (0..SAMPLES).map(move |index| row(arm.into(), index, scored(f64::from(index < count))))
}

fn comparison(base: usize, tuned: usize, few_shot: usize) -> Comparison {
    let scores: Vec<Score> =
        right("base", base).chain(right("tuned", tuned)).chain(right("few-shot", few_shot)).collect();
    compare(&[suite(SAMPLES, info("match", true), false)], &three(), &scores, 0, 0).unwrap()
}

#[test]
fn every_arm_has_its_level_and_the_pairs_that_are_asked_for_their_difference() {
    let comparison = comparison(30, 90, 70);
    let measure = &comparison.suites[0].measures[0];
    let means: Vec<f64> = measure.levels.iter().map(|one| one.level.mean.unwrap()).collect();
    assert_eq!(means, [0.3, 0.9, 0.7]);
    let differences: Vec<_> = measure.differences.iter().map(|one| (one.contrast.to_string(), one.wins)).collect();
    assert_eq!(differences, [("tuned against base".into(), 60), ("tuned against few-shot".into(), 20)]);
}

#[test]
fn what_tuned_against_base_says_does_not_depend_on_a_third_arm() {
    let two = compared(&values(30), &values(90), info("match", true));
    let (three, of_training) = (comparison(30, 90, 70), Contrast::of_training());
    let (two, three) = (&two.suites[0].measures[0], &three.suites[0].measures[0]);
    let (mut two, mut three) =
        (two.difference(&of_training).unwrap().clone(), three.difference(&of_training).unwrap().clone());
    let adjusted = (two.test.take().unwrap(), three.test.take().unwrap());
    assert_eq!(two, three);
    assert_eq!(adjusted.0.p.to_bits(), adjusted.1.p.to_bits());
}

fn values(right: usize) -> Vec<f64> {
    (0..SAMPLES).map(|index| f64::from(index < right)).collect()
}

#[test]
fn tests_are_corrected_for_how_many_there_are() {
    let comparison = comparison(60, 70, 68);
    let tests = comparison.suites[0].measures[0].differences.iter().map(|one| one.test.clone().unwrap());
    let (raw, adjusted): (Vec<f64>, Vec<f64>) = tests.map(|test| (test.p, test.adjusted)).unzip();
    assert_eq!(adjusted, holm::adjusted(&raw));
    assert!(adjusted[0] > raw[0]);
}

#[test]
fn a_rule_speaks_of_the_arms_it_names() {
    let comparison = comparison(30, 90, 70);
    let of = |arm: &str, against: &str| Rule { arm: arm.into(), against: against.into(), ..rule() };
    let verdict = |rule: Rule| gate(&[rule], &comparison).conditions.remove(0);
    let level = verdict(Rule { minimum: Some(0.8), ..of("few-shot", "base") });
    assert_eq!((level.verdict, level.arm, level.against), (Verdict::Failed, "few-shot".into(), None));
    let gain = verdict(Rule { gain: Some(0.05), ..of("tuned", "few-shot") });
    assert_eq!((gain.verdict, gain.against, gain.estimate), (Verdict::Passed, Some("few-shot".into()), Some(0.2)));
    assert_eq!(verdict(Rule { gain: Some(0.3), ..of("tuned", "few-shot") }).verdict, Verdict::Failed);
}

#[test]
fn unknown_arms_and_pairs_that_were_not_compared_are_refused() {
    let comparison = comparison(30, 90, 70);
    let error = |arm: &str, against: &str| {
        let rules = [Rule { arm: arm.into(), against: against.into(), gain: Some(0.0), ..rule() }];
        decide(&rules, &Gate::default(), &comparison, &History::default()).unwrap_err()
    };
    let unknown = error("tuned", "few-shots");
    assert!(unknown.to_string().contains("unknown arm `few-shots`"), "{unknown}");
    assert!(unknown.hint_text().unwrap().contains("`few-shot`"));
    assert!(error("few-shot", "base").hint_text().unwrap().contains("diapason compare"));
    let stray = compare(
        &[suite(SAMPLES, info("match", true), false)],
        &Arms::of_training(),
        &right("few-shot", 9).collect::<Vec<_>>(),
        0,
        0,
    );
    assert!(stray.unwrap_err().to_string().contains("unknown arm `few-shot`"));
}

#[test]
fn an_arm_that_answered_nothing_or_lost_samples_never_passes() {
    let suite = [suite(SAMPLES, info("match", true), false)];
    let rules = [Rule { against: "few-shot".into(), gain: Some(0.0), ..rule() }];
    let decided = |few_shot: usize| {
        let scores: Vec<Score> =
            right("base", 30).chain(right("tuned", 90)).chain(right("few-shot", 9).take(few_shot)).collect();
        gate(&rules, &compare(&suite, &three(), &scores, 0, 0).unwrap()).conditions.remove(0)
    };
    let nothing = decided(0);
    assert_eq!(nothing.verdict, Verdict::Inconclusive);
    assert_eq!(nothing.reason, Reason::NoScores { of: Scored::Arm("few-shot".into()) });
    assert!(matches!(decided(SAMPLES - 1).reason, Reason::Lost { lost: 1, .. }));
    assert_eq!(decided(SAMPLES).verdict, Verdict::Passed);
}

fn config(toml: &serde_json::Value) -> Config {
    serde_json::from_value(toml.clone()).unwrap()
}

#[test]
fn a_configuration_says_which_arms_there_are_and_what_is_compared() {
    let model = serde_json::json!({ "path": "m", "adapter": "a" });
    let names = |arms: &Arms| arms.all.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(config(&serde_json::json!({ "model": model })).arms(), Arms::of_training());
    assert_eq!(names(&config(&serde_json::json!({ "model": { "path": "m" } })).arms()), ["base"]);
    let arms = config(&serde_json::json!({
        "model": model,
        "arm": [
            { "name": "few-shot", "examples": { "from": "train", "count": 2 } },
            { "name": "other", "model": "o" },
            { "name": "yesterday", "outputs": "y.jsonl" },
        ],
        "compare": [{ "arm": "other", "against": "yesterday" }],
        "rule": [{ "suite": "s", "measure": "m", "arm": "yesterday", "minimum": 0.5 }],
    }))
    .arms();
    assert_eq!(names(&arms), ["base", "tuned", "few-shot", "other", "yesterday"]);
    let held: Vec<String> = arms.contrasts.iter().map(ToString::to_string).collect();
    let expected =
        ["tuned against base", "tuned against few-shot", "yesterday against base", "other against yesterday"];
    assert_eq!(held, expected);
}
