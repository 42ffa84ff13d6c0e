//! Whole gates: several rules, several looks, several candidates.

use super::{ALPHA, Arguments, draw, each, limit};
use diapason_core::stats::{Evidence, Side, holm, looks};

/// Simulates gates and prints their table; names the ones that err too often.
pub(super) fn run(arguments: &Arguments, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    println!("\n### Gates\n\n| gate | false pass | at most |\n|---|---|---|");
    let mut over = Vec::new();
    let mut line = |name: &str, rate: f64| {
        println!("| {name} | {rate:.3} | {ALPHA} |");
        if rate > limit(arguments.trials) {
            over.push(format!("gates: {name}"));
        }
    };
    let share = |trial: &(dyn Fn(&mut draw::Random) -> bool + Sync)| {
        let all = each(arguments.trials, arguments.seed, trial);
        all.iter().filter(|passed| **passed).count() as f64 / all.len() as f64
    };
    if wanted("looks") {
        line("five looks at 100 to 500 pairs, `looks = 5`", share(&|random| looking(random, 5)));
        let naive = share(&|random| looking(random, 1));
        println!("| five looks at 100 to 500 pairs, each at alpha (what `looks` mends) | {naive:.3} | |");
    }
    if wanted("candidates") {
        line("best of 10 candidates on 300 pairs, `candidates = 10`", share(&|random| choosing(random, ALPHA / 10.0)));
        let naive = share(&|random| choosing(random, ALPHA));
        println!("| best of 10 candidates on 300 pairs, at alpha (what `candidates` mends) | {naive:.3} | |");
    }
    if wanted("rules") {
        line("three rules of which one is at its limit: PASSED", share(&|random| rules(random, [0.2, 0.0, 0.2]).0));
        line("three rules at their limits: a single tick", share(&|random| rules(random, [0.0; 3]).1));
        line("three rules at their limits: FAILED", share(&|random| rules(random, [0.0; 3]).2));
    }
    over
}

fn p(evidence: &Evidence, side: Side) -> f64 {
    evidence.p(side, 0.0).unwrap_or(1.0)
}

/// Whether one of five looks passes a model that is exactly as good as its base.
fn looking(random: &mut draw::Random, planned: usize) -> bool {
    let (mut worse, mut better) = (0, 0);
    let mut samples = Vec::new();
    (1..=5_usize).any(|look| {
        if let Evidence::PairedRates { base_only, tuned_only, .. } = draw::flips(random, 100, 0.12, 0.12) {
            worse += base_only;
            better += tuned_only;
        }
        let n = 100 * look;
        samples.push(n as f64);
        let evidence =
            Evidence::PairedRates { both: 0, base_only: worse, tuned_only: better, neither: n - worse - better };
        let level = if planned > 1 { looks::level(ALPHA, planned, &samples) } else { ALPHA };
        p(&evidence, Side::Above) <= level
    })
}

/// Whether the best of ten models, each as good as its base, passes.
fn choosing(random: &mut draw::Random, level: f64) -> bool {
    let best = (0..10).map(|_| p(&draw::flips(random, 300, 0.1, 0.1), Side::Above)).fold(1.0, f64::min);
    best <= level
}

/// PASSED, a tick, FAILED of three rules on 200 pairs; a rule's true value lies `above` its limit.
fn rules(random: &mut draw::Random, above: [f64; 3]) -> (bool, bool, bool) {
    let evidence = above.map(|above| draw::flips(random, 200, 0.1, 0.1 + above));
    let of = |side| evidence.iter().map(|one| p(one, side)).collect::<Vec<f64>>();
    let (pass, fail) = (of(Side::Above), of(Side::Below));
    let any = |p: &[f64]| p.iter().zip(holm::levels(p, ALPHA, |level, _| level)).any(|(p, level)| *p <= level);
    (pass.iter().all(|p| *p <= ALPHA), any(&pass), any(&fail))
}
