//! What holds for every design, whatever its values: estimate inside its interval, more harm never helps, verdict and p
//! value agree, and saying the same twice changes nothing.
#![allow(clippy::unwrap_used)]

use diapason_core::stats::paired::Flips;
use diapason_core::stats::power::{detectable, samples_to_settle};
use diapason_core::stats::{Evidence, Interval, Side};
use proptest::prelude::*;

/// A design: values in clusters, with or without bounds. Differences of levels in 0 to 1.
#[derive(Debug, Clone)]
struct Design {
    clusters: Vec<Vec<f64>>,
    shared: bool,
    bounded: bool,
}

impl Design {
    fn evidence(&self) -> Evidence {
        let clusters = self.shared.then_some(self.clusters.as_slice());
        Evidence::of_differences(&self.clusters.concat(), clusters, self.bounded.then_some((0.0, 1.0)))
    }
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![3 => Just(0.0), 1 => Just(-1.0), 1 => Just(1.0), 3 => -1.0..1.0_f64, 2 => -0.01..0.01_f64]
}

fn designs() -> impl Strategy<Value = Design> {
    let cluster = prop_oneof![4 => prop::collection::vec(value(), 1..6), 1 => prop::collection::vec(value(), 20..60)];
    let clusters =
        prop_oneof![3 => prop::collection::vec(cluster.clone(), 2..12), 1 => prop::collection::vec(cluster, 2..60)];
    (clusters, any::<bool>(), any::<bool>()).prop_map(|(clusters, shared, bounded)| Design {
        clusters,
        shared,
        bounded,
    })
}

fn ends(interval: &Interval) -> Option<(f64, f64)> {
    match interval {
        Interval::Known { low, high, .. } => Some((*low, *high)),
        Interval::TooFew { .. } => None,
    }
}

fn flips() -> impl Strategy<Value = Flips> {
    prop_oneof![3 => 1_usize..60, 2 => 60..400_usize, 1 => 4000..7000_usize].prop_flat_map(|n| {
        let most = n.min(60);
        (0..=most, 0..=most)
            .prop_filter("no more flips than pairs", move |(a, b)| a + b <= n)
            .prop_map(move |(worse, better)| Flips { n, worse, better })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn the_estimate_lies_inside_and_the_p_value_agrees(
        design in designs(), tail in prop_oneof![Just(0.05), Just(0.025), 0.001..0.2_f64], threshold in -1.0..1.0_f64,
    ) {
        let evidence = design.evidence();
        let Some((low, high)) = ends(&evidence.deciding_interval((tail, tail), Some(threshold))) else {
            prop_assert!(evidence.p(Side::Above, threshold).is_none());
            return Ok(());
        };
        let estimate = evidence.estimate().unwrap();
        let all = design.clusters.concat();
        prop_assert!((estimate - all.iter().sum::<f64>() / all.len() as f64).abs() < 1e-12, "the table shows this mean");
        prop_assert!(low <= estimate && estimate <= high, "{low} {estimate} {high}");
        let (above, below) = (evidence.p(Side::Above, threshold).unwrap(), evidence.p(Side::Below, threshold).unwrap());
        prop_assert_eq!(above <= tail, low >= threshold);
        prop_assert_eq!(below <= tail, high <= threshold);
        prop_assert!((0.0..=1.0).contains(&above) && (0.0..=1.0).contains(&below));
        // Held against nothing, the same interval comes out.
        let (free_low, free_high) = ends(&evidence.deciding_interval((tail, tail), None)).unwrap();
        prop_assert!((free_low - low).abs() < 1e-7 && (free_high - high).abs() < 1e-7, "{free_low} {low} {free_high} {high}");
    }

    #[test]
    fn more_harm_never_helps(design in designs(), threshold in -0.9..0.9_f64, at in any::<prop::sample::Index>(), by in 0.0..0.5_f64) {
        // Bounded values: without bounds an outlier below the others may well be what shows that there is variance.
        let design = Design { bounded: true, ..design };
        let mut worse = design.clone();
        let cluster = at.index(worse.clusters.len());
        for value in &mut worse.clusters[cluster] {
            *value = (*value - by).max(-1.0);
        }
        let p = |design: &Design| design.evidence().p(Side::Above, threshold).unwrap();
        prop_assert!(p(&worse) >= p(&design) - 1e-9, "{} after {}", p(&worse), p(&design));
    }

    #[test]
    fn saying_the_same_twice_changes_nothing(design in designs(), threshold in -1.0..1.0_f64) {
        let design = Design { shared: true, ..design };
        let twice = Design {
            clusters: design.clusters.iter().map(|cluster| [cluster.as_slice(), cluster].concat()).collect(),
            ..design.clone()
        };
        let (once, twice) = (design.evidence(), twice.evidence());
        match (once.p(Side::Above, threshold), twice.p(Side::Above, threshold)) {
            (Some(once), Some(twice)) => prop_assert!((once - twice).abs() < 1e-9, "{once} {twice}"),
            (once, twice) => prop_assert_eq!(once, twice),
        }
    }

    #[test]
    fn one_more_flip_for_the_worse_never_helps(flips in flips(), delta in -0.5..0.5_f64) {
        let p = flips.p_above(delta);
        if flips.worse + flips.better < flips.n {
            let worse = Flips { worse: flips.worse + 1, ..flips };
            let better = Flips { better: flips.better + 1, ..flips };
            prop_assert!(worse.p_above(delta) >= p - 1e-9, "{p} {}", worse.p_above(delta));
            prop_assert!(better.p_above(delta) <= p + 1e-9, "{p} {}", better.p_above(delta));
        }
        if flips.better > 0 {
            let worse = Flips { better: flips.better - 1, worse: flips.worse + 1, ..flips };
            prop_assert!(worse.p_above(delta) >= p - 1e-9);
        }
    }

    #[test]
    fn paired_rates_agree_with_their_p_values(flips in flips(), threshold in -0.5..0.5_f64, tail in 0.005..0.2_f64) {
        let evidence = Evidence::PairedRates {
            both: 0, base_only: flips.worse, tuned_only: flips.better, neither: flips.n - flips.worse - flips.better,
        };
        let (low, high) = ends(&evidence.deciding_interval((tail, tail), Some(threshold))).unwrap();
        prop_assert_eq!(evidence.p(Side::Above, threshold).unwrap() <= tail, low >= threshold);
        prop_assert_eq!(evidence.p(Side::Below, threshold).unwrap() <= tail, high <= threshold);
        let (free_low, free_high) = ends(&evidence.deciding_interval((tail, tail), None)).unwrap();
        // The test is not quite monotone in the threshold: the ends may move by about one pair.
        let apart = (free_low - low).abs().max((free_high - high).abs());
        prop_assert!(apart < 1.5 / flips.n as f64 + 2e-4, "{free_low} {low} {free_high} {high}");
        prop_assert!(low <= flips.difference() && flips.difference() <= high);
    }

    #[test]
    fn sample_sizes_are_in_order(design in designs(), threshold in -0.5..0.5_f64) {
        let evidence = design.evidence();
        if let Some(size) = samples_to_settle(&evidence, threshold, 0.05) {
            prop_assert!(size.least >= 1 && size.most.is_none_or(|most| most >= size.least));
        }
        if let Some(distance) = detectable(&evidence, 0.05) {
            prop_assert!(distance >= 0.0 && distance.is_finite());
        }
    }
}

/// Where the flips of either kind pass thirty, where the normal approximation takes over, and between neighbours
/// everywhere else, no result jumps over a worse one.
#[test]
fn nothing_jumps() {
    for n in [4990, 5000, 5001, 5010] {
        let mut before = 0.0;
        for worse in 20..45 {
            let p = Flips { n, worse, better: 10 }.p_above(-0.01);
            assert!(p > before, "{worse} flips of {n}: {p} after {before}");
            before = p;
        }
    }
    let p = |n| Flips { n, worse: n / 100, better: n / 200 }.p_above(-0.01);
    assert!((p(5000) / p(5001) - 1.0).abs() < 0.02, "{} {}", p(5000), p(5001));
}
