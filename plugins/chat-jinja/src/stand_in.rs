//! The conversation with words of our own in place of the assistant's, to see what a template puts around them.

use crate::turns::{REASONING, Turn, calls, is_answer, text};
use serde_json::Value;
use std::ops::Range;

/// Words that stand for those of each of the assistant's turns, and that a text does not have. They are of digits, as
/// templates change letters: what precedes them all, six for the turn, and one for its content or its reasoning.
pub(crate) struct StandIn {
    salt: usize,
}

/// The digits of a turn's number.
const INDEX: usize = 6;
/// The last digit of a word.
const CONTENT: char = '1';
const THOUGHT: char = '2';

/// A word in a text.
pub(crate) struct Word {
    pub(crate) index: usize,
    pub(crate) is_reasoning: bool,
    pub(crate) place: Range<usize>,
}

impl StandIn {
    /// Words that `text` does not have.
    pub(crate) fn absent_from(text: &str) -> Self {
        let salt = (0..).find(|salt| !text.contains(&prefix(*salt))).unwrap_or_default();
        Self { salt }
    }

    /// The turns with every text of the assistant's replaced. What is empty stays empty, as templates ask for that; but a
    /// turn that only calls gets a text where `calls_speak`, to show what stands before it.
    pub(crate) fn turns(&self, turns: &[Turn], calls_speak: bool) -> Vec<Turn> {
        let replaced = |(index, turn): (usize, &Turn)| match is_answer(turn) {
            true => self.replaced(turn, index, calls_speak && calls(turn).next().is_some()),
            false => turn.clone(),
        };
        turns.iter().enumerate().map(replaced).collect()
    }

    fn replaced(&self, turn: &Turn, index: usize, speaks: bool) -> Turn {
        let mut turn = turn.clone();
        if speaks
            && text(&turn, "content").unwrap_or_default().is_empty()
            && !turn.get("content").is_some_and(Value::is_array)
        {
            turn.insert("content".into(), "text".into());
        }
        if let Some(content) = turn.get_mut("content") {
            self.replace(content, index, CONTENT);
        }
        for name in REASONING {
            if let Some(reasoning) = turn.get_mut(name) {
                self.replace(reasoning, index, THOUGHT);
            }
        }
        turn
    }

    fn replace(&self, value: &mut Value, index: usize, kind: char) {
        match value {
            Value::String(text) if !text.is_empty() => *text = format!("{}{kind}", self.word(index)),
            Value::Array(parts) => {
                parts
                    .iter_mut()
                    .filter_map(|part| part.get_mut("text"))
                    .for_each(|part| self.replace(part, index, kind));
            }
            _ => {}
        }
    }

    /// Where words stand in a text, first to last.
    pub(crate) fn find(&self, text: &str) -> Vec<Word> {
        let prefix = prefix(self.salt);
        let word = |(start, _): (usize, &str)| {
            let kind = start + prefix.len() + INDEX;
            let index = text.get(start + prefix.len()..kind)?.parse().ok()?;
            let is_reasoning = text[kind..].starts_with(THOUGHT);
            Some(Word { index, is_reasoning, place: start..kind + CONTENT.len_utf8() })
        };
        text.match_indices(&prefix).filter_map(word).collect()
    }

    /// What the words for a turn begin with.
    pub(crate) fn word(&self, index: usize) -> String {
        format!("{}{index:0INDEX$}", prefix(self.salt))
    }
}

fn prefix(salt: usize) -> String {
    format!("9073{salt:03}")
}
