//! From scores to a verdict: 200 samples, of which base answers 100 correctly and tuned 150, held against two rules.
//!
//!     cargo run --release -p diapason-core --example gate

// An example speaks to whoever runs it.
#![allow(clippy::print_stdout)]

use diapason_core::arm::{Arm, Arms};
use diapason_core::compare::{Described, Listed, Suite, compare};
use diapason_core::config::{Gate, Rule};
use diapason_core::gate::{History, decide};
use diapason_core::score::{Judgement, Measure, MeasureInfo, Outcome, Score};
use std::collections::BTreeMap;

const SAMPLES: usize = 200;

fn main() -> diapason_core::Result<()> {
    let scores: Vec<Score> = [(Arm::base(), 100), (Arm::tuned(), 150)].into_iter().flat_map(scores).collect();
    let comparison = compare(&[suite()], &Arms::of_training(), &scores, 2000, 42)?;
    let rules = [rule(Some(0.6), None), rule(None, Some(0.3))];
    let decision = decide(&rules, &Gate::default(), &comparison, &History::default())?;
    for condition in &decision.conditions {
        println!("{:?} {}: {:?}, {:?}", condition.kind, condition.limit, condition.verdict, condition.interval);
    }
    println!("the gate: {:?}", decision.verdict);
    Ok(())
}

fn suite() -> Suite {
    let correct = MeasureInfo {
        name: "correct".into(),
        summary: "Whether the answer is the reference.".into(),
        higher_is_better: true,
        binary: true,
        bounds: None,
    };
    let sample = |index| Listed { id: format!("s{index}"), tags: BTreeMap::new(), prompt: format!("question {index}") };
    Suite {
        name: "questions".into(),
        samples: (0..SAMPLES).map(sample).collect(),
        evaluators: vec![Described { name: "judge".into(), comparator: false, measures: vec![correct] }],
    }
}

/// The first `right` samples are correct.
fn scores((arm, right): (Arm, usize)) -> impl Iterator<Item = Score> {
    (0..SAMPLES).map(move |index| {
        let correct = Measure { name: "correct".into(), value: f64::from(index < right) };
        let judgement = Judgement { outcome: Outcome::Scored(vec![correct]), notes: Vec::new() };
        let (suite, evaluator, sample) = ("questions".into(), "judge".into(), format!("s{index}"));
        Score { suite, evaluator, arm: arm.clone(), against: None, sample, cluster: None, judgement }
    })
}

fn rule(minimum: Option<f64>, gain: Option<f64>) -> Rule {
    let (suite, measure, arm, against) = ("questions".into(), "judge.correct".into(), Arm::tuned(), Arm::base());
    Rule { suite, measure, arm, against, minimum, maximum: None, margin: None, gain }
}
