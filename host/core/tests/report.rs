//! The report joins outputs, scores and flips by suite and sample.
#![allow(clippy::unwrap_used)]

use diapason_core::arm::{Arm, Arms};
use diapason_core::compare::{Described, Listed, Suite, compare};
use diapason_core::finding::{Finding, Severity};
use diapason_core::frozen::{File, Frozen, Role};
use diapason_core::language_model::{Completion, Finish};
use diapason_core::report::{FORMAT, FindingCounts, Flip, Parts, Report, build};
use diapason_core::sample::{Message, Sample};
use diapason_core::score::{Judgement, Measure, MeasureInfo, Outcome, Output, Score};
use std::collections::BTreeMap;

const NAMES: [&str; 2] = ["exact", "valid"];

fn sample(id: &str) -> Sample {
    Sample { id: id.into(), messages: vec![Message::new("user", "say it")], ..Sample::default() }
}

fn output(id: &str, text: &str) -> Output {
    let completion = Completion { text: text.into(), tokens: 1, finish: Finish::Stop };
    Output {
        suite: "task".into(),
        sample: id.into(),
        prompt: "say it".into(),
        completions: vec![completion],
        samples: Vec::new(),
        likelihoods: Vec::new(),
    }
}

fn score(arm: Arm, id: &str, values: [f64; 2]) -> Score {
    let measures = NAMES.iter().zip(values).map(|(name, value)| Measure { name: (*name).into(), value }).collect();
    let judgement = Judgement { outcome: Outcome::Scored(measures), notes: vec![("why".into(), "because".into())] };
    Score {
        suite: "task".into(),
        evaluator: "judge".into(),
        arm,
        against: None,
        sample: id.into(),
        cluster: None,
        judgement,
    }
}

fn report() -> Report {
    let samples: Vec<Sample> = ["a", "b", "c", "d"].map(sample).into();
    let measure = |name: &&str| MeasureInfo {
        name: (*name).into(),
        summary: String::new(),
        higher_is_better: true,
        binary: true,
        bounds: None,
    };
    let judge = Described { name: "judge".into(), comparator: false, measures: NAMES.iter().map(measure).collect() };
    let listed = samples.iter().map(Listed::from).collect();
    let suite = Suite { name: "task".into(), samples: listed, evaluators: vec![judge] };
    let base = [("a", [1.0, 1.0]), ("b", [1.0, 0.0]), ("c", [0.0, 1.0]), ("d", [1.0, 1.0])];
    let tuned = [("a", [0.0, 0.0]), ("b", [0.0, 1.0]), ("c", [1.0, 1.0]), ("d", [1.0, 1.0])];
    let rows = |arm, rows: [(&str, [f64; 2]); 4]| rows.map(|(id, values)| score(Arm::clone(&arm), id, values));
    let scores = [rows(Arm::base(), base), rows(Arm::tuned(), tuned)].concat();
    let finding = Finding {
        validator: "validate-shape".into(),
        severity: Severity::Warning,
        rule: "empty".into(),
        split: "train".into(),
        line: 3,
        path: String::new(),
        message: "empty".into(),
        hint: "remove it".into(),
    };
    build(Parts {
        allowed: BTreeMap::new(),
        name: "run",
        suites: &[("task".into(), samples)],
        outputs: &[vec![output("a", "yes")], vec![output("b", "no")]],
        usage: &[],
        comparison: compare(&[suite], &Arms::of_training(), &scores, 0, 0).unwrap(),
        scores: &scores,
        findings: &[finding],
        gate: None,
        training: None,
        about: Frozen {
            date: "2026-03-01T12:00:00Z".into(),
            diapason: "0.1.0".into(),
            config: serde_json::from_value(serde_json::json!({ "model": { "path": "base" } })).unwrap(),
            files: BTreeMap::from([(Role::TrainingData, File { sha256: "00".into(), rows: Some(3) })]),
            plugins: Vec::new(),
        },
    })
}

#[test]
fn samples_carry_texts_scores_and_flips() {
    let report = report();
    let flips: Vec<Flip> = report.samples.iter().map(|sample| sample.flips[0]).collect();
    assert_eq!(flips, [Flip::Harmful, Flip::Mixed, Flip::Beneficial, Flip::None]);
    assert_eq!(report.samples[0].answers, [Some("yes".into()), None]);
    assert_eq!(report.samples[1].answers, [None, Some("no".into())]);
    assert!(report.samples.iter().all(|sample| sample.scores.len() == 2));
    assert_eq!(report.findings, FindingCounts { errors: 0, warnings: 1, notes: 0 });
}

#[test]
fn survives_being_stored() {
    let text = serde_json::to_string(&report()).unwrap();
    let stored: Report = serde_json::from_str(&text).unwrap();
    assert_eq!(stored, report());
    assert_eq!(stored.format, FORMAT);
}
