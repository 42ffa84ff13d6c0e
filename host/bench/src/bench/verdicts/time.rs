//! How long a verdict takes.

use super::draw;
use diapason_core::arm::{Arm, Arms};
use diapason_core::compare::{Described, Listed, Suite, compare};
use diapason_core::config::{Gate, Rule};
use diapason_core::gate::{History, decide};
use diapason_core::score::{Judgement, Measure, MeasureInfo, Outcome, Score};
use rand::{RngExt, SeedableRng};
use std::time::Instant;

/// Prints the time of comparing and deciding.
pub(super) fn run() {
    println!("\n### Time\n\n| verdict | seconds |\n|---|---|");
    for (pairs, binary, clusters, what) in [
        (5_000, true, false, "5,000 pairs, right or wrong"),
        (5_000, false, false, "5,000 pairs, real values"),
        (5_000, true, true, "5,000 pairs in 500 clusters"),
        (500_000, true, false, "1,000,000 stored answers, right or wrong"),
        (500_000, false, false, "1,000,000 stored answers, real values"),
    ] {
        let (suite, scores) = stored(pairs, binary, clusters);
        let start = Instant::now();
        let rule = Rule {
            suite: "suite".into(),
            measure: "score".into(),
            arm: Arm::tuned(),
            against: Arm::base(),
            minimum: Some(0.5),
            maximum: None,
            margin: Some(0.02),
            gain: None,
        };
        let comparison = compare(&[suite], &Arms::of_training(), &scores, 0, 1);
        let decided =
            comparison.and_then(|comparison| decide(&[rule], &Gate::default(), &comparison, &History::default()));
        let verdict = decided.map_or_else(|error| error.to_string(), |gate| format!("{:?}", gate.verdict));
        println!("| {what} ({verdict}) | {:.2} |", start.elapsed().as_secs_f64());
    }
}

fn stored(pairs: usize, binary: bool, clusters: bool) -> (Suite, Vec<Score>) {
    let mut random = draw::Random::seed_from_u64(1);
    let info = MeasureInfo {
        name: "score".into(),
        summary: String::new(),
        higher_is_better: true,
        binary,
        bounds: Some((0.0, 1.0)),
    };
    let samples = (0..pairs).map(|index| Listed {
        id: index.to_string(),
        tags: std::collections::BTreeMap::new(),
        prompt: index.to_string(),
    });
    let suite = Suite {
        name: "suite".into(),
        samples: samples.collect(),
        evaluators: vec![Described { name: "plugin".into(), comparator: false, measures: vec![info] }],
    };
    let scores = (0..2 * pairs).map(|index| {
        let value: f64 = random.random();
        let value = if binary { f64::from(value < 0.7) } else { value };
        Score {
            suite: "suite".into(),
            evaluator: "plugin".into(),
            arm: if index % 2 == 0 { Arm::base() } else { Arm::tuned() },
            against: None,
            sample: (index / 2).to_string(),
            cluster: clusters.then(|| format!("cluster {}", index / 20)),
            judgement: Judgement {
                outcome: Outcome::Scored(vec![Measure { name: "score".into(), value }]),
                notes: Vec::new(),
            },
        }
    });
    (suite, scores.collect())
}
