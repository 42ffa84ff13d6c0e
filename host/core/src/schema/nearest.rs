//! The nearest known word: what a misspelt key probably meant.

/// The candidate most similar to `word` (Jaro–Winkler at least 0.7, or one contains the other), if there is one.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (likeness(&word, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// A hint for an unknown word: the nearest candidate, else all of them.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    match nearest(word, candidates.iter().copied()) {
        Some(best) => format!("did you mean `{best}`?"),
        None if candidates.is_empty() => "nothing is accepted here".into(),
        None => format!("known: {}", candidates.join(", ")),
    }
}

fn likeness(a: &str, b: &str) -> f64 {
    let shorter = a.len().min(b.len());
    let contained = shorter >= 3 && (a.contains(b) || b.contains(a));
    strsim::jaro_winkler(a, b).max(if contained { 0.8 } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let keys = ["rank", "alpha", "learning_rate", "target_modules"];
        assert_eq!(nearest("rnak", keys), Some("rank"));
        assert_eq!(nearest("r", keys), Some("rank"));
        assert_eq!(nearest("lr", keys), Some("learning_rate"));
        assert_eq!(nearest("learningRate", keys), Some("learning_rate"));
        assert_eq!(nearest("rate", keys), Some("learning_rate"));
        assert_eq!(did_you_mean("zzz", ["a", "b"]), "known: a, b");
    }
}
