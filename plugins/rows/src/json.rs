//! JSON as rows carry it: no key twice, null as absence, and values that stand in a text.

use crate::fault::{Fault, Result};
use crate::numbers;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The JSON object in a line, no key of which stands twice.
///
/// # Errors
/// The line is empty, is not JSON (with the column), or holds something else.
pub fn object(line: &str) -> std::result::Result<Map<String, Value>, Fault> {
    let text = body(line);
    match serde_json::from_str::<Strict>(text) {
        Ok(Strict(Value::Object(members))) => Ok(members),
        Ok(Strict(other)) => {
            let message = format!("not a JSON object: the row is {}", kind(&other));
            Err(Fault::new("not-an-object", "", message, "write one JSON object a line"))
        }
        Err(_) if text.trim().is_empty() => Err(Fault::new("empty-line", "", "the line is empty", "remove it")),
        Err(cause) => Err(broken(&cause)),
    }
}

/// The line without a byte order mark.
pub(crate) fn body(line: &str) -> &str {
    line.strip_prefix('\u{feff}').unwrap_or(line)
}

fn broken(cause: &serde_json::Error) -> Fault {
    let column = cause.column();
    let what = what(cause);
    if what.contains(TWICE) {
        let hint = "only one of the values can be meant: remove the other";
        return Fault { column: Some(column), ..Fault::new("duplicate-key", "", what, hint) };
    }
    let hint = if cause.is_eof() {
        "the line ends too early: was it cut, or the row spread over several lines?"
    } else {
        "each line must be one whole JSON object: quotes closed, no line break inside, no comma at the end"
    };
    Fault { column: Some(column), ..Fault::new("invalid-json", "", format!("not JSON: {what}"), hint) }
}

/// The message without the place, which is given apart.
fn what(cause: &serde_json::Error) -> String {
    let text = cause.to_string();
    text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message).to_owned()
}

/// The value that a text holds, where `value` is one; else `value` itself.
pub(crate) fn parsed(value: Value, path: &str, name: &str) -> Result<Value> {
    let Value::String(text) = &value else { return Ok(value) };
    let read: std::result::Result<Strict, _> = serde_json::from_str(text);
    let Strict(read) = read.map_err(|cause| {
        let what = what(&cause);
        if what.contains(TWICE) {
            let hint = "only one of the values can be meant: remove the other";
            return Fault::new("duplicate-key", path, format!("{name} is a text in which {what}"), hint);
        }
        let message = format!("{name} is a text that is not JSON: {what} at column {}", cause.column());
        Fault::new("invalid-json", path, message, "write it as JSON; Python's notation (', None, True, NaN) is none")
    })?;
    match numbers::unheld(text, &[]) {
        Some(number) => Err(numbers::refused(path, number)),
        None => Ok(read),
    }
}

/// Removes members that are null, at any depth: libraries with typed columns write them where another row has a value.
/// What a schema says with null (`default`, `const`, `examples`) stays.
pub(crate) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(key, value)| !value.is_null() || says_null(key));
            Value::Object(kept.map(|(key, value)| (key, without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

fn says_null(key: &str) -> bool {
    matches!(key, "default" | "const" | "example")
}

/// What a value is, with its article.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A scalar as it stands, anything else by its kind.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Bool(_) | Value::Number(_) => format!("{value}, {}, not a string", kind(value)),
        other => format!("{}, not a string", kind(other)),
    }
}

const TWICE: &str = " stands twice in one object";

/// A value none of whose objects has a key twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(Any).map(Self)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> std::result::Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> std::result::Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, Strict(value))) = members.next_entry::<String, Strict>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{key}`{TWICE}")));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_key_that_stands_twice_is_named() {
        let fault = object(r#"{"prompt": "a", "tags": {"x": 1, "x": 2}}"#).expect_err("twice");
        assert_eq!((fault.rule, fault.message.as_str()), ("duplicate-key", "the key `x` stands twice in one object"));
        let row = object(r#"{"a": [1, -2, 1.5, null, true, {"b": "c"}]}"#).expect("a row");
        assert_eq!(Value::Object(row), json!({"a": [1, -2, 1.5, null, true, {"b": "c"}]}));
    }

    #[test]
    fn padding_goes_and_defaults_stay() {
        let padded = json!({"a": null, "b": [null, {"c": null, "d": 1}], "default": null});
        assert_eq!(without_nulls(padded), json!({"b": [null, {"d": 1}], "default": null}));
    }

    #[test]
    fn values_in_texts() {
        assert_eq!(parsed(json!("[1]"), "/x", "`x`"), Ok(json!([1])));
        let fault = parsed(json!("[{'a': 1}]"), "/x", "`x`").expect_err("Python's notation");
        assert!(fault.message.contains("column") && fault.path == "/x", "{fault:?}");
        let fault = parsed(json!(r#"{"a": 1, "a": 2}"#), "/x", "`x`").expect_err("twice");
        assert_eq!(fault.rule, "duplicate-key", "{fault:?}");
    }
}
