//! What an answer says that its context does not.

use crate::words::{Word, key, words};
use std::collections::BTreeSet;

/// The context, prepared for look-ups.
pub struct Context {
    words: BTreeSet<String>,
    numbers: BTreeSet<String>,
    /// In one case, single spaces, straight quotes.
    text: String,
}

impl Context {
    /// Prepares a context.
    pub fn new(text: &str) -> Self {
        let keys = words(text).into_iter().flat_map(|word| parts(word.text));
        Self {
            words: keys.collect(),
            numbers: numbers(text).into_iter().flat_map(|(readings, _)| readings).collect(),
            text: flat(text),
        }
    }

    /// Numbers of the answer that are not in the context, as they stand in the answer. Thousands separators do not matter,
    /// number words up to twelve count as numbers on the context's side.
    pub fn unsupported_numbers(&self, answer: &str) -> Vec<String> {
        let known = |number: &String| self.numbers.contains(number) || self.spelt_out(number);
        let unknown = |(readings, _): &(Vec<String>, String)| !readings.iter().any(known);
        numbers(answer).into_iter().filter(unknown).map(|(_, written)| written).collect()
    }

    /// Names of the answer of which some word is not in the context.
    pub fn unsupported_entities(&self, answer: &str) -> Vec<String> {
        let unknown =
            |name: &Vec<&str>| name.iter().flat_map(|word| parts(word)).any(|word| !self.words.contains(&word));
        names(answer).into_iter().filter(unknown).map(|name| name.join(" ")).collect()
    }

    /// Quotations of the answer, of two words or more, that are not in the context word for word.
    pub fn unsupported_quotes(&self, answer: &str) -> Vec<String> {
        let quoted = quotes(answer).into_iter().filter(|quote| words(quote).len() > 1);
        quoted
            .filter(|quote| !self.text.contains(flat(quote).trim_end_matches(['.', ','])))
            .map(str::to_owned)
            .collect()
    }

    fn spelt_out(&self, number: &str) -> bool {
        const WORDS: [&str; 13] =
            ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
        number.parse().ok().and_then(|value: usize| WORDS.get(value)).is_some_and(|word| self.words.contains(*word))
    }
}

/// A word and the parts of a joined one, as keys: a context that says `Anglo-Irish` supports `Irish`.
fn parts(word: &str) -> Vec<String> {
    word.split('-').map(key).collect()
}

/// Each number in its normal forms (no separators, no trailing zeros of a fraction) and as written. `12.000` is read both
/// ways. Groups of three digits may be joined by a space that does not break or by an apostrophe, too.
fn numbers(text: &str) -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|character: char| character.is_ascii_digit()) {
        let tail = &rest[start..];
        let length = numeral_length(tail);
        let written = tail[..length].trim_end_matches(['.', ',']);
        found.push((readings(written), written.to_owned()));
        rest = &tail[length..];
    }
    found
}

/// Bytes of digits, points, commas, and other separators before three digits.
fn numeral_length(text: &str) -> usize {
    let mut end = 0;
    for (at, character) in text.char_indices() {
        let groups = || {
            let digits = text[at + character.len_utf8()..].chars().take_while(char::is_ascii_digit).count();
            digits == 3 && GROUPING.contains(&character)
        };
        if !character.is_ascii_digit() && !matches!(character, ',' | '.') && !groups() {
            break;
        }
        end = at + character.len_utf8();
    }
    end
}

/// Separators of digits beside `,` and `.`: no-break, figure, thin and narrow no-break space, apostrophes.
const GROUPING: [char; 6] = ['\u{a0}', '\u{2007}', '\u{2009}', '\u{202f}', '\'', '’'];

/// The number with a decimal point and, where it may be meant, with a decimal comma.
fn readings(written: &str) -> Vec<String> {
    let plain = written.replace(GROUPING, "");
    let swapped: String = plain
        .chars()
        .map(|c| {
            if c == ',' {
                '.'
            } else if c == '.' {
                ','
            } else {
                c
            }
        })
        .collect();
    let mut readings = vec![normal_number(&plain), normal_number(&swapped)];
    readings.dedup();
    readings
}

fn normal_number(written: &str) -> String {
    let plain = written.replace(',', "");
    if plain.matches('.').count() != 1 {
        return plain.replace('.', "");
    }
    plain.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Runs of capitalised words. A word that is capitalised only because a sentence starts with it does not make a name by itself,
/// unless it is all there is or no ordinary word (see [`is_ordinary`]).
fn names(text: &str) -> Vec<Vec<&str>> {
    let words = words(text);
    let mut names: Vec<Vec<&str>> = Vec::new();
    let mut open = false;
    for word in &words {
        let named = is_name(word);
        match names.last_mut() {
            Some(name) if named && open && word.follows && !word.starts_sentence => name.push(word.text),
            _ if named => names.push(vec![word.text]),
            _ => {}
        }
        open = named;
    }
    names
}

fn is_name(word: &Word<'_>) -> bool {
    word.is_capitalised() && !is_ordinary(&key(word.text))
}

/// Sorted.
const ORDINARY: &[&str] = &[
    "a",
    "about",
    "according",
    "after",
    "all",
    "also",
    "although",
    "an",
    "and",
    "another",
    "answer",
    "any",
    "as",
    "at",
    "based",
    "because",
    "before",
    "being",
    "besides",
    "born",
    "both",
    "but",
    "by",
    "despite",
    "director",
    "due",
    "during",
    "each",
    "either",
    "every",
    "first",
    "for",
    "from",
    "given",
    "he",
    "her",
    "here",
    "his",
    "how",
    "however",
    "i",
    "i'm",
    "if",
    "in",
    "initially",
    "instead",
    "is",
    "it",
    "its",
    "later",
    "many",
    "most",
    "mr",
    "mrs",
    "ms",
    "my",
    "neither",
    "no",
    "none",
    "not",
    "of",
    "on",
    "one",
    "only",
    "or",
    "originally",
    "other",
    "our",
    "she",
    "since",
    "so",
    "some",
    "sorry",
    "that",
    "the",
    "their",
    "then",
    "there",
    "these",
    "they",
    "this",
    "those",
    "though",
    "to",
    "two",
    "unfortunately",
    "unlike",
    "was",
    "we",
    "well",
    "what",
    "when",
    "where",
    "which",
    "while",
    "who",
    "why",
    "with",
    "yes",
    "yet",
    "you",
    "your",
];

/// Words that are often capitalised without being part of a name: they open sentences and answers.
fn is_ordinary(word: &str) -> bool {
    ORDINARY.binary_search(&word).is_ok()
}

/// What stands between double quotes, straight or curly.
fn quotes(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(['"', '“', '„']) {
        let inner = &rest[start..].trim_start_matches(['"', '“', '„']);
        let Some(end) = inner.find(['"', '”', '“']) else { break };
        found.push(&inner[..end]);
        rest = inner[end..].trim_start_matches(['"', '”', '“']);
    }
    found
}

fn flat(text: &str) -> String {
    let text = text.to_lowercase().replace(['“', '”', '„'], "\"").replace('’', "'");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXT: &str = "Arthur's Magazine (1844–1846) was an American periodical. It sold 12,000 copies in three \
        towns and was called “the best of its kind”. Jean-Luc Picard read it.";

    #[test]
    fn numbers_of_the_context_are_supported_however_written() {
        let context = Context::new(CONTEXT);
        assert!(context.unsupported_numbers("12000 copies, 3 towns, 1844.").is_empty());
        assert!(context.unsupported_numbers("12\u{202f}000, 12.000, 12'000 and 12000.0").is_empty());
        assert_eq!(context.unsupported_numbers("In 1847, 12,000.5 and 18."), ["1847", "12,000.5", "18"]);
    }

    #[test]
    fn names_need_all_their_words() {
        let context = Context::new(CONTEXT);
        assert!(context.unsupported_entities("The American Arthur’s Magazine. He read it. Picard").is_empty());
        assert_eq!(context.unsupported_entities("It was Arthur Dent, not Picard."), ["Arthur Dent"]);
        assert_eq!(context.unsupported_entities("Chicago"), ["Chicago"]);
        assert!(context.unsupported_entities("").is_empty());
    }

    #[test]
    fn quotes_word_for_word() {
        let context = Context::new(CONTEXT);
        assert!(context.unsupported_quotes("It is \"The best  of its kind.\" and a \"thing\"").is_empty());
        assert_eq!(context.unsupported_quotes("“the worst of its kind”"), ["the worst of its kind"]);
        assert!(context.unsupported_quotes("an open \"quote").is_empty());
    }

    #[test]
    fn the_word_list_is_sorted() {
        assert!(ORDINARY.is_sorted());
        assert!(is_ordinary("mr") && !is_ordinary("paris"));
    }
}
