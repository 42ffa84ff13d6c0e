//! Multiple choice: the answer that the model finds likeliest.

use diapason_plugin::{Likelihood, Sample};

/// The index of the right choice: the one that the reference spells out, or else names by its letter.
pub fn expected(sample: &Sample, reference: &str) -> Option<usize> {
    let reference = reference.trim();
    let spelt = sample.choices.iter().position(|choice| choice.trim() == reference);
    spelt.or_else(|| letter(reference)).filter(|index| *index < sample.choices.len())
}

/// The index of the likeliest choice after dividing each logarithm by `length`; the first of equals.
pub fn likeliest(likelihoods: &[Likelihood], length: impl Fn(&Likelihood) -> f64) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (index, likelihood) in likelihoods.iter().enumerate() {
        let score = likelihood.logprob / length(likelihood).max(1.0);
        if best.is_none_or(|(_, highest)| score > highest) {
            best = Some((index, score));
        }
    }
    best.map(|(index, _)| index)
}

fn letter(reference: &str) -> Option<usize> {
    match reference.trim_matches(['(', ')', '.', ':']).as_bytes() {
        [letter] if letter.is_ascii_alphabetic() => Some(usize::from(letter.to_ascii_uppercase() - b'A')),
        _ => None,
    }
}
