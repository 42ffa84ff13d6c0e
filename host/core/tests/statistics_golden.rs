//! Statistics against scipy and statsmodels; `tests/oracles/scipy_statistics.py` makes the golden values.
#![allow(clippy::unwrap_used)]

use diapason_core::stats::distribution::{binomial_cdf, normal_cdf, normal_quantile, t_cdf, t_quantile};
use diapason_core::stats::mean::Moments;
use diapason_core::stats::proportion::{Pairs, clopper_pearson, newcombe, wilson};
use diapason_core::stats::{Evidence, Interval, bootstrap, holm, mcnemar, shown};
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
fn exact_mcnemar() {
    for row in rows(&GOLDEN["mcnemar"]) {
        let (worse, better) = (row[0] as usize, row[1] as usize);
        close(mcnemar::two_sided(worse, better), row[2], 1e-11);
        close(mcnemar::better(worse, better), row[3], 1e-11);
    }
}

#[test]
fn newcombe_method_10() {
    for row in rows(&GOLDEN["newcombe"]) {
        let pairs = Pairs { both: row[0], base_only: row[1], tuned_only: row[2], neither: row[3] };
        let (low, high) = newcombe(&pairs, 0.025);
        close(low, row[4], 1e-9);
        close(high, row[5], 1e-9);
    }
    // Newcombe's own table III gives 0.0569 to 0.3404 for the first; his difference is base − tuned.
    let (low, high) = newcombe(&Pairs { both: 36.0, base_only: 12.0, tuned_only: 2.0, neither: 0.0 }, 0.025);
    assert_eq!((format!("{:.4}", -high), format!("{:.4}", -low)), ("0.0569".into(), "0.3404".into()));
}

#[test]
fn paired_t_and_equivalence() {
    let golden = &GOLDEN["means"];
    let moments = Moments::of(&numbers(&golden["difference"])).unwrap();
    close(moments.p_of_zero().unwrap(), golden["paired_t"]["p"].as_f64().unwrap(), 1e-9);
    let (low, high) = moments.interval(0.025);
    let expected = numbers(&golden["paired_t"]["interval"]);
    close(low, expected[0], 1e-9);
    close(high, expected[1], 1e-9);
    let evidence = Evidence::of_differences(&numbers(&golden["difference"]), None, Some((0.0, 1.0)));
    for row in rows(&golden["tost"]) {
        close(shown::within(&evidence, -row[0], row[0]).unwrap(), row[1], 1e-8);
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
fn clustered_standard_error() {
    let golden = &GOLDEN["clusters"];
    let groups = numbers(&golden["groups"]);
    let mut clusters: Vec<Vec<f64>> = vec![Vec::new(); 12];
    for (value, group) in numbers(&golden["values"]).into_iter().zip(groups) {
        clusters[group as usize].push(value);
    }
    let moments = Moments::of_clusters(&clusters).unwrap();
    close(moments.standard_error, golden["standard_error"].as_f64().unwrap(), 1e-10);
    close(moments.p_of_zero().unwrap(), golden["p"].as_f64().unwrap(), 1e-9);
    let (low, high) = moments.interval(0.025);
    let expected = numbers(&golden["interval"]);
    close(low, expected[0], 1e-9);
    close(high, expected[1], 1e-9);
}

#[test]
fn holm_correction() {
    let p = numbers(&GOLDEN["holm"]["p"]);
    for (actual, expected) in holm::adjusted(&p).into_iter().zip(numbers(&GOLDEN["holm"]["adjusted"])) {
        close(actual, expected, 1e-12);
    }
}
