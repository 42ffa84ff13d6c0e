//! Statistics against scipy and statsmodels; `tests/oracles/scipy_statistics.py` makes the golden values.
#![allow(clippy::unwrap_used)]

use diapason_core::stats::bounded::Atoms;
use diapason_core::stats::distribution::{binomial_cdf, normal_cdf, normal_quantile, t_cdf, t_quantile};
use diapason_core::stats::mean::Moments;
use diapason_core::stats::paired::Flips;
use diapason_core::stats::proportion::{clopper_pearson, p_above, p_below, wilson};
use diapason_core::stats::{Interval, Side, bootstrap, holm};
use serde_json::Value;
use std::sync::LazyLock;

static GOLDEN: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("golden/statistics.json")).unwrap());

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(numbers).collect()
}

#[track_caller]
fn close(actual: f64, expected: f64, relative: f64) {
    let error = (actual - expected).abs();
    assert!(error <= relative * expected.abs() + 1e-14, "{actual} is not {expected} (off by {error:e})");
}

#[test]
fn distributions() {
    let golden = &GOLDEN["distributions"];
    for row in rows(&golden["normal_quantile"]) {
        close(normal_quantile(row[0]), row[1], 1e-12);
    }
    for row in rows(&golden["normal_cdf"]) {
        close(normal_cdf(row[0]), row[1], 1e-12);
    }
    for row in rows(&golden["t_quantile"]) {
        close(t_quantile(row[0], row[1]), row[2], 1e-9);
    }
    for row in rows(&golden["t_cdf"]) {
        close(t_cdf(row[0], row[1]), row[2], 1e-10);
    }
    for row in rows(&golden["binomial_cdf"]) {
        close(binomial_cdf(row[0] as usize, row[1] as usize, row[2]), row[3], 1e-8);
    }
}

#[test]
fn proportions() {
    for row in GOLDEN["proportions"].as_array().unwrap() {
        let (ones, n) = (row[0].as_f64().unwrap(), row[1].as_f64().unwrap());
        let tail = (1.0 - row[2].as_f64().unwrap()) / 2.0;
        for (actual, expected) in [(wilson(ones, n, tail), &row[3]), (clopper_pearson(ones, n, tail), &row[4])] {
            close(actual.0, expected[0].as_f64().unwrap(), 1e-9);
            close(actual.1, expected[1].as_f64().unwrap(), 1e-9);
        }
    }
}

#[test]
fn exact_p_values_of_a_rate() {
    for (ones, n, rate) in [(18, 20, 0.75), (0, 20, 0.1), (20, 20, 0.9), (450, 1000, 0.47)] {
        close(p_below(f64::from(ones), f64::from(n), rate), binomial_cdf(ones as usize, n as usize, rate), 1e-10);
        if ones > 0 {
            let more = 1.0 - binomial_cdf(ones as usize - 1, n as usize, rate);
            close(p_above(f64::from(ones), f64::from(n), rate), more, 1e-10);
        }
    }
}

/// Every outcome was enumerated, and 20,001 nuisance parameters were tried, for the expected values.
#[test]
fn the_exact_test_of_paired_rates() {
    for row in rows(&GOLDEN["paired_exact"]) {
        let (n, worse, better) = (row[0] as usize, row[1] as usize, row[2] as usize);
        close(Flips { n, worse, better }.p_above(row[3]), row[4], 2e-4);
        close(Flips { n, worse: better, better: worse }.p_below(-row[3]), row[4], 2e-4);
    }
}

#[test]
fn gaffkes_bound() {
    for row in GOLDEN["gaffke"].as_array().unwrap() {
        let (values, least) = (numbers(&row[0]), row[1].as_f64().unwrap());
        let (threshold, expected) = (row[2].as_f64().unwrap(), row[3].as_f64().unwrap());
        close(Atoms::of(&values).p_above(threshold, least, 1.0), expected, 1e-9);
        let negated: Vec<f64> = values.iter().map(|value| -value).collect();
        close(Atoms::of(&negated).p_below(-threshold, -least, 1.0), expected, 1e-9);
    }
}

/// Against whole matrices, and against the matrix square roots that the closed form does without.
#[test]
fn cr2_with_satterthwaites_degrees_of_freedom() {
    for row in GOLDEN["cr2"].as_array().unwrap() {
        let clusters = rows(&row[0]);
        let moments = Moments::of_clusters(&clusters).unwrap();
        close(moments.standard_error, row[1].as_f64().unwrap(), 1e-10);
        let degrees = numbers(&row[2]);
        close(moments.degrees, degrees[0].min(degrees[1]).max(1.0), 1e-9);
    }
}

#[test]
fn paired_t_and_equivalence() {
    let golden = &GOLDEN["means"];
    let moments = Moments::of(&numbers(&golden["difference"])).unwrap();
    let two_sided = 2.0 * moments.p(Side::Above, 0.0).unwrap().min(moments.p(Side::Below, 0.0).unwrap());
    close(two_sided, golden["paired_t"]["p"].as_f64().unwrap(), 1e-9);
    let (low, high) = moments.interval(0.025);
    let expected = numbers(&golden["paired_t"]["interval"]);
    close(low, expected[0], 1e-9);
    close(high, expected[1], 1e-9);
    for row in rows(&golden["tost"]) {
        let p = moments.p(Side::Above, -row[0]).unwrap().max(moments.p(Side::Below, row[0]).unwrap());
        close(p, row[1], 1e-8);
    }
}

#[test]
fn bootstrap_agrees_with_scipy_within_resampling_noise() {
    let golden = &GOLDEN["means"];
    for (values, ends) in [("difference", "bca"), ("skewed", "skewed_bca")] {
        let (values, ends) = (numbers(&golden[values]), numbers(&golden[ends]));
        let Interval::Known { low, high, .. } = bootstrap::bca(&values, 0.95, 20_000, 1) else {
            panic!("an interval was expected")
        };
        let noise = 0.02 * (ends[1] - ends[0]);
        assert!((low - ends[0]).abs() < noise && (high - ends[1]).abs() < noise, "{low} to {high}, scipy {ends:?}");
        assert_eq!(bootstrap::bca(&values, 0.95, 500, 9), bootstrap::bca(&values, 0.95, 500, 9));
        assert_ne!(bootstrap::bca(&values, 0.95, 500, 9), bootstrap::bca(&values, 0.95, 500, 8));
    }
}

#[test]
fn holm_correction() {
    let p = numbers(&GOLDEN["holm"]["p"]);
    for (actual, expected) in holm::adjusted(&p).into_iter().zip(numbers(&GOLDEN["holm"]["adjusted"])) {
        close(actual, expected, 1e-12);
    }
}
