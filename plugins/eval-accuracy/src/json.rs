//! Comparing JSON documents field by field.

use serde_json::Value;
use std::collections::BTreeMap;

/// How two documents compare.
#[derive(Debug, Clone, PartialEq)]
pub struct Fields {
    /// Fields with the same value over fields in either document; between 0 and 1. Invented fields count against an answer.
    pub accuracy: f64,
    /// JSON Pointers of the fields that differ, are missing or were invented, each with what is wrong.
    pub wrong: Vec<(String, String)>,
}

/// The document in a response, of the kind (object or array) that is wanted: the whole of the response, or what the
/// first bracket starts that starts a document.
///
/// Prose and fences around the document are `eval-format`'s business, not wrong fields.
pub fn find(text: &str, wanted: &Value) -> Option<Value> {
    // Each start may cost a pass over the rest: a response of brackets alone must not cost the square of its length.
    const STARTS: usize = 64;
    let bracket = if wanted.is_array() { '[' } else { '{' };
    if let Some(whole) = serde_json::from_str(text.trim()).ok().filter(|whole| same_kind(whole, wanted)) {
        return Some(whole);
    }
    text.match_indices(bracket).take(STARTS).find_map(|(at, _)| first_value(&text[at..]))
}

/// Compares the leaves: numbers, strings, booleans, nulls, and objects and arrays without members.
pub fn compare(answer: &Value, reference: &Value) -> Fields {
    let (given, wanted) = (leaves(answer), leaves(reference));
    let mut wrong = Vec::new();
    for (path, expected) in &wanted {
        match given.get(path) {
            Some(value) if same(value, expected) => {}
            Some(value) => wrong.push((path.clone(), format!("{value}, expected {expected}"))),
            None => wrong.push((path.clone(), format!("missing, expected {expected}"))),
        }
    }
    let right = wanted.len() - wrong.len();
    let invented = given.iter().filter(|(path, _)| !wanted.contains_key(*path));
    wrong.extend(invented.map(|(path, value)| (path.clone(), format!("{value}, not expected"))));
    let all = wanted.keys().chain(given.keys().filter(|path| !wanted.contains_key(*path))).count();
    Fields { accuracy: right as f64 / all as f64, wrong }
}

/// Equal as JSON: the order of keys is free and `1` is `1.0`.
pub fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        // Integers are compared as they are: as floating point, large ones that differ would be equal.
        (Value::Number(one), Value::Number(other)) if one.is_f64() || other.is_f64() => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let paired = |(key, value): (&String, &Value)| other.get(key).is_some_and(|other| same(value, other));
            one.len() == other.len() && one.iter().all(paired)
        }
        _ => one == other,
    }
}

/// The object or array at the start of a text, whatever follows it.
fn first_value(text: &str) -> Option<Value> {
    serde_json::Deserializer::from_str(text).into_iter::<Value>().next()?.ok()
}

fn same_kind(one: &Value, other: &Value) -> bool {
    one.is_array() == other.is_array() && one.is_object() == other.is_object()
}

fn leaves(value: &Value) -> BTreeMap<String, &Value> {
    let mut found = BTreeMap::new();
    collect(value, String::new(), &mut found);
    found
}

fn collect<'a>(value: &'a Value, path: String, found: &mut BTreeMap<String, &'a Value>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (key, member) in members {
                collect(member, format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                collect(item, format!("{path}/{index}"), found);
            }
        }
        leaf => drop(found.insert(path, leaf)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn finds_documents() {
        let object = |text| find(text, &json!({}));
        assert_eq!(object(" {\"a\": 1}\n"), Some(json!({"a": 1})));
        assert_eq!(object("Sure [1]:\n```json\n{\"a\": \"}\"}\n``` Done."), Some(json!({"a": "}"})));
        assert_eq!(object("{not json} {\"a\": 1}"), Some(json!({"a": 1})));
        assert_eq!(object("{\"a\": "), None);
        assert_eq!(object("[1]"), None);
        assert_eq!(object(&"{".repeat(1_000_000)), None);
        assert_eq!(find("{}: [2]", &json!([])), Some(json!([2])));
    }

    #[test]
    fn counts_fields_of_either_side() {
        let reference = json!({"a": {"b": 1, "c": "x"}, "d": [true, null]});
        let fields = compare(&json!({"a": {"b": 1.0, "c": "y"}, "d": [true], "e/f": 0}), &reference);
        assert_eq!(fields.accuracy, 2.0 / 5.0);
        let wrong: Vec<&str> = fields.wrong.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(wrong, ["/a/c", "/d/1", "/e~1f"]);
    }

    #[test]
    fn key_order_is_free_and_item_order_is_not() {
        assert!(same(&json!({"a": 1, "b": [1, 2]}), &json!({"b": [1, 2.0], "a": 1})));
        assert!(!same(&json!([1, 2]), &json!([2, 1])));
        assert!(!same(&json!(9007199254740992_u64), &json!(9007199254740993_u64)));
        assert_eq!(compare(&json!({}), &json!({})).accuracy, 1.0);
    }
}
