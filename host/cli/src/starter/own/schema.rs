//! What documents have in common, as a JSON Schema; and JSON as TOML writes it.

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Objects with more keys than this are not described key by key.
const MOST_KEYS: usize = 40;

/// The schema that all documents satisfy: their kind and, of objects, the keys that all of them have, the types of each
/// key's values, and no other keys. `None` where some are objects and others lists.
pub(super) fn of(documents: &[Value]) -> Option<Value> {
    if documents.iter().all(Value::is_array) {
        return Some(json!({"type": "array"}));
    }
    let objects: Option<Vec<&Map<String, Value>>> = documents.iter().map(Value::as_object).collect();
    let objects = objects?;
    let mut types: BTreeMap<&String, BTreeSet<&str>> = BTreeMap::new();
    for (key, value) in objects.iter().flat_map(|object| object.iter()) {
        types.entry(key).or_default().insert(kind(value));
    }
    if types.len() > MOST_KEYS {
        return Some(json!({"type": "object"}));
    }
    let required: Vec<&String> =
        types.keys().copied().filter(|key| objects.iter().all(|object| object.contains_key(*key))).collect();
    let properties: Map<String, Value> =
        types.iter().map(|(key, kinds)| ((*key).clone(), json!({"type": described(kinds)}))).collect();
    Some(json!({"type": "object", "required": required, "additionalProperties": false, "properties": properties}))
}

/// A value in one line of TOML; null stands nowhere in a schema.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let pairs: Vec<String> =
                object.iter().map(|(key, value)| format!("{} = {}", key_of(key), inline(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

/// A text of TOML. JSON's quotes and escapes are TOML's too, but JSON lets one control character stand as it is.
pub(super) fn quoted(text: &str) -> String {
    json!(text).to_string().replace('\u{7f}', "\\u007F")
}

fn key_of(key: &str) -> String {
    let is_bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if !key.is_empty() && key.chars().all(is_bare) { key.to_owned() } else { quoted(key) }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// One type as a text, several as a list; an integer is a number, too.
fn described(kinds: &BTreeSet<&str>) -> Value {
    let is_covered = |kind: &&&str| **kind != "integer" || !kinds.contains("number");
    let kinds: Vec<&str> = kinds.iter().filter(is_covered).copied().collect();
    if let [only] = kinds.as_slice() { json!(only) } else { json!(kinds) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_says_what_all_documents_have() {
        let documents =
            [json!({"a": 1, "b": "x", "c d": null}), json!({"a": 1.5, "b": "y"}), json!({"a": 2, "b": ["z"]})];
        let schema = of(&documents).expect("objects");
        let expected = json!({
            "type": "object", "required": ["a", "b"], "additionalProperties": false,
            "properties": {"a": {"type": "number"}, "b": {"type": ["array", "string"]}, "c d": {"type": "null"}},
        });
        assert_eq!(schema, expected);
        assert_eq!(of(&[json!([1]), json!([])]), Some(json!({"type": "array"})));
        assert_eq!(of(&[json!([1]), json!({})]), None);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let value = json!({"a": [1, 2.5, true], "b c": {"\"": "é\u{7f}\n\\d"}, "": "x"});
        let text = format!("value = {}", inline(&value));
        let read: toml::Table = text.parse().expect("TOML");
        assert_eq!(serde_json::to_value(&read["value"]).expect("JSON"), value);
    }
}
