//! The chance that at least one of k completions is right.

/// The unbiased estimate of pass@k from `right` right completions of `drawn`: 1 − C(drawn − right, k) / C(drawn, k), as a product that
/// cannot overflow. Between 0 and 1. Chen et al., "Evaluating Large Language Models Trained on Code", 2021, equation 1.
pub fn at_least_one(drawn: u32, right: u32, k: u32) -> f64 {
    let wrong = drawn - right;
    if wrong < k {
        return 1.0;
    }
    let none = (wrong + 1..=drawn).map(|count| 1.0 - f64::from(k) / f64::from(count)).product::<f64>();
    1.0 - none
}
