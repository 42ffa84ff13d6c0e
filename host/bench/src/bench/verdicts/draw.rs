//! Random values, clusters and flips.

use diapason_core::stats::Evidence;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

pub(super) type Random = ChaCha8Rng;

/// Standard normal, by Box and Muller.
pub(super) fn normal(random: &mut Random) -> f64 {
    let (radius, angle): (f64, f64) = (1.0 - random.random::<f64>(), random.random());
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

pub(super) fn log_normal(random: &mut Random) -> f64 {
    normal(random).exp()
}

/// Gamma with the given shape, by Marsaglia and Tsang.
fn gamma(random: &mut Random, shape: f64) -> f64 {
    if shape < 1.0 {
        let root = random.random::<f64>().powf(1.0 / shape);
        return root * gamma(random, shape + 1.0);
    }
    let d = shape - 1.0 / 3.0;
    loop {
        let x = normal(random);
        let v = (1.0 + x / (9.0 * d).sqrt()).powi(3);
        let u: f64 = random.random();
        if v > 0.0 && u.ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

pub(super) fn beta(random: &mut Random, a: f64, b: f64) -> f64 {
    let (x, y) = (gamma(random, a), gamma(random, b));
    x / (x + y)
}

/// Pairs with the given rates of flips for the worse and for the better.
pub(super) fn flips(random: &mut Random, n: usize, harm: f64, gain: f64) -> Evidence {
    let (mut base_only, mut tuned_only) = (0, 0);
    for _ in 0..n {
        let u: f64 = random.random();
        if u < harm {
            base_only += 1;
        } else if u < harm + gain {
            tuned_only += 1;
        }
    }
    Evidence::PairedRates { both: 0, base_only, tuned_only, neither: n - base_only - tuned_only }
}

/// Clusters of the given sizes: what their values share is drawn first, then each value from it.
pub(super) fn clusters(
    random: &mut Random,
    sizes: &[usize],
    shared: impl Fn(&mut Random) -> f64,
    value: impl Fn(&mut Random, f64) -> f64,
) -> Vec<Vec<f64>> {
    let one = |size: &usize| {
        let shared = shared(random);
        (0..*size).map(|_| value(random, shared)).collect()
    };
    sizes.iter().map(one).collect()
}

/// Values of 0 or 1 with this rate and correlation within clusters (beta-binomial).
pub(super) fn binary(random: &mut Random, sizes: &[usize], rate: f64, correlation: f64) -> Vec<Vec<f64>> {
    let scale = 1.0 / correlation - 1.0;
    clusters(
        random,
        sizes,
        |random| beta(random, rate * scale, (1.0 - rate) * scale).clamp(0.0, 1.0),
        |random, rate| f64::from(random.random_bool(rate)),
    )
}

/// Many small clusters and few large ones: 60 / rank, at least 1, and never fewer than every fifth above 15.
pub(super) fn power_law_sizes(groups: usize) -> Vec<usize> {
    (0..groups).map(|index| (60.0 / (1.0 + 5.0 * (index % 20) as f64 / 4.0)).round().max(1.0) as usize).collect()
}
