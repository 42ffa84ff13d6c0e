//! Multiple choice: the answer that the model finds likeliest.

use crate::settings::Metric;
use diapason_plugin::Likelihood;

/// The place of the likeliest choice, the first of equals. Lengths are those of the choice without what stands before it.
pub fn likeliest(metric: Metric, choices: &[String], likelihoods: &[Likelihood]) -> Option<usize> {
    let length = |choice: &String| match metric {
        Metric::AccNorm => choice.chars().count() as f64,
        Metric::AccBytes => choice.len() as f64,
        _ => 1.0,
    };
    let mut best: Option<(usize, f64)> = None;
    for (place, (choice, likelihood)) in choices.iter().zip(likelihoods).enumerate() {
        let score = likelihood.logprob / length(choice);
        if best.is_none_or(|(_, highest)| score > highest) {
            best = Some((place, score));
        }
    }
    best.map(|(place, _)| place)
}
