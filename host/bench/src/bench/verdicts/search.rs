//! A search for a distribution at which Gaffke's bound, by cluster, holds less often than it promises: that it always holds
//! is conjectured, not proved.

use super::draw::Random;
use super::{ALPHA, Arguments, each, limit};
use diapason_core::stats::{Evidence, Side};
use rand::{RngExt, SeedableRng};

/// Designs tried.
const DESIGNS: usize = 300;

/// The worst of them are tried again, with samples of their own.
const AGAIN: usize = 5;

/// Cluster sizes, and a distribution over at most four values in 0 to 1.
#[derive(Clone)]
struct Design {
    sizes: Vec<usize>,
    values: Vec<(f64, f64)>,
    /// How much more the first cluster, which is the largest, varies than the others.
    wild: bool,
}

impl Design {
    fn draw(random: &mut Random) -> Self {
        let groups = [3, 6, 12, 30, 80][random.random_range(0..5)];
        let largest = [1, 1, 3, 10, 40][random.random_range(0..5)];
        let mut sizes: Vec<usize> = (0..groups).map(|_| random.random_range(1..=largest)).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let rare = [0.01, 0.03, 0.1, 0.3, 0.5][random.random_range(0..5)];
        let mut values: Vec<(f64, f64)> =
            (0..random.random_range(1..4)).map(|_| (random.random::<f64>(), random.random::<f64>())).collect();
        values.push((f64::from(random.random_bool(0.5)), rare));
        let rest: f64 = values[..values.len() - 1].iter().map(|(_, weight)| weight).sum();
        let last = values.len() - 1;
        values[..last].iter_mut().for_each(|(_, weight)| *weight *= (1.0 - rare) / rest);
        Self { sizes, values, wild: random.random_bool(0.3) }
    }

    fn mean(&self) -> f64 {
        self.values.iter().map(|(value, weight)| value * weight).sum()
    }

    /// Every sample of a cluster has the same value; in a wild design, all clusters but the first are at the mean.
    fn evidence(&self, random: &mut Random) -> Evidence {
        let mean = self.mean();
        let clusters: Vec<Vec<f64>> = self
            .sizes
            .iter()
            .enumerate()
            .map(|(index, size)| {
                let value = self.value(random.random());
                let value = if self.wild && index > 0 { mean + 0.05 * (value - mean) } else { value };
                vec![value; *size]
            })
            .collect();
        Evidence::of_levels(&clusters.concat(), Some(&clusters), Some((0.0, 1.0)))
    }

    fn value(&self, mut u: f64) -> f64 {
        for (value, weight) in &self.values {
            if u < *weight {
                return *value;
            }
            u -= weight;
        }
        self.values[self.values.len() - 1].0
    }

    fn false_passes(&self, trials: usize, seed: u64) -> f64 {
        let truth = self.mean();
        let passes =
            each(trials, seed, |random| self.evidence(random).p(Side::Above, truth).is_some_and(|p| p <= ALPHA));
        passes.iter().filter(|passed| **passed).count() as f64 / trials as f64
    }
}

/// Searches and prints the worst designs; names those that are over alpha on fresh samples too.
pub(super) fn run(arguments: &Arguments) -> Vec<String> {
    let mut random = Random::seed_from_u64(arguments.seed);
    let trials = arguments.trials.div_ceil(5);
    let mut tried: Vec<(f64, Design)> = (0..DESIGNS)
        .map(|_| {
            let design = Design::draw(&mut random);
            (design.false_passes(trials, arguments.seed), design)
        })
        .collect();
    tried.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!(
        "\n### A search for a counterexample\n\n{DESIGNS} random designs, {trials} trials each; the worst again:\n"
    );
    println!("| clusters | largest | values | false pass | on fresh samples |\n|---|---|---|---|---|");
    let mut over = Vec::new();
    for (first, design) in tried.iter().take(AGAIN) {
        let again = design.false_passes(4 * arguments.trials, arguments.seed ^ 0x5EED);
        let name = format!(
            "{} | {} | {}{}",
            design.sizes.len(),
            design.sizes[0],
            design.values.len(),
            if design.wild { ", the first cluster varies most" } else { "" }
        );
        println!("| {name} | {first:.3} | {again:.3} |");
        over.extend((again > limit(4 * arguments.trials)).then(|| format!("search: {name}")));
    }
    over
}
