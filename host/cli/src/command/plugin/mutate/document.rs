//! Changes to answers that are JSON documents.

use super::{Mutation, Plant};
use serde_json::{Map, Value, json};

const fn document(name: &'static str, plant: fn(&str) -> Vec<String>) -> Mutation {
    Mutation { name, plant: Plant::Text(plant) }
}

/// Changes to objects and arrays; other texts have no room for them.
pub(super) const ALL: [Mutation; 13] = [
    document("JSON value changed", |text| leaves_replaced(text, other_value)),
    document("JSON type changed", |text| leaves_replaced(text, other_type)),
    document("JSON key left out", keys_left_out),
    document("JSON key invented", key_invented),
    document("JSON cut off", json_cut_off),
    document("JSON comma too many", comma_too_many),
    document("JSON in single quotes", single_quotes),
    document("JSON superseded", superseded),
    document("JSON fenced", |text| whole(text, |text| format!("```json\n{text}\n```"))),
    document("JSON after a citation", |text| whole(text, |text| format!("As said in [1] and [2]: {text}"))),
    document("JSON after a placeholder", |text| whole(text, |text| format!("I fill {{name}} and [x] in:\n{text}"))),
    document("JSON indented", |text| read(text).map(|value| format!("{value:#}")).into_iter().collect()),
    document("JSON keys reordered", |text| read(text).map(|value| reversed(&value).to_string()).into_iter().collect()),
];

/// At most so many variants of one change.
const VARIANTS: usize = 3;

fn read(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(|value: &Value| value.is_object() || value.is_array())
}

fn whole(text: &str, change: impl Fn(&str) -> String) -> Vec<String> {
    read(text).map(|_| change(text)).into_iter().collect()
}

/// The answer as a draft, and another document of its kind after it.
fn superseded(text: &str) -> Vec<String> {
    let other = if text.trim_start().starts_with('[') { "[\"other\"]" } else { "{\"other\": true}" };
    whole(text, |text| format!("Draft: {text}\nBetter: {other}"))
}

/// JSON Pointers of all scalars.
fn leaves(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                leaves(member, &format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                leaves(item, &format!("{pointer}/{index}"), found);
            }
        }
        _ => found.push(pointer.to_owned()),
    }
}

fn leaves_replaced(text: &str, other: fn(&Value) -> Value) -> Vec<String> {
    let Some(value) = read(text) else { return Vec::new() };
    let mut pointers = Vec::new();
    leaves(&value, "", &mut pointers);
    let replaced = |pointer: &String| {
        let mut value = value.clone();
        let leaf = value.pointer_mut(pointer)?;
        *leaf = other(leaf);
        Some(value.to_string())
    };
    pointers.iter().take(VARIANTS).filter_map(replaced).collect()
}

fn other_value(leaf: &Value) -> Value {
    match leaf {
        Value::Null => json!(false),
        Value::Bool(value) => json!(!value),
        Value::Number(number) => json!(number.as_f64().unwrap_or(0.0) + 1.0),
        Value::String(text) => json!(format!("{text}x")),
        other => other.clone(),
    }
}

fn other_type(leaf: &Value) -> Value {
    match leaf {
        Value::String(_) => json!(7),
        other => json!(other.to_string()),
    }
}

fn keys_left_out(text: &str) -> Vec<String> {
    let Some(Value::Object(members)) = read(text) else { return Vec::new() };
    let without = |key: &String| {
        let mut members = members.clone();
        members.shift_remove(key);
        Value::Object(members).to_string()
    };
    members.keys().take(VARIANTS).map(without).collect()
}

fn key_invented(text: &str) -> Vec<String> {
    let Some(Value::Object(mut members)) = read(text) else { return Vec::new() };
    members.insert("invented".to_owned(), json!(1));
    vec![Value::Object(members).to_string()]
}

/// Cut before its last bracket, in the middle, and fenced in the middle.
fn json_cut_off(text: &str) -> Vec<String> {
    let Some(value) = read(text) else { return Vec::new() };
    let compact = value.to_string();
    let half: String = compact.chars().take(compact.chars().count() / 2).collect();
    vec![compact[..compact.len() - 1].to_owned(), half.clone(), format!("```json\n{half}\n```")]
}

fn comma_too_many(text: &str) -> Vec<String> {
    let Some(value) = read(text) else { return Vec::new() };
    let compact = value.to_string();
    let (front, bracket) = compact.split_at(compact.len() - 1);
    vec![format!("{front},{bracket}")]
}

fn single_quotes(text: &str) -> Vec<String> {
    match read(text) {
        Some(value) if value.to_string().contains('"') => vec![value.to_string().replace('"', "'")],
        _ => Vec::new(),
    }
}

/// The same document with the keys of every object in the opposite order.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: Map<String, Value> =
                members.iter().rev().map(|(key, value)| (key.clone(), reversed(value))).collect();
            Value::Object(members)
        }
        Value::Array(items) => Value::Array(items.iter().map(reversed).collect()),
        scalar => scalar.clone(),
    }
}
