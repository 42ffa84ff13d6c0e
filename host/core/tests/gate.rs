//! What a gate takes into account beside one interval: clusters, bounds, several rules, looks and candidates.
#![allow(clippy::unwrap_used)]

mod scores;

use diapason_core::arm::Arms;
use diapason_core::compare::{Comparison, compare};
use diapason_core::config::{Gate, Rule};
use diapason_core::gate::{History, Look, Plan, Reason, Verdict, decide};
use diapason_core::score::MeasureInfo;
use diapason_core::stats::Interval;
use scores::{binary, compared, difference, gate, info, rows, rule, suite};

fn known(interval: &Interval) -> (f64, f64) {
    match interval {
        Interval::Known { low, high, .. } => (*low, *high),
        Interval::TooFew { .. } => panic!("an interval was expected"),
    }
}

/// A large cluster that lost everything and many small ones that lost nothing: the mean of clusters' means looks harmless,
/// the mean of samples does not.
#[test]
fn the_interval_is_about_the_mean_of_samples_that_is_printed() {
    let lost = 85;
    let n = 300;
    let base = binary(n, n);
    let tuned: Vec<f64> = (0..n).map(|i| f64::from(i >= lost)).collect();
    let mut rows = rows(&base, &tuned);
    for (index, score) in rows.iter_mut().enumerate() {
        let sample = index % n;
        score.cluster = Some(if sample < lost { "large".into() } else { format!("small {}", sample / 5) });
    }
    for is_binary in [true, false] {
        let comparison =
            compare(&[suite(n, info("match", is_binary), false)], &Arms::of_training(), &rows, 0, 0).unwrap();
        let difference = difference(&comparison);
        assert!((difference.mean.unwrap() + 85.0 / 300.0).abs() < 1e-12);
        let (low, high) = known(&difference.interval);
        assert!(low <= difference.mean.unwrap() && difference.mean.unwrap() <= high);
        let result = gate(&[Rule { margin: Some(0.1), ..rule() }], &comparison);
        assert_ne!(result.verdict, Verdict::Passed, "a loss of 28.3 points");
    }
}

#[test]
fn repeated_prompts_are_one_piece_of_evidence() {
    let n = 100;
    let scores = rows(&binary(0, n), &binary(60, n));
    let mut alone = suite(n, info("match", true), false);
    assert_eq!(
        compare(std::slice::from_ref(&alone), &Arms::of_training(), &scores, 0, 0).unwrap().suites[0].grouping,
        None
    );
    for (index, sample) in alone.samples.iter_mut().enumerate() {
        sample.prompt = format!("prompt {}", index / 10);
    }
    let repeated = compare(std::slice::from_ref(&alone), &Arms::of_training(), &scores, 0, 0).unwrap();
    let grouping = repeated.suites[0].grouping.as_ref().unwrap();
    assert_eq!((grouping.clusters, grouping.tagged, grouping.repeated_prompts), (10, 0, 100));
    assert!((grouping.effective - 10.0).abs() < 1e-9);

    // The same by tags; and a tag that ties two prompts together ties all of their samples.
    let mut tagged = scores.clone();
    for (index, score) in tagged.iter_mut().enumerate() {
        score.cluster = Some(format!("source {}", index % n / 10));
    }
    let by_tag = compare(&[suite(n, info("match", true), false)], &Arms::of_training(), &tagged, 0, 0).unwrap();
    assert_eq!(difference(&by_tag), difference(&repeated));
    let mut both = scores;
    for index in [9, 10] {
        both[index].cluster = Some("shared".into());
    }
    let both = compare(&[alone], &Arms::of_training(), &both, 0, 0).unwrap();
    assert_eq!(both.suites[0].grouping.as_ref().unwrap().clusters, 9);
}

#[test]
fn without_bounds_few_or_skewed_values_decide_nothing() {
    let unbounded = || MeasureInfo { bounds: None, ..info("match", false) };
    let verdict = |values: &[f64]| {
        let comparison = compared(&vec![0.0; values.len()], values, unbounded());
        let result = gate(&[Rule { margin: Some(0.1), minimum: Some(-10.0), ..rule() }], &comparison);
        (result.verdict, result.conditions[0].reason.clone())
    };
    let noise = |n: usize| -> Vec<f64> { (0..n).map(|i| 0.01 * ((i * 7919) % 101) as f64 / 101.0).collect() };
    assert_eq!(verdict(&noise(200)).0, Verdict::Passed);
    let (open, reason) = verdict(&noise(30));
    assert_eq!((open, reason), (Verdict::Inconclusive, Reason::FewUnbounded));
    let mut heavy = noise(200);
    heavy[7] = -3.0;
    let (open, reason) = verdict(&heavy);
    assert_eq!((open, reason), (Verdict::Inconclusive, Reason::SkewedUnbounded));
    // Nor do they fail.
    let comparison = compared(&[0.0; 30], &noise(30), unbounded());
    assert_eq!(gate(&[Rule { minimum: Some(100.0), ..rule() }], &comparison).verdict, Verdict::Inconclusive);
}

/// Each of these is shown at alpha = 0.05 and none at half of it: all of them hold, none by itself.
#[test]
fn all_rules_pass_together_at_the_whole_alpha() {
    let comparison = compared(&binary(0, 100), &binary(60, 100), info("match", true));
    let passes = |limit: f64, rules: usize| {
        let rules = vec![Rule { minimum: Some(limit), ..rule() }; rules];
        gate(&rules, &comparison)
    };
    let limit = 0.508;
    let alone = passes(limit, 1);
    assert!(alone.verdict == Verdict::Passed && !alone.conditions[0].jointly);
    let p = alone.conditions[0].p.unwrap();
    assert!(p > 0.025 && p <= 0.05, "{p}");
    let two = passes(limit, 2);
    assert_eq!(two.verdict, Verdict::Passed);
    assert!(two.conditions.iter().all(|one| one.jointly && one.alpha == 0.05), "{:?}", two.conditions);
    let mixed = [Rule { minimum: Some(limit), ..rule() }, Rule { minimum: Some(0.58), ..rule() }];
    let mixed = gate(&mixed, &comparison);
    assert_eq!(mixed.verdict, Verdict::Inconclusive);
    assert_eq!(mixed.conditions[0].verdict, Verdict::Inconclusive, "by itself it needs half of alpha");
}

fn look(samples: usize) -> Look {
    let samples = [("task".to_string(), samples)].into();
    let plan = Plan { alpha: 0.05, looks: 5, candidates: 1 };
    Look { model: "tuned".into(), data: "rows".into(), comparison: "scores".into(), samples, plan }
}

fn history(earlier: &[Look]) -> History {
    History { earlier: earlier.to_vec(), models: 1, plans: earlier.iter().map(|look| look.plan).collect() }
}

#[test]
fn looks_and_candidates_share_alpha() {
    let comparison = compared(&binary(0, 100), &binary(60, 100), info("match", true));
    let rules = [Rule { minimum: Some(0.5), ..rule() }];
    let level =
        |gate: Gate, earlier: &[Look]| decide(&rules, &gate, &comparison, &history(earlier)).map(|result| result.level);
    assert_eq!(level(Gate::default(), &[]).unwrap(), 0.05);
    assert_eq!(level(Gate { candidates: 10, ..Gate::default() }, &[]).unwrap(), 0.005);
    let five = || Gate { looks: 5, ..Gate::default() };
    let first = level(five(), &[]).unwrap();
    let second = level(five(), &[look(50)]).unwrap();
    let last = level(five(), &[look(20), look(40), look(60), look(80)]).unwrap();
    assert!(first < 1e-4 && first < second && second < last && last < 0.05, "{first} {second} {last}");
    let result = decide(&rules, &five(), &comparison, &history(&[look(50)])).unwrap();
    assert_eq!(result.look, (2, 5));
    assert!(result.conditions[0].alpha == second);

    let refused = |earlier: &[Look]| level(five(), earlier).unwrap_err();
    assert!(refused(&[look(100)]).to_string().contains("no more samples"));
    let spent: Vec<Look> = (1..=5).map(|index| look(10 * index)).collect();
    assert!(refused(&spent).to_string().contains("look 6"));
    let many = History { models: 4, ..History::default() };
    let three = Gate { candidates: 3, ..Gate::default() };
    assert!(decide(&rules, &three, &comparison, &many).unwrap_err().to_string().contains("4 models"));
    assert_eq!(decide(&rules, &Gate::default(), &comparison, &many).unwrap().models, 4, "said, and not guessed");
    // A plan that was changed after a look spent something else than it says.
    let other = Gate { looks: 6, ..Gate::default() };
    assert!(level(other, &[look(50)]).unwrap_err().to_string().contains("looks = 5"));
    let unplanned = decide(&rules, &Gate::default(), &comparison, &history(&[look(50)])).unwrap();
    assert_eq!(unplanned.looked_before, 1, "said, and not guessed");
    // Without planned looks, what was looked at before is another evaluation.
    assert_eq!(level(Gate::default(), &[look(100)]).unwrap(), 0.05);
}

#[test]
fn advice_is_in_samples_and_says_which() {
    let comparison = compared(&binary(0, 100), &binary(70, 100), info("match", true));
    let rules = [Rule { minimum: Some(0.66), ..rule() }];
    let settle = |gate: Gate| {
        let condition = decide(&rules, &gate, &comparison, &History::default()).unwrap().conditions.remove(0);
        condition.samples_to_settle.unwrap()
    };
    assert!(settle(Gate::default()).new, "without planned looks, these samples cannot decide again");
    let planned = settle(Gate { looks: 3, ..Gate::default() });
    assert!(!planned.new && planned.least > 100, "{planned:?}");

    // The same values in clusters of five that agree: five times the samples, and not their number of clusters.
    let n = 100;
    let mut repeated = suite(5 * n, info("match", true), false);
    for (index, sample) in repeated.samples.iter_mut().enumerate() {
        sample.prompt = format!("prompt {}", index / 5);
    }
    let values: Vec<f64> = (0..5 * n).map(|i| f64::from(i / 5 < 70)).collect();
    let clustered = compare(&[repeated], &Arms::of_training(), &rows(&vec![0.0; 5 * n], &values), 0, 0).unwrap();
    let settle = |comparison: &Comparison| gate(&rules, comparison).conditions[0].samples_to_settle.unwrap().least;
    let (single, shared) = (settle(&comparison), settle(&clustered));
    assert!((4.0..6.5).contains(&(shared as f64 / single as f64)), "{single} {shared}");
}
