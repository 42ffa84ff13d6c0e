//! Checks against golden values that `tests/oracles/evaluators.py` computed on its own.

#![allow(clippy::unwrap_used)]

use crate::number::{Convention, DecimalSign, Tolerance};
use crate::{extract::Extraction, passes, text};
use serde_json::Value;

fn golden(name: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("golden.json")).unwrap();
    all[name].as_array().unwrap().clone()
}

#[test]
fn token_f1_and_normal_form() {
    for case in golden("f1") {
        let (answer, reference) = (case[0].as_str().unwrap(), case[1].as_str().unwrap());
        let found = text::token_f1(answer, reference);
        assert!((found - case[2].as_f64().unwrap()).abs() < 1e-12, "{case}: {found}");
        assert_eq!(text::normalised(answer, reference), case[3].as_bool().unwrap(), "{case}");
    }
}

#[test]
fn pass_at_k() {
    for case in golden("pass") {
        let count = |index: usize| u32::try_from(case[index].as_u64().unwrap()).unwrap();
        let found = passes::at_least_one(count(0), count(1), count(2));
        assert!((found - case[3].as_f64().unwrap()).abs() < 1e-12, "{case}: {found}");
    }
}

#[test]
fn extraction() {
    let tolerance = Tolerance { relative: Some(0.0), absolute: 0.0 };
    let convention = Convention { decimal_sign: DecimalSign::Point };
    let patterns =
        Extraction::new(r"#### (-?[0-9.,]+)", r"(-?[$0-9.,]{2,})|(-?[0-9]+)", tolerance, convention).unwrap();
    for case in golden("extract") {
        let response = case[0].as_str().unwrap();
        assert_eq!(patterns.strictly(response), case[1].as_str(), "{case}");
        assert_eq!(patterns.flexibly(response), case[2].as_str(), "{case}");
    }
}
