//! The conversation with words of our own in place of the assistant's, to see what a template puts around them.

use crate::turns::{REASONING, Turn, is_answer};
use serde_json::Value;

/// Words that stand for those of each of the assistant's turns, and that a text does not have.
pub(crate) struct StandIn {
    salt: usize,
}

impl StandIn {
    /// Words that `text` does not have.
    pub(crate) fn absent_from(text: &str) -> Self {
        let salt = (0..).find(|salt| !text.contains(&prefix(*salt))).unwrap_or_default();
        Self { salt }
    }

    /// The turns with every text of the assistant's replaced. What is empty stays empty: templates ask for that.
    pub(crate) fn turns(&self, turns: &[Turn]) -> Vec<Turn> {
        let replaced = |(index, turn): (usize, &Turn)| match is_answer(turn) {
            true => self.replaced(turn, index),
            false => turn.clone(),
        };
        turns.iter().enumerate().map(replaced).collect()
    }

    fn replaced(&self, turn: &Turn, index: usize) -> Turn {
        let mut turn = turn.clone();
        if let Some(content) = turn.get_mut("content") {
            self.replace(content, index, "c");
        }
        for name in REASONING {
            if let Some(reasoning) = turn.get_mut(name) {
                self.replace(reasoning, index, "r");
            }
        }
        turn
    }

    fn replace(&self, value: &mut Value, index: usize, kind: &str) {
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

    /// What the words for a turn begin with.
    pub(crate) fn word(&self, index: usize) -> String {
        format!("{}{index}x", prefix(self.salt))
    }
}

fn prefix(salt: usize) -> String {
    format!("Q7Z{salt}K")
}
