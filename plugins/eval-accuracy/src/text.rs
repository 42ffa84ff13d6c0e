//! Comparing texts: exactly, in SQuAD's normal form, and by SQuAD's token F1.

use std::collections::BTreeMap;

/// Equal but for white space at the ends.
pub fn exact(answer: &str, reference: &str) -> bool {
    answer.trim() == reference.trim()
}

/// Equal in normal form.
pub fn normalised(answer: &str, reference: &str) -> bool {
    normal_words(answer) == normal_words(reference)
}

/// The harmonic mean of precision and recall over the words of the normal forms, each counted as often as it occurs; between
/// 0 and 1. Two texts without words agree (1), one without words agrees with nothing (0). As in SQuAD 2.0's
/// `evaluate-v2.0.py` (Rajpurkar, Jia, Liang, 2018).
pub fn token_f1(answer: &str, reference: &str) -> f64 {
    let (given, wanted) = (normal_words(answer), normal_words(reference));
    if given.is_empty() || wanted.is_empty() {
        return f64::from(u8::from(given == wanted));
    }
    let shared = shared_words(&given, &wanted) as f64;
    2.0 * shared / (given.len() + wanted.len()) as f64
}

/// SQuAD's normal form as a list of words: lower case, without ASCII punctuation, without `a`, `an`, `the`.
fn normal_words(text: &str) -> Vec<String> {
    let kept: String = text.to_lowercase().chars().filter(|character| !character.is_ascii_punctuation()).collect();
    kept.split_whitespace().filter(|word| !matches!(*word, "a" | "an" | "the")).map(str::to_owned).collect()
}

fn shared_words(given: &[String], wanted: &[String]) -> usize {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for word in wanted {
        *left.entry(word).or_default() += 1;
    }
    let mut take = |word: &&String| match left.get_mut(word.as_str()) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    };
    given.iter().filter(|word| take(word)).count()
}
