//! What the readers share: problems with their place, and JSON as other tools write it.

use diapason_core::Error;
use diapason_core::sample::Message;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// What is wrong with a file, and what to do about it.
#[derive(Debug)]
pub(super) struct Problem {
    what: String,
    hint: String,
}

impl Problem {
    pub(super) fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into() }
    }

    /// The same problem, at a place of the file.
    pub(super) fn at(self, place: &str) -> Self {
        Self { what: format!("{place}: {}", self.what), ..self }
    }

    /// The error of the file at `path`.
    pub(super) fn of(self, path: &Path) -> Error {
        Error::data(format!("failed to read answers from {}: {}", path.display(), self.what)).hint(self.hint)
    }
}

/// What to do about a file that is not as its tool writes it.
pub(super) const NOT_AS_WRITTEN: &str = "the file is damaged, or of a version of the tool that is not known here; write one object a line: \
     {\"id\": …, \"output\": …}";

/// At most this many are named in a message.
const LISTED: usize = 5;

/// The first few names, and how many more there are.
pub(super) fn listed(names: impl IntoIterator<Item = String>) -> String {
    let all: Vec<String> = names.into_iter().collect();
    let more = all.len().saturating_sub(LISTED);
    let first = all.into_iter().take(LISTED).collect::<Vec<_>>().join(", ");
    if more == 0 { first } else { format!("{first} and {more} more") }
}

/// Reads `text` as one value of JSON.
pub(super) fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    serde_json::from_str(&without_nan(text)).map_err(|error| Problem::new(error.to_string(), NOT_AS_WRITTEN))
}

/// The keys of the first object in `text`; `None` where it begins with something else or is cut off.
pub(super) fn first_keys(text: &str) -> Option<Vec<String>> {
    let text = without_nan(text);
    let mut values = serde_json::Deserializer::from_str(&text).into_iter::<BTreeMap<String, serde::de::IgnoredAny>>();
    values.next()?.ok().map(|object| object.into_keys().collect())
}

/// The text with `null` for the `NaN` and `Infinity` that Python and JavaScript write for numbers and JSON has not. None of
/// the numbers that are read here can be one: where such a number is wanted, it is missing.
fn without_nan(text: &str) -> std::borrow::Cow<'_, str> {
    const WORDS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];
    if !WORDS.iter().any(|word| text.contains(word)) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut quoted) = (text, false);
    while let Some(first) = rest.chars().next() {
        let word = WORDS.iter().find(|word| !quoted && rest.starts_with(**word));
        let (piece, length) = match word {
            Some(word) => ("null", word.len()),
            None if quoted && first == '\\' => {
                let length = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                (&rest[..length], length)
            }
            None => (&rest[..first.len_utf8()], first.len_utf8()),
        };
        quoted ^= word.is_none() && first == '"';
        out.push_str(piece);
        rest = &rest[length..];
    }
    out.into()
}

/// An id: a text that is not empty, or a whole number.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub(super) struct Id(pub(super) String);

impl TryFrom<Value> for Id {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::String(text) if !text.is_empty() => Ok(Self(text)),
            Value::Number(number) if !number.is_f64() => Ok(Self(number.to_string())),
            other => Err(format!("an id is a text or a whole number, not {other}")),
        }
    }
}

/// A duration in seconds, of which one in the file is worth `unit`.
pub(super) fn seconds(given: Option<f64>, unit: f64) -> Result<Option<f64>, Problem> {
    match given {
        Some(time) if !(time.is_finite() && time >= 0.0) => {
            Err(Problem::new(format!("an answer took {time}, which is no time"), NOT_AS_WRITTEN))
        }
        time => Ok(time.map(|time| time * unit)),
    }
}

/// The text of a turn's content, a text itself or a list of parts; parts are joined as `joint` says. Reasoning is none of
/// it. `None` where the content is null or has a part that is no text, such as an image.
pub(super) fn content(value: &Value, joint: &str) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            let texts: Option<Vec<&str>> = parts.iter().filter(|part| !is_reasoning(part)).map(part).collect();
            texts.map(|texts| texts.join(joint))
        }
        _ => None,
    }
}

fn is_reasoning(part: &Value) -> bool {
    matches!(part["type"].as_str(), Some("reasoning" | "thinking" | "redacted_thinking"))
}

fn part(part: &Value) -> Option<&str> {
    matches!(part["type"].as_str(), Some("text" | "output_text" | "input_text"))
        .then(|| part["text"].as_str())
        .flatten()
}

/// A conversation of turns that have a role and a text each; `None` for anything else, turns that call tools among it.
pub(super) fn conversation(value: &Value) -> Option<Vec<Message>> {
    let turns = value.as_array().filter(|turns| !turns.is_empty())?;
    turns.iter().map(|turn| turn.as_object().and_then(message)).collect()
}

fn message(turn: &Map<String, Value>) -> Option<Message> {
    let calls = turn.get("tool_calls").is_some_and(|calls| calls.as_array().is_none_or(|calls| !calls.is_empty()));
    if calls {
        return None;
    }
    Some(Message::new(turn.get("role")?.as_str()?, content(turn.get("content")?, "\n")?))
}

/// The conversation that a prompt is where it is one written as JSON.
pub(super) fn written_conversation(text: &str) -> Option<Vec<Message>> {
    let text = text.trim_start();
    text.starts_with('[').then(|| serde_json::from_str::<Value>(text).ok()).flatten().as_ref().and_then(conversation)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_json_has_not_are_null_outside_of_texts() {
        let text = r#"{"a": NaN, "b": [-Infinity, Infinity], "c\"": "NaN \" Infinity", "é": NaN}"#;
        let value: Value = parsed(text).unwrap();
        assert_eq!(value, serde_json::json!({"a": null, "b": [null, null], "c\"": "NaN \" Infinity", "é": null}));
        assert_eq!(first_keys("{\"b\": NaN}\n{").unwrap(), ["b"]);
        assert_eq!(first_keys("{\"b\": 1").as_deref(), None);
        assert!(parsed::<Value>("{\"a\": Nan}").is_err());
    }

    #[test]
    fn only_texts_make_a_conversation() {
        let read = |text: &str| conversation(&serde_json::from_str(text).unwrap());
        let parts = r#"[{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "reasoning", "reasoning": "x"}]}]"#;
        assert_eq!(read(parts), Some(vec![Message::new("user", "a")]));
        let image = r#"[{"role": "user", "content": [{"type": "image", "image": "x"}]}]"#;
        let call = r#"[{"role": "assistant", "content": "", "tool_calls": [{"id": "c"}]}]"#;
        for text in [image, call, "[]", "{}", "[1]", r#"[{"role": "user"}]"#] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(written_conversation(" [{\"role\": \"user\", \"content\": \"a\"}]").unwrap().len(), 1);
        assert_eq!(written_conversation("[1] is a list"), None);
    }
}
