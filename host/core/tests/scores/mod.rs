//! Scores made up, compared and decided.
// Each file of tests uses its own part of this.
#![allow(dead_code)]

use diapason_core::arm::{Arm, Arms, Contrast};
use diapason_core::compare::{Comparison, Described, Difference, Level, Listed, MeasureComparison, Suite, compare};
use diapason_core::config::{Gate, Rule};
use diapason_core::gate::{GateResult, History, decide};
use diapason_core::score::{Judgement, Measure, MeasureInfo, Outcome, Score};

pub(crate) fn info(name: &str, binary: bool) -> MeasureInfo {
    MeasureInfo { name: name.into(), summary: String::new(), higher_is_better: true, binary, bounds: Some((0.0, 1.0)) }
}

pub(crate) fn suite(n: usize, info: MeasureInfo, comparator: bool) -> Suite {
    let samples = (0..n).map(|i| Listed {
        id: format!("s{i}"),
        tags: [("half".to_string(), if 2 * i < n { "first" } else { "second" }.to_string())].into(),
        prompt: format!("prompt {i}"),
    });
    let evaluators = vec![Described { name: "judge".into(), comparator, measures: vec![info] }];
    Suite { name: "task".into(), samples: samples.collect(), evaluators }
}

pub(crate) fn row(arm: Arm, sample: usize, outcome: Outcome) -> Score {
    Score {
        suite: "task".into(),
        evaluator: "judge".into(),
        arm,
        against: None,
        sample: format!("s{sample}"),
        cluster: None,
        judgement: Judgement { outcome, notes: Vec::new() },
    }
}

pub(crate) fn scored(value: f64) -> Outcome {
    Outcome::Scored(vec![Measure { name: "match".into(), value }])
}

pub(crate) fn rows(base: &[f64], tuned: &[f64]) -> Vec<Score> {
    let of = |arm: Arm, values: &[f64]| -> Vec<Score> {
        values.iter().enumerate().map(|(i, value)| row(arm.clone(), i, scored(*value))).collect()
    };
    [of(Arm::base(), base), of(Arm::tuned(), tuned)].concat()
}

pub(crate) fn compared(base: &[f64], tuned: &[f64], info: MeasureInfo) -> Comparison {
    compare(&[suite(base.len(), info, false)], &Arms::of_training(), &rows(base, tuned), 200, 7).unwrap()
}

/// Tuned against base on the only measure.
pub(crate) fn difference(comparison: &Comparison) -> &Difference {
    only(comparison).difference(&Contrast::of_training()).unwrap()
}

/// The level of tuned on the only measure.
pub(crate) fn tuned(comparison: &Comparison) -> &Level {
    only(comparison).level(&Arm::tuned()).unwrap()
}

pub(crate) fn only(comparison: &Comparison) -> &MeasureComparison {
    &comparison.suites[0].measures[0]
}

pub(crate) fn rule() -> Rule {
    let (arm, against) = (Arm::tuned(), Arm::base());
    let (minimum, maximum, margin, gain) = (None, None, None, None);
    Rule { suite: "task".into(), measure: "match".into(), arm, against, minimum, maximum, margin, gain }
}

pub(crate) fn gate(rules: &[Rule], comparison: &Comparison) -> GateResult {
    decide(rules, &Gate::default(), comparison, &History::default()).unwrap()
}

/// `n` values of which the first `ones` are 1.
pub(crate) fn binary(ones: usize, n: usize) -> Vec<f64> {
    (0..n).map(|i| f64::from(i < ones)).collect()
}
