//! From score rows to a decision: pairing, missing data, Holm, and agreement of verdict, p value and interval.
#![allow(clippy::unwrap_used)]

mod scores;

use diapason_core::arm::{Arm, Arms, Contrast};
use diapason_core::compare::{Comparison, compare};
use diapason_core::config::{Gate, Rule};
use diapason_core::gate::{History, Reason, Scored, Side, Verdict, decide};
use diapason_core::score::{MeasureInfo, Outcome, Score};
use diapason_core::stats::Interval;
use diapason_core::{Class, Error};
use proptest::prelude::*;
use scores::{binary, compared, difference, gate, info, only, row, rows, rule, scored, suite};

#[test]
fn pairs_by_sample_whatever_the_order_of_the_rows() {
    let (base, tuned) = ([1.0, 0.0, 1.0, 0.0, 1.0], [1.0, 1.0, 0.0, 1.0, 1.0]);
    let mut shuffled = rows(&base, &tuned);
    shuffled.reverse();
    shuffled.swap(0, 3);
    let comparison = compare(&[suite(5, info("match", true), false)], &Arms::of_training(), &shuffled, 200, 7).unwrap();
    assert_eq!(comparison, compared(&base, &tuned, info("match", true)));
    let difference = difference(&comparison);
    assert_eq!((difference.wins, difference.ties, difference.losses), (2, 2, 1));
    assert_eq!(difference.harmful, ["s2"]);
    assert_eq!(difference.beneficial, ["s1", "s3"]);
    assert!(difference.test.as_ref().unwrap().p > 0.5);
    assert_eq!(difference.slices.iter().map(|slice| slice.n).collect::<Vec<_>>(), [3, 2]);
}

#[test]
fn lower_is_better_turns_wins_margins_and_gains_round() {
    let lower = MeasureInfo { higher_is_better: false, ..info("match", true) };
    let comparison = compared(&binary(90, 100), &binary(10, 100), lower);
    let difference = difference(&comparison);
    assert_eq!((difference.wins, difference.losses, difference.harmful.len()), (80, 0, 0));
    let result = gate(&[Rule { gain: Some(0.5), margin: Some(0.0), ..rule() }], &comparison);
    assert_eq!(result.verdict, Verdict::Passed);
    assert!(result.conditions.iter().all(|condition| condition.side == Side::Below));
    assert_eq!(result.conditions[1].threshold, -0.5);
}

#[test]
fn unscored_lost_and_not_applicable_are_told_apart() {
    let nothing = || Outcome::Scored(Vec::new());
    let rows = [
        row(Arm::base(), 0, scored(1.0)),
        row(Arm::tuned(), 0, scored(1.0)),
        row(Arm::base(), 1, nothing()),
        row(Arm::tuned(), 1, nothing()),
        row(Arm::base(), 2, scored(1.0)),
        row(Arm::tuned(), 2, nothing()),
        row(Arm::base(), 3, scored(1.0)),
        row(Arm::tuned(), 3, Outcome::Unscored("no JSON".into())),
        row(Arm::base(), 4, scored(0.0)),
    ];
    let comparison = compare(&[suite(5, info("match", true), false)], &Arms::of_training(), &rows, 0, 0).unwrap();
    let tuned = scores::tuned(&comparison);
    assert_eq!((tuned.n, tuned.unscored, tuned.not_applicable), (1, 2, 1));
    assert_eq!(tuned.lost, ["s4"]);
    assert_eq!(difference(&comparison).n, 1);
}

#[test]
fn what_is_missing_never_passes() {
    let n = 200;
    let suites = [suite(n, info("match", true), false)];
    let all = rows(&binary(0, n), &binary(n, n));
    let verdict = |rows: &[Score], rule: Rule| {
        let comparison = compare(&suites, &Arms::of_training(), rows, 0, 0).unwrap();
        let condition = gate(&[rule], &comparison).conditions.remove(0);
        (condition.verdict, condition.reason)
    };
    let gain = || Rule { gain: Some(0.1), ..rule() };
    let minimum = || Rule { minimum: Some(0.5), ..rule() };
    assert_eq!(verdict(&all, gain()).0, Verdict::Passed);

    let (open, reason) = verdict(&all[n..], gain());
    assert_eq!((open, reason), (Verdict::Inconclusive, Reason::NoScores { of: Scored::Arm(Arm::base()) }));
    assert_eq!(verdict(&all[n..], minimum()).0, Verdict::Passed, "a level needs no base");
    assert_eq!(verdict(&all[..n], minimum()).0, Verdict::Inconclusive);

    let (open, reason) = verdict(&all[..2 * n - 1], gain());
    let lost = Reason::Lost { of: Scored::Arm(Arm::tuned()), lost: 1, samples: n, first: "s199".into() };
    assert_eq!((open, reason), (Verdict::Inconclusive, lost));

    let mut unscored = all.clone();
    for row in &mut unscored[n..n + 5] {
        row.judgement.outcome = Outcome::Unscored("refused".into());
    }
    let (open, reason) = verdict(&unscored, minimum());
    let unscored_reason = Reason::Unscored { of: Scored::Arm(Arm::tuned()), unscored: 5, applicable: n, allowed: 0.02 };
    assert_eq!((open, reason), (Verdict::Inconclusive, unscored_reason));
    assert_eq!(verdict(&unscored[..2 * n], Rule { minimum: Some(1.1), ..rule() }).0, Verdict::Failed);
}

#[test]
fn three_verdicts() {
    let comparison = compared(&binary(50, 100), &binary(70, 100), info("match", true));
    let verdict = |rule| gate(&[rule], &comparison).conditions.remove(0);
    assert_eq!(verdict(Rule { minimum: Some(0.6), ..rule() }).verdict, Verdict::Passed);
    assert_eq!(verdict(Rule { maximum: Some(0.6), ..rule() }).verdict, Verdict::Failed);
    assert_eq!(verdict(Rule { margin: Some(0.0), ..rule() }).verdict, Verdict::Passed);
    assert_eq!(verdict(Rule { gain: Some(0.5), ..rule() }).verdict, Verdict::Failed);
    let open = verdict(Rule { minimum: Some(0.66), ..rule() });
    assert_eq!(open.verdict, Verdict::Inconclusive);
    let (samples, detectable) = (open.samples_to_settle.unwrap(), open.detectable.unwrap());
    assert!((150..900).contains(&samples.least) && samples.most.is_none(), "{samples:?}");
    assert!((0.08..0.16).contains(&detectable), "{detectable}");
}

#[test]
fn as_many_samples_as_promised_settle_it() {
    let open = |n: usize| {
        let comparison = compared(&binary(0, n), &binary(7 * n / 10, n), info("match", true));
        gate(&[Rule { minimum: Some(0.66), ..rule() }], &comparison).conditions.remove(0)
    };
    let promised = open(300).samples_to_settle.unwrap();
    assert_eq!(open(promised.most.unwrap()).verdict, Verdict::Passed);
    assert_eq!(open(promised.least).verdict, Verdict::Inconclusive);
}

#[test]
fn identical_answers_are_no_proof_on_few_samples() {
    for binary in [true, false] {
        let ones = vec![1.0; 20];
        let comparison = compared(&ones, &ones, info("match", binary));
        let margin = |limit| gate(&[Rule { margin: Some(limit), ..rule() }], &comparison).verdict;
        assert_eq!(margin(0.02), Verdict::Inconclusive);
        assert_eq!(margin(0.3), Verdict::Passed);
        let minimum = gate(&[Rule { minimum: Some(0.95), ..rule() }], &comparison);
        assert_eq!(minimum.verdict, Verdict::Inconclusive);
    }
    let unbounded = MeasureInfo { bounds: None, ..info("match", false) };
    let comparison = compared(&[3.0; 20], &[3.0; 20], unbounded);
    let difference = difference(&comparison);
    assert_eq!(difference.interval, Interval::TooFew { n: 20 });
    assert_eq!(gate(&[Rule { margin: Some(5.0), ..rule() }], &comparison).verdict, Verdict::Inconclusive);
}

#[test]
fn clusters_widen_the_interval() {
    let (base, tuned) = (binary(0, 100), binary(60, 100));
    let mut together = rows(&base, &tuned);
    for (index, score) in together.iter_mut().enumerate() {
        score.cluster = Some(format!("source {}", (index % 100) / 10));
    }
    let width = |scores: &[Score]| {
        let comparison =
            compare(&[suite(100, info("match", true), false)], &Arms::of_training(), scores, 0, 0).unwrap();
        match difference(&comparison).interval {
            Interval::Known { low, high, .. } => high - low,
            Interval::TooFew { .. } => panic!("ten clusters are enough"),
        }
    };
    assert!(width(&together) > 2.0 * width(&rows(&base, &tuned)));
}

fn against_base(sample: usize, outcome: Outcome) -> Score {
    Score { against: Some(Arm::base()), ..row(Arm::tuned(), sample, outcome) }
}

#[test]
fn a_comparator_has_one_level() {
    let rows: Vec<Score> = (0..50).map(|i| against_base(i, scored(f64::from(i % 10 != 0)))).collect();
    let comparison = compare(&[suite(50, info("match", true), true)], &Arms::of_training(), &rows, 0, 0).unwrap();
    assert_eq!(only(&comparison).pair(&Contrast::of_training()).unwrap().level.mean, Some(0.9));
    assert_eq!(gate(&[Rule { minimum: Some(0.7), ..rule() }], &comparison).verdict, Verdict::Passed);
    let error =
        decide(&[Rule { gain: Some(0.1), ..rule() }], &Gate::default(), &comparison, &History::default()).unwrap_err();
    assert_eq!(error.class(), Class::Config);
}

#[test]
fn mistakes_in_rules_are_named() {
    let comparison = compare(&[suite(10, info("exact-match", true), false)], &Arms::of_training(), &[], 0, 0).unwrap();
    let error =
        |rules: &[Rule]| -> Error { decide(rules, &Gate::default(), &comparison, &History::default()).unwrap_err() };
    let given = || Rule { minimum: Some(0.5), measure: "exact-match".into(), ..rule() };
    let cases = [
        (error(&[]), "no rules", "[[rule]]"),
        (error(&[Rule { suite: "tusk".into(), ..given() }]), "unknown suite `tusk`", "`task`"),
        (error(&[Rule { measure: "exact-mach".into(), ..given() }]), "unknown measure", "`exact-match`"),
        (error(&[Rule { minimum: None, ..given() }]), "asks for nothing", "margin"),
        (error(&[Rule { minimum: Some(f64::NAN), ..given() }]), "no number", "finite"),
        (error(&[Rule { margin: Some(-0.1), ..given() }]), "negative", "0 or more"),
    ];
    for (error, message, hint) in cases {
        assert!(error.to_string().contains(message), "{error}");
        assert!(error.hint_text().unwrap().contains(hint), "{error}: {:?}", error.hint_text());
        assert_eq!(error.class(), Class::Config);
    }
}

#[test]
fn rows_that_do_not_belong_are_refused() {
    let suites = [suite(2, info("match", true), false)];
    let one = || row(Arm::base(), 0, scored(1.0));
    let message = |rows: &[Score]| compare(&suites, &Arms::of_training(), rows, 0, 0).unwrap_err().to_string();
    assert!(message(&[one(), one()]).contains("twice"));
    assert!(message(&[row(Arm::base(), 9, scored(1.0))]).contains("unknown sample"));
    assert!(message(&[against_base(0, scored(1.0))]).contains("one arm"));
    assert!(message(&[row(Arm::base(), 0, scored(0.5))]).contains("0 or 1"));
    assert!(message(&[row(Arm::base(), 0, scored(f64::NAN))]).contains("NaN"));
    assert!(message(&[Score { suite: "other".into(), ..one() }]).contains("unknown suite"));
}

#[test]
fn a_stored_comparison_decides_the_same() {
    let comparison = compared(&binary(50, 100), &binary(70, 100), info("match", true));
    let stored: Comparison = serde_json::from_str(&serde_json::to_string(&comparison).unwrap()).unwrap();
    assert_eq!(stored, comparison);
    let rules = [Rule { minimum: Some(0.6), gain: Some(0.1), margin: Some(0.02), ..rule() }];
    assert_eq!(gate(&rules, &stored), gate(&rules, &comparison));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn verdict_interval_and_p_value_agree(
        pairs in prop::collection::vec((0_u8..5, 0_u8..5), 1..80),
        binary in any::<bool>(),
        limit in 0.0..1.0_f64,
        higher in any::<bool>(),
    ) {
        let value = |raw: u8| if binary { f64::from(raw > 2) } else { f64::from(raw) / 4.0 };
        let (base, tuned): (Vec<f64>, Vec<f64>) = pairs.iter().map(|(a, b)| (value(*a), value(*b))).unzip();
        let info = MeasureInfo { higher_is_better: higher, ..info("match", binary) };
        let comparison = compared(&base, &tuned, info);
        let rules = [Rule { minimum: Some(limit), maximum: Some(limit), margin: Some(limit), gain: Some(limit), ..rule() }];
        let result = gate(&rules, &comparison);
        for condition in result.conditions {
            let Interval::Known { low, high, level, .. } = condition.interval else {
                prop_assert_eq!(condition.verdict, Verdict::Inconclusive);
                continue;
            };
            prop_assert!(level > 0.9 - 1e-12 && level < 1.0);
            prop_assert!(low < high && (-1.0..=1.0).contains(&low) && (-1.0..=1.0).contains(&high));
            let estimate = condition.estimate.unwrap();
            prop_assert!(low - 1e-12 <= estimate && estimate <= high + 1e-12);
            let (holds, fails) = match condition.side {
                Side::Above => (low >= condition.threshold, high < condition.threshold),
                Side::Below => (high <= condition.threshold, low > condition.threshold),
            };
            let expected = match (fails, holds) {
                (true, _) => Verdict::Failed,
                (_, true) => Verdict::Passed,
                _ => Verdict::Inconclusive,
            };
            prop_assert_eq!(condition.verdict, expected);
            prop_assert_eq!(condition.verdict == Verdict::Passed, condition.p.unwrap() <= condition.alpha);
        }
    }

    #[test]
    fn swapping_the_arms_mirrors_the_difference(pairs in prop::collection::vec((0_u8..5, 0_u8..5), 2..60)) {
        let (base, tuned): (Vec<f64>, Vec<f64>) =
            pairs.iter().map(|(a, b)| (f64::from(a / 3), f64::from(b / 3))).unzip();
        let there = compared(&base, &tuned, info("match", true));
        let back = compared(&tuned, &base, info("match", true));
        let (there, back) = (difference(&there), difference(&back));
        prop_assert_eq!(&there.harmful, &back.beneficial);
        let (Interval::Known { low, high, .. }, Interval::Known { low: from, high: to, .. }) =
            (&there.interval, &back.interval)
        else {
            return Err(TestCaseError::fail("pairs always have an interval"));
        };
        prop_assert!((low + to).abs() < 1e-12 && (high + from).abs() < 1e-12);
    }
}
