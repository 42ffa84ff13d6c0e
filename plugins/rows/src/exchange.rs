//! What a row asks and what it answers, whatever its shape.

use crate::{Reading, read};

/// A row's prompt and answer as plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Everything before the answer except system turns, joined by line feeds. A system prompt is left out because
    /// all rows tend to share it: it would make every two rows alike.
    pub prompt: String,
    /// The last assistant turn or the completion, else the first reference.
    pub answer: Option<String>,
}

impl Exchange {
    /// Reads a row of any of the four shapes; `None` if it cannot be read (that is for `validate-shape` to say).
    pub fn read(text: &str) -> Option<Self> {
        read(text).ok().map(|row| Self::of(&row))
    }

    /// Prompt and answer of a row.
    pub fn of(row: &Reading) -> Self {
        let said = |turn: &crate::Turn| {
            let calls = turn.calls().map(|_| turn.answer());
            [Some(turn.text().to_owned()), calls]
                .into_iter()
                .flatten()
                .filter(|text| !text.is_empty())
                .collect::<Vec<_>>()
        };
        let asked = row.messages.iter().filter(|turn| !matches!(turn.role.as_str(), "system" | "developer"));
        let prompt = asked.flat_map(said).collect::<Vec<_>>().join("\n");
        let answer = row.answer.as_ref().map(|turn| said(turn).join("\n"));
        Self { prompt, answer: answer.or_else(|| row.references.first().cloned()) }
    }

    /// Prompt and answer as one text.
    pub fn whole(&self) -> String {
        match &self.answer {
            Some(answer) => format!("{}\n{answer}", self.prompt),
            None => self.prompt.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_exchange_in_every_shape() {
        let expected = Exchange { prompt: "Add.\n\n1 1".to_owned(), answer: Some("2".to_owned()) };
        for row in [
            r#"{"instruction": "Add.", "input": "1 1", "output": "2"}"#,
            r#"{"prompt": "Add.\n\n1 1", "completion": "2"}"#,
            r#"{"prompt": "Add.\n\n1 1", "reference": "2"}"#,
            r#"{"prompt": "Add.\n\n1 1", "reference": ["2", "two"]}"#,
            r#"{"prompt": [{"role": "user", "content": "Add.\n\n1 1"}], "completion": [{"role": "assistant", "content": "2"}]}"#,
            r#"{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "Add.\n\n1 1"},
                {"role": "assistant", "content": "2", "tool_calls": null}]}"#,
            r#"{"conversations": [{"from": "human", "value": "Add.\n\n1 1"}, {"from": "gpt", "value": "2"}]}"#,
        ] {
            assert_eq!(Exchange::read(row), Some(expected.clone()), "{row}");
        }
    }

    #[test]
    fn no_answer_is_not_an_empty_answer() {
        let row = r#"{"messages": [{"role": "user", "content": "Hi"}]}"#;
        assert_eq!(Exchange::read(row), Some(Exchange { prompt: "Hi".to_owned(), answer: None }));
        assert_eq!(Exchange::read("{"), None);
        assert_eq!(Exchange::read(r#"{"text": "x"}"#), None);
    }

    #[test]
    fn calls_are_said_too() {
        let row = r#"{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": null,
            "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}]}"#;
        let answer = Exchange::read(row).expect("a row").answer;
        assert_eq!(answer.as_deref(), Some(r#"{"name":"f","arguments":{}}"#));
    }
}
