//! What a row asks and what it answers, whatever its shape.

use crate::Shape;
use serde_json::{Map, Value};

/// A row's prompt and answer as plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Everything before the answer except system turns, joined by line feeds. A system prompt is left out because
    /// all rows tend to share it: it would make every two rows alike.
    pub prompt: String,
    /// The last assistant turn or the completion.
    pub answer: Option<String>,
}

impl Exchange {
    /// Reads a row of any of the four shapes; `None` if it has none or is not JSON (that is for `validate-shape` to say).
    /// Test rows may carry their answer as `reference` instead.
    pub fn read(text: &str) -> Option<Self> {
        let Ok(Value::Object(row)) = serde_json::from_str(text.trim_start_matches('\u{feff}')) else { return None };
        let shape = Shape::of(&row)?;
        let exchange = match (shape, shape.turns()) {
            (_, Some(keys)) => from_turns(&row, keys)?,
            (Shape::Alpaca, _) => Self::new(joined(&row, &["instruction", "input"]), text_of(&row, "output")),
            _ => Self::new(joined(&row, &["prompt"]), text_of(&row, "completion")),
        };
        Some(Self { answer: exchange.answer.or_else(|| text_of(&row, "reference")), ..exchange })
    }

    /// Prompt and answer as one text.
    pub fn whole(&self) -> String {
        match &self.answer {
            Some(answer) => format!("{}\n{answer}", self.prompt),
            None => self.prompt.clone(),
        }
    }

    fn new(prompt: String, answer: Option<String>) -> Self {
        Self { prompt, answer }
    }
}

fn from_turns(row: &Map<String, Value>, (list, role, content): (&str, &str, &str)) -> Option<Exchange> {
    let turns = row.get(list)?.as_array()?;
    let mut turns: Vec<(&str, String)> = turns.iter().filter_map(|turn| read_turn(turn, role, content)).collect();
    let answered = turns.last().is_some_and(|(role, _)| matches!(*role, "assistant" | "gpt"));
    let answer = if answered { turns.pop().map(|(_, text)| text) } else { None };
    let asked = turns.into_iter().filter(|(role, _)| *role != "system").map(|(_, text)| text);
    Some(Exchange::new(asked.collect::<Vec<_>>().join("\n"), answer))
}

fn read_turn<'a>(turn: &'a Value, role: &str, content: &str) -> Option<(&'a str, String)> {
    Some((turn.get(role)?.as_str()?, turn.get(content)?.as_str()?.to_owned()))
}

fn text_of(row: &Map<String, Value>, key: &str) -> Option<String> {
    row.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn joined(row: &Map<String, Value>, keys: &[&str]) -> String {
    keys.iter().filter_map(|key| text_of(row, key)).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_exchange_in_every_shape() {
        let expected = Exchange::new("Add.\n1 1".to_owned(), Some("2".to_owned()));
        for row in [
            r#"{"instruction": "Add.", "input": "1 1", "output": "2"}"#,
            r#"{"prompt": "Add.\n1 1", "completion": "2"}"#,
            r#"{"prompt": "Add.\n1 1", "reference": "2"}"#,
            r#"{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "Add.\n1 1"},
                {"role": "assistant", "content": "2"}]}"#,
            r#"{"conversations": [{"from": "human", "value": "Add.\n1 1"}, {"from": "gpt", "value": "2"}]}"#,
        ] {
            assert_eq!(Exchange::read(row), Some(expected.clone()), "{row}");
        }
    }

    #[test]
    fn no_answer_is_not_an_empty_answer() {
        let row = r#"{"messages": [{"role": "user", "content": "Hi"}]}"#;
        assert_eq!(Exchange::read(row), Some(Exchange::new("Hi".to_owned(), None)));
        assert_eq!(Exchange::read("{"), None);
        assert_eq!(Exchange::read(r#"{"text": "x"}"#), None);
    }
}
