//! Which part of a text is the answer.

use super::clean::boxed;

/// Marks that an answer follows, in lower case.
const MARKS: [&str; 7] = ["####", "answer is", "answer:", "answer =", "result is", "result:", "equals"];

/// English number words that make an answer without digits a number after all.
const WORDS: [&str; 30] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
    "hundred",
    "thousand",
];

/// The part of a text that says its number: what is boxed, what follows the last mark of an answer, or the last sentence
/// with a digit. `None` without digits.
pub fn concluding(text: &str) -> Option<&str> {
    let part = boxed(text).or_else(|| after_mark(text)).unwrap_or(text);
    sentences(part).into_iter().rfind(|sentence| has_digit(sentence))
}

/// What follows the last mark on its line, if there is a digit in it.
fn after_mark(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    let places = MARKS.iter().filter_map(|mark| lower.rfind(mark).map(|at| at + mark.len()));
    let start = places.max()?;
    let rest = text[start..].trim_start();
    let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
    sentences(line).into_iter().find(|sentence| has_digit(sentence))
}

fn has_digit(text: &str) -> bool {
    text.contains(|character: char| character.is_ascii_digit())
}

/// Sentences and lines. A point between digits ends none.
fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, character) in text.char_indices() {
        let next = text[at + character.len_utf8()..].chars().next();
        let blank = next.is_none_or(char::is_whitespace);
        let ends = match character {
            '\n' | ';' | '。' => true,
            '.' | '!' | '?' => blank && !is_abbreviation(&text[start..at]),
            _ => false,
        };
        if ends {
            found.push(&text[start..at]);
            start = at + character.len_utf8();
        }
    }
    found.push(&text[start..]);
    found
}

/// Whether the text ends with an abbreviation that a number follows: `approx.`, `No.`, `a.m.`
fn is_abbreviation(text: &str) -> bool {
    let word = text.rsplit(char::is_whitespace).next().unwrap_or_default().to_ascii_lowercase();
    ["approx", "ca", "no", "vs", "rs", "p", "a"].contains(&word.as_str())
}

/// The right side of an equation, or all of a text without one. An error where there are several equations, or one that is not
/// solved: `2x = 42`.
pub fn right_side(sentence: &str) -> Result<&str, String> {
    let equals = |c: char| matches!(c, '=' | '≈');
    let Some(last) = sentence.rfind(equals) else { return Ok(sentence) };
    let first = sentence.find(equals).unwrap_or(last);
    let between = sentence[first..last].to_ascii_lowercase();
    let several = between.contains([',', ';']) || between.split_whitespace().any(|word| matches!(word, "and" | "or"));
    if several {
        return Err(format!("several equations in `{}`", sentence.trim()));
    }
    let mut left = sentence[..first].trim_end().chars().rev();
    if left.next().is_some_and(|c| "xyzn".contains(c)) && left.next().is_some_and(|c| c.is_ascii_digit()) {
        return Err(format!("an equation that is not solved: `{}`", sentence.trim()));
    }
    let sign = sentence[last..].chars().next().map_or(0, char::len_utf8);
    Ok(&sentence[last + sign..])
}

/// A number word of a text.
pub fn number_word(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).collect();
    words.iter().find(|word| WORDS.contains(word) && **word != "one").map(|word| (*word).to_owned())
}
