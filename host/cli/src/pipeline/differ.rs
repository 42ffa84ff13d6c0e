//! Where two values differ, by the place in their JSON documents.

use serde::Serialize;
use serde_json::Value;

/// Where two values differ first, as JSON documents; numbers may differ in their last digits, as another machine's
/// mathematical functions do.
pub(super) fn difference(one: &impl Serialize, other: &impl Serialize) -> Option<String> {
    let (one, other) = (serde_json::to_value(one).ok()?, serde_json::to_value(other).ok()?);
    first("", &one, &other)
}

/// Relative error of numbers that count as the same.
const NEAR: f64 = 1e-9;

fn first(place: &str, one: &Value, other: &Value) -> Option<String> {
    let said = || Some(format!("{} is {}, expected {}", place.trim_start_matches('.'), brief(one), brief(other)));
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64()?, b.as_f64()?);
            if (a - b).abs() <= NEAR * a.abs().max(b.abs()) { None } else { said() }
        }
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            let null = Value::Null;
            keys.into_iter().find_map(|key| {
                first(&format!("{place}.{key}"), a.get(key).unwrap_or(&null), b.get(key).unwrap_or(&null))
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            (0..).zip(a.iter().zip(b)).find_map(|(index, (a, b))| first(&format!("{place}.{index}"), a, b))
        }
        _ if one == other => None,
        _ => said(),
    }
}

/// A value, cut where it is long.
fn brief(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_difference_is_named_by_its_place() {
        let one = json!({"a": [1, {"b": 0.5}], "c": "x"});
        assert_eq!(difference(&one, &one), None);
        assert_eq!(difference(&one, &json!({"a": [1, {"b": 0.5 + 1e-12}], "c": "x"})), None);
        let said = |other: Value| difference(&one, &other);
        assert_eq!(said(json!({"a": [1, {"b": 0.6}], "c": "x"})).as_deref(), Some("a.1.b is 0.5, expected 0.6"));
        assert_eq!(said(json!({"a": [1], "c": "x"})).as_deref(), Some("a is [1,{\"b\":0.5}], expected [1]"));
        assert_eq!(said(json!({"a": [1, {"b": 0.5}]})).as_deref(), Some("c is \"x\", expected null"));
        assert_eq!(said(json!({"a": [1, {"b": 0.5}], "c": "x", "d": 1})).as_deref(), Some("d is null, expected 1"));
    }
}
