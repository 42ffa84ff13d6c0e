//! Seeded simulations: how often intervals hold the truth, and how often the gate passes what it must not. `cargo x bench
//! verdicts` tries many more designs; `STATISTICS.md` has its tables.
#![allow(clippy::unwrap_used)]

use diapason_core::stats::{Evidence, Interval, Side, bootstrap, holm};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const REPEATS: usize = 2000;

/// Share of the repeats in which `holds` is true.
fn share(seed: u64, repeats: usize, mut holds: impl FnMut(&mut ChaCha8Rng) -> bool) -> f64 {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..repeats).filter(|_| holds(&mut random)).count() as f64 / repeats as f64
}

/// Whether the 95 % interval holds the truth; its ends are where this p value is 0.05.
fn holds(evidence: &Evidence, truth: f64) -> bool {
    evidence.two_sided(truth).is_some_and(|p| p > 0.05)
}

fn contains(interval: &Interval, truth: f64) -> bool {
    matches!(interval, Interval::Known { low, high, .. } if (*low..=*high).contains(&truth))
}

/// Whether a rule of its own at alpha = 0.05 passes.
fn passes(evidence: &Evidence, threshold: f64) -> bool {
    evidence.p(Side::Above, threshold).is_some_and(|p| p <= 0.05)
}

/// Pairs with `harm` and `gain` as the rates of flips, and 60 % of the others right on both sides.
fn pairs(random: &mut ChaCha8Rng, n: usize, harm: f64, gain: f64) -> Vec<(f64, f64)> {
    let one = |u: f64, right: bool| match u {
        u if u < harm => (1.0, 0.0),
        u if u < harm + gain => (0.0, 1.0),
        _ if right => (1.0, 1.0),
        _ => (0.0, 0.0),
    };
    (0..n).map(|_| one(random.random(), random.random_bool(0.6))).collect()
}

/// Sum of three uniform values: bounded, bell-shaped, mean 1.5.
fn bell(random: &mut ChaCha8Rng) -> f64 {
    (0..3).map(|_| random.random::<f64>()).sum()
}

/// Exact and distribution-free intervals hold the truth more often than they promise, never less.
#[track_caller]
fn at_least_nominal(covered: f64) {
    assert!(covered >= 0.935, "covered {covered}");
}

#[test]
fn paired_intervals_cover_as_promised() {
    for (n, harm, gain) in [(60, 0.1, 0.2), (150, 0.05, 0.05), (300, 0.2, 0.1)] {
        at_least_nominal(share(1, REPEATS, |random| {
            holds(&Evidence::of_paired_rates(&pairs(random, n, harm, gain)), gain - harm)
        }));
    }
    let differences = |random: &mut ChaCha8Rng| -> Vec<f64> { (0..40).map(|_| bell(random) - bell(random)).collect() };
    at_least_nominal(share(2, REPEATS, |random| {
        holds(&Evidence::of_differences(&differences(random), None, Some((0.0, 3.0))), 0.0)
    }));
    at_least_nominal(share(3, REPEATS, |random| {
        contains(&bootstrap::bca(&differences(random), 0.95, 500, random.random()), 0.0)
    }));
}

#[test]
fn clustered_intervals_cover_where_naive_ones_do_not() {
    let draw = |random: &mut ChaCha8Rng| -> Vec<Vec<f64>> {
        let of_source = |random: &mut ChaCha8Rng| {
            let shared = bell(random);
            (0..6).map(|_| shared + 0.5 * bell(random)).collect()
        };
        (0..20).map(|_| of_source(random)).collect()
    };
    let truth = 1.5 * 1.5;
    at_least_nominal(share(4, REPEATS, |random| {
        let clusters = draw(random);
        holds(&Evidence::of_levels(&clusters.concat(), Some(&clusters), None), truth)
    }));
    let naive = share(4, REPEATS, |random| holds(&Evidence::of_levels(&draw(random).concat(), None, None), truth));
    assert!(naive < 0.8, "covered {naive}");
}

/// Error rates are simulated with a standard error of about 0.005; the limits leave room for two of them.
#[test]
fn a_rule_at_its_limit_passes_no_more_often_than_alpha() {
    for (n, harm, gain) in [(50, 0.05, 0.0), (50, 0.1, 0.0), (200, 0.02, 0.0), (200, 0.125, 0.025), (200, 0.15, 0.1)] {
        let wrong = share(5, REPEATS, |random| {
            let evidence = Evidence::of_paired_rates(&pairs(random, n, harm, gain));
            passes(&evidence, gain - harm)
        });
        assert!(wrong <= 0.06, "paired, n = {n}, harm = {harm}: {wrong}");
    }
    for (n, rate) in [(20, 0.88), (50, 0.95), (200, 0.5), (200, 0.99)] {
        let wrong = share(6, REPEATS, |random| {
            let values: Vec<f64> = (0..n).map(|_| f64::from(random.random_bool(rate))).collect();
            passes(&Evidence::of_rate(&values), rate)
        });
        assert!(wrong <= 0.06, "rate {rate} of {n}: {wrong}");
    }
    // Clusters that nearly all agree, of which one holds a third of all samples; a whole cluster is lost at a time.
    let clusters = share(9, REPEATS, |random| {
        let sizes = [60_usize].into_iter().chain([3; 40]);
        let clusters: Vec<Vec<f64>> =
            sizes.map(|size| vec![if random.random_bool(0.1) { -1.0 } else { 0.0 }; size]).collect();
        let evidence = Evidence::of_differences(&clusters.concat(), Some(&clusters), Some((0.0, 1.0)));
        passes(&evidence, -0.1)
    });
    assert!(clusters <= 0.06, "a large cluster, rarely lost: {clusters}");
    // Rare, large losses, with ties and without: the case in which a t interval collapses.
    let untied = share(10, REPEATS / 4, |random| {
        let noise = |random: &mut ChaCha8Rng| 0.01 * (random.random::<f64>() - 0.5);
        let values: Vec<f64> =
            (0..100).map(|_| if random.random_bool(0.02) { -0.9 } else { 0.0 } + noise(random)).collect();
        passes(&Evidence::of_differences(&values, None, Some((0.0, 1.0))), -0.018)
    });
    assert!(untied <= 0.06, "rare losses among noise: {untied}");
    let rare = share(7, REPEATS, |random| {
        let values: Vec<f64> = (0..100).map(|_| if random.random_bool(0.02) { -1.0 } else { 0.0 }).collect();
        let evidence = Evidence::of_differences(&values, None, Some((0.0, 1.0)));
        passes(&evidence, -0.02)
    });
    assert!(rare <= 0.06, "rare losses: {rare}");
}

#[test]
fn holm_keeps_the_error_of_the_family() {
    let any = share(8, REPEATS / 2, |random| {
        let p: Vec<f64> = (0..3)
            .map(|_| Evidence::of_paired_rates(&pairs(random, 150, 0.15, 0.15)).p(Side::Above, 0.0).unwrap())
            .collect();
        let levels = holm::levels(&p, 0.05, |level, _| level);
        assert_eq!(
            p.iter().zip(&levels).map(|(p, level)| p <= level).collect::<Vec<_>>(),
            holm::adjusted(&p).iter().map(|p| *p <= 0.05).collect::<Vec<_>>()
        );
        p.iter().zip(levels).any(|(p, level)| *p <= level)
    });
    assert!(any <= 0.064, "{any}");
}

#[test]
fn what_cannot_carry_an_interval_says_so() {
    let none = |evidence: &Evidence| matches!(evidence.interval(0.95), Interval::TooFew { .. });
    assert!(none(&Evidence::of_rate(&[])) && none(&Evidence::of_paired_rates(&[])));
    assert!(none(&Evidence::of_levels(&[], None, Some((0.0, 1.0)))));
    assert!(none(&Evidence::of_levels(&[0.5], None, Some((0.0, 1.0)))));
    assert!(none(&Evidence::of_levels(&[0.5; 9], None, None)));
    assert!(none(&Evidence::of_levels(&[0.1, 0.2], Some(&[vec![0.1, 0.2]]), Some((0.0, 1.0)))));
    assert!(!none(&Evidence::of_levels(&[0.5; 9], None, Some((0.0, 1.0)))));
    assert_eq!(bootstrap::bca(&[0.3; 9], 0.95, 100, 0), Interval::TooFew { n: 9 });
    assert_eq!(bootstrap::bca(&[0.3], 0.95, 100, 0), Interval::TooFew { n: 1 });
    assert_eq!(bootstrap::bca(&[], 0.95, 100, 0), Interval::TooFew { n: 0 });
    assert_eq!(Evidence::TooFew { n: 1 }.p(Side::Above, 0.0), None);
}
