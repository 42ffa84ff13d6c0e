//! Seeded simulations: how often intervals hold the truth, and how often the gate passes what it must not.
#![allow(clippy::unwrap_used)]

use diapason_core::stats::{Evidence, Interval, bootstrap, holm, shown};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const REPEATS: usize = 2000;

/// Share of the repeats in which `holds` is true.
fn share(seed: u64, repeats: usize, mut holds: impl FnMut(&mut ChaCha8Rng) -> bool) -> f64 {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..repeats).filter(|_| holds(&mut random)).count() as f64 / repeats as f64
}

fn contains(interval: &Interval, truth: f64) -> bool {
    matches!(interval, Interval::Known { low, high, .. } if (*low..=*high).contains(&truth))
}

/// Whether a rule of its own at alpha = 0.05 passes.
fn passes(evidence: &Evidence, threshold: f64) -> bool {
    matches!(evidence.strict_interval(0.05), Interval::Known { low, .. } if low >= threshold)
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

#[track_caller]
fn nominal(covered: f64) {
    assert!((0.93..=0.97).contains(&covered), "covered {covered}");
}

#[test]
fn paired_intervals_cover_as_promised() {
    for (n, harm, gain) in [(60, 0.1, 0.2), (150, 0.05, 0.05), (300, 0.2, 0.1)] {
        nominal(share(1, REPEATS, |random| {
            contains(&Evidence::of_paired_rates(&pairs(random, n, harm, gain)).interval(0.95), gain - harm)
        }));
    }
    let differences = |random: &mut ChaCha8Rng| -> Vec<f64> { (0..40).map(|_| bell(random) - bell(random)).collect() };
    nominal(share(2, REPEATS, |random| {
        contains(&Evidence::of_differences(&differences(random), None, Some((0.0, 3.0))).interval(0.95), 0.0)
    }));
    nominal(share(3, REPEATS, |random| {
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
    nominal(share(4, REPEATS, |random| {
        let clusters = draw(random);
        contains(&Evidence::of_levels(&clusters.concat(), Some(&clusters), None).interval(0.95), truth)
    }));
    let naive = share(4, REPEATS, |random| {
        contains(&Evidence::of_levels(&draw(random).concat(), None, None).interval(0.95), truth)
    });
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
    // Rare, large losses: the case in which a t interval collapses.
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
            .map(|_| shown::above(&Evidence::of_paired_rates(&pairs(random, 150, 0.15, 0.15)), 0.0).unwrap())
            .collect();
        let levels = holm::levels(&p, 0.05);
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
    assert_eq!(shown::above(&Evidence::TooFew { n: 1 }, 0.0), None);
}
