//! Comparing texts: exactly, in SQuAD's normal form, and by SQuAD's token F1.

use std::collections::BTreeMap;

/// Equal but for white space at the ends.
pub fn exact(answer: &str, reference: &str) -> bool {
    answer.trim() == reference.trim()
}

/// Equal in normal form. A text of which the normal form leaves nothing keeps its articles (`A`, `The`) or, if it has no
/// letter, its punctuation (`?`): nothing is not the right answer to it.
pub fn normalised(answer: &str, reference: &str) -> bool {
    words(answer) == words(reference)
}

/// The harmonic mean of precision and recall over the words of the normal forms, each counted as often as it occurs; between
/// 0 and 1. Two texts without words agree (1), one without words agrees with nothing (0). As in SQuAD 2.0's
/// `evaluate-v2.0.py` (Rajpurkar, Jia, Liang, 2018), but for texts of which the normal form leaves nothing: see [`normalised`].
pub fn token_f1(answer: &str, reference: &str) -> f64 {
    let (given, wanted) = (words(answer), words(reference));
    if given.is_empty() || wanted.is_empty() {
        return f64::from(u8::from(given == wanted));
    }
    let shared = shared_words(&given, &wanted) as f64;
    2.0 * shared / (given.len() + wanted.len()) as f64
}

/// The words of the normal form; where it has none, those with their articles; where there are none either, the text's own.
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let split = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let forms = [normal_words(text), split(&without_punctuation(&lower)), split(&lower)];
    forms.into_iter().find(|words| !words.is_empty()).unwrap_or_default()
}

fn without_punctuation(text: &str) -> String {
    text.chars().filter(|character| !character.is_ascii_punctuation()).collect()
}

/// SQuAD's normal form as a list of words: lower case, without ASCII punctuation, without `a`, `an`, `the`, which end where
/// letters, digits and underscores do (`the—end` is `—end`).
pub fn normal_words(text: &str) -> Vec<String> {
    let kept = without_punctuation(&text.to_lowercase());
    let mut without = String::with_capacity(kept.len());
    let mut rest = kept.as_str();
    while !rest.is_empty() {
        let inside = is_word(rest.chars().next().unwrap_or(' '));
        let end = rest.find(|character| is_word(character) != inside).unwrap_or(rest.len());
        let piece = &rest[..end];
        without.push_str(if matches!(piece, "a" | "an" | "the") { " " } else { piece });
        rest = &rest[end..];
    }
    without.split_whitespace().map(str::to_owned).collect()
}

/// What Python's `re` takes for a letter of a word.
fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
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
