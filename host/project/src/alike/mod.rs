//! Which rows are the same or nearly the same. The measures are those of the validators: `validate-leakage`'s normal form of
//! prompts and `validate-duplicates`' Jaccard similarity, here of every pair and exact.

mod groups;

pub use groups::groups;

use diapason_core::sample::{Message, Sample};
use diapason_rows::{Exchange, Turn, normalise, words};
use std::collections::HashSet;

/// From this Jaccard similarity on rows are near-duplicates.
const SIMILARITY: f64 = 0.7;

/// Words in a shingle; shorter texts are compared exactly only.
const SHINGLE: usize = 5;

/// What is asked and answered, as rows are compared.
pub(crate) struct Said {
    /// The prompt's normal form.
    prompt: String,
    /// The words of prompt and answer.
    words: Vec<String>,
}

impl Said {
    /// What a sample asks, and the answer that is expected.
    pub(crate) fn by(sample: &Sample) -> Self {
        let answer = sample.answer.as_ref().map(said).or_else(|| sample.reference.clone());
        Self::of(&sample.messages, answer)
    }

    /// What a conversation asks before each answer in it, with that answer: an example gives all of them away.
    pub(crate) fn in_turn(conversation: &[Message]) -> impl Iterator<Item = Self> {
        let answers = conversation.iter().enumerate().filter(|(_, message)| message.role == "assistant");
        answers.map(|(at, message)| Self::of(&conversation[..at], Some(said(message))))
    }

    fn of(messages: &[Message], answer: Option<String>) -> Self {
        let exchange = Exchange { prompt: prompt(messages), answer };
        let words = words(&exchange.whole()).into_iter().map(|word| word.text).collect();
        Self { prompt: normalise(&exchange.prompt), words }
    }

    /// Whether the prompts are the same but for case, punctuation and spacing, or the whole is nearly the same.
    pub(crate) fn is_near(&self, other: &Self) -> bool {
        let same_prompt = !self.prompt.is_empty() && self.prompt == other.prompt;
        same_prompt || similarity(&self.words, &other.words) >= SIMILARITY
    }
}

/// What a conversation asks: all turns but system messages, with their calls.
pub(crate) fn prompt(messages: &[Message]) -> String {
    let asked = messages.iter().filter(|message| !matches!(message.role.as_str(), "system" | "developer"));
    asked.map(said).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
}

/// A turn's text and its calls.
fn said(message: &Message) -> String {
    let turn = turn(message);
    let calls = turn.calls().map(|_| turn.answer());
    [Some(turn.text().to_owned()), calls]
        .into_iter()
        .flatten()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

/// A message as the reader of rows has it.
pub(crate) fn turn(message: &Message) -> Turn {
    let content = (!message.no_content).then(|| message.content.clone());
    Turn { role: message.role.clone(), content, extra: message.extra.clone(), at: String::new() }
}

/// The Jaccard similarity of the words' shingles: shared ones over all.
fn similarity(one: &[String], other: &[String]) -> f64 {
    if one.len() < SHINGLE || other.len() < SHINGLE {
        return f64::from(u8::from(one == other));
    }
    let (one, other): (HashSet<_>, HashSet<_>) = (one.windows(SHINGLE).collect(), other.windows(SHINGLE).collect());
    let shared = one.intersection(&other).count();
    shared as f64 / (one.len() + other.len() - shared) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Selection, parse};

    fn sample(row: &str) -> Sample {
        parse(row, "t.jsonl", &Selection::default()).expect("a row").swap_remove(0)
    }

    #[test]
    fn samples_say_what_the_validators_compare() {
        for row in [
            r#"{"instruction": "Add.", "input": "1 1", "output": "2"}"#,
            r#"{"prompt": "Add.", "reference": ["2", "two"]}"#,
            r#"{"prompt": "Add."}"#,
            r#"{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}, {"role": "user", "content": "Add."}, {"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": "{\"a\": 1}"}}]}]}"#,
        ] {
            let exchange = Exchange::read(row).expect("a row");
            let said = Said::by(&sample(row));
            assert_eq!(said.prompt, normalise(&exchange.prompt), "{row}");
            assert_eq!(said.words.join(" "), normalise(&exchange.whole()), "{row}");
        }
    }

    #[test]
    fn similarity_is_jaccards() {
        let words = |text: &str| words(text).into_iter().map(|word| word.text).collect::<Vec<_>>();
        // Of 6 and 6 shingles 5 are shared, of 7 in all; of 5 and 5 then 4, of 6 in all.
        let (one, other) = (words("a b c d e f g h i j"), words("a b c d e f g h i k"));
        assert_eq!(similarity(&one, &other), 5.0 / 7.0);
        assert_eq!(similarity(&one[1..], &other[1..]), 4.0 / 6.0);
        assert_eq!(similarity(&words("a b c d"), &words("A, b: c d!")), 1.0);
        assert_eq!(similarity(&words("a b c d"), &words("a b c d e")), 0.0);
    }
}
