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

/// Whether a document has a number beyond 64 bits, which is held as floating point: integers that differ would be equal.
pub fn is_inexact(value: &Value) -> bool {
    match value {
        Value::Number(number) if number.is_f64() => number.as_f64().is_some_and(|value| value.abs() >= 2_f64.powi(63)),
        Value::Array(items) => items.iter().any(is_inexact),
        Value::Object(members) => members.values().any(is_inexact),
        _ => false,
    }
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
        let read = |text: &str| is_inexact(&serde_json::from_str(text).expect("JSON"));
        assert!(read(r#"{"a": [12345678901234567890123]}"#) && read("[-9223372036854775809]"));
        assert!(!read("[18446744073709551615, -9223372036854775808, 1e18, 0.5, null]"));
    }
}
