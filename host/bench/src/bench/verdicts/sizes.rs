//! How good the advice on further samples is: the sample size that an inconclusive pilot asks for, beside the one that is
//! needed at the true value.

use super::{ALPHA, Arguments, draw, each};
use diapason_core::stats::Evidence;
use diapason_core::stats::power::{SampleSize, samples_if_true, samples_to_settle};
use rand::RngExt;

/// Prints the table.
pub(super) fn run(arguments: &Arguments) {
    println!(
        "\n### Sample sizes\n\n| pilot | needed | range holds it | range below | range above |\n|---|---|---|---|---|"
    );
    let trials = arguments.trials.min(1000);
    line("rate 0.80 of 100 against 0.75", trials, arguments.seed, 0.75, rate(1000, 800), |random| {
        rate(100, (0..100).filter(|_| random.random_bool(0.8)).count())
    });
    line(
        "5 % worse of 200 pairs against a margin of 0.08",
        trials,
        arguments.seed,
        -0.08,
        flips(10_000, 500),
        |random| draw::flips(random, 200, 0.05, 0.0),
    );
    let clusters = |random: &mut draw::Random, groups| {
        let clusters = draw::binary(random, &vec![5; groups], 0.8, 0.3);
        Evidence::of_levels(&clusters.concat(), Some(&clusters), Some((0.0, 1.0)))
    };
    let true_clusters = {
        let mut random: draw::Random = rand::SeedableRng::seed_from_u64(arguments.seed);
        let spread: Vec<Vec<f64>> = draw::binary(&mut random, &vec![5; 20_000], 0.8, 0.3);
        Evidence::of_levels(&spread.concat(), Some(&spread), Some((0.0, 1.0)))
    };
    line("rate 0.80 of 60 clusters × 5 against 0.72", trials, arguments.seed, 0.72, true_clusters, |random| {
        clusters(random, 60)
    });
}

fn rate(n: usize, ones: usize) -> Evidence {
    Evidence::Rate { n, ones }
}

fn flips(n: usize, worse: usize) -> Evidence {
    Evidence::PairedRates { both: 0, base_only: worse, tuned_only: 0, neither: n - worse }
}

fn line(
    name: &str,
    trials: usize,
    seed: u64,
    threshold: f64,
    truth: Evidence,
    pilot: impl Fn(&mut draw::Random) -> Evidence + Sync,
) {
    let Some(needed) = samples_if_true(&truth, threshold, ALPHA) else { return };
    let ranges = each(trials, seed, |random| {
        let evidence = pilot(random);
        samples_to_settle(&evidence, threshold, ALPHA)
    });
    let share = |of: &dyn Fn(&SampleSize) -> bool| {
        ranges.iter().filter(|range| range.as_ref().is_some_and(of)).count() as f64 / trials as f64
    };
    let below = share(&|range| range.most.is_some_and(|most| most < needed));
    let above = share(&|range| range.least > needed)
        + ranges.iter().filter(|range| range.is_none()).count() as f64 / trials as f64;
    println!("| {name} | {needed} | {:.2} | {below:.2} | {above:.2} |", 1.0 - below - above);
}
