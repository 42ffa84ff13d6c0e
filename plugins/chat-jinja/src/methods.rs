//! Python's methods of strings, lists and objects, which templates call as if they ran in Python.

use minijinja::value::from_args;
use minijinja::{Error, State, Value};
use minijinja_contrib::pycompat;

/// Calls a method that the engine itself does not know.
pub(crate) fn call(state: &mut State, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    match (method, value.as_str()) {
        ("removeprefix", Some(text)) => {
            let (prefix,): (&str,) = from_args(args)?;
            Ok(text.strip_prefix(prefix).unwrap_or(text).into())
        }
        ("removesuffix", Some(text)) => {
            let (suffix,): (&str,) = from_args(args)?;
            Ok(text.strip_suffix(suffix).unwrap_or(text).into())
        }
        ("rsplit", Some(text)) => {
            let (separator, most): (&str, Option<usize>) = from_args(args)?;
            Ok(rsplit(text, separator, most))
        }
        ("partition", Some(text)) => {
            let (separator,): (&str,) = from_args(args)?;
            let (before, after) = text.split_once(separator).unwrap_or((text, ""));
            let separator = if text.contains(separator) { separator } else { "" };
            Ok(Value::from_iter([before, separator, after]))
        }
        _ => pycompat::unknown_method_callback(state, value, method, args),
    }
}

/// Splits from the right, at most so many times.
fn rsplit(text: &str, separator: &str, most: Option<usize>) -> Value {
    let mut parts: Vec<&str> =
        text.rsplitn(most.map_or(usize::MAX, |most| most.saturating_add(1)), separator).collect();
    parts.reverse();
    Value::from_iter(parts)
}
