//! Equality of JSON values, as JSON Schema defines it.

use serde_json::Value;

/// Equal numbers are equal however written (`1` and `1.0`), and the order of an object's members is free.
pub(super) fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        // Integers are compared as they are: as floating point, large ones that differ would be equal.
        (Value::Number(one), Value::Number(other)) if one.is_f64() || other.is_f64() => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let paired = |(name, value): (&String, &Value)| other.get(name).is_some_and(|other| equal(value, other));
            one.len() == other.len() && one.iter().all(paired)
        }
        _ => one == other,
    }
}
