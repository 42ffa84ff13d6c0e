//! A text that may be written as a list of parts.

use crate::fault::{Fault, Result};
use crate::json::kind;
use crate::learning;
use serde_json::{Map, Value};

/// A turn's text: a text, or a list of text parts joined as templates that take parts join them.
///
/// A part is `{"type": "text", "text": …}`, or `{"text": …}` alone as Bedrock and Gemini write it.
pub(crate) fn text(value: Value, path: &str) -> Result<String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Array(parts) => {
            parts.iter().enumerate().map(|(index, part)| part_text(part, &format!("{path}/{index}"))).collect()
        }
        other => {
            let message = format!("the text is {}", kind(&other));
            let hint = "write a string; a JSON document goes in as text, its quotes escaped";
            Err(Fault::new("wrong-type", path, message, hint))
        }
    }
}

fn part_text(part: &Value, path: &str) -> Result<String> {
    let Value::Object(part) = part else { return Err(no_text(path, kind(part).to_owned())) };
    let given = |key: &str| part.get(key).filter(|value| !value.is_null());
    let is_text = match given("type") {
        Some(named) => named == "text",
        None => given("text").is_some() && part.iter().all(|(key, value)| key == "text" || value.is_null()),
    };
    if !is_text {
        return Err(no_text(path, described(part)));
    }
    if let Some((key, value)) = part.iter().find(|(key, value)| learning::is_key(key) && !value.is_null()) {
        let message = format!("`{key}` of a part is {value}: parts of a turn are not weighed");
        let hint = "a turn is learned whole or not at all: split it, or say `weight: 0` of the turn";
        return Err(Fault::new("partial-weight", format!("{path}/{key}"), message, hint));
    }
    match given("text") {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => {
            let message = format!("the text is {}", kind(other));
            Err(Fault::new("wrong-type", format!("{path}/text"), message, "write a string"))
        }
        None => {
            let hint = "write {\"type\": \"text\", \"text\": …}";
            Err(Fault::new("missing-text", format!("{path}/text"), "a text part has no text", hint))
        }
    }
}

/// What a part is, by its type or else by its keys.
fn described(part: &Map<String, Value>) -> String {
    match part.get("type").and_then(Value::as_str) {
        Some(given) => format!("a part of type `{given}`"),
        None => {
            let keys = part.iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| key.as_str());
            format!("a part with the keys {}", keys.collect::<Vec<_>>().join(", "))
        }
    }
}

fn no_text(path: &str, given: String) -> Fault {
    let hint = "only text is read: {\"type\": \"text\", \"text\": …}; remove other parts, or the row";
    Fault::new("not-text", path, format!("{given} is not a text part"), hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parts_are_joined() {
        let parts = json!([{"type": "text", "text": "a", "image": null, "cache_control": {"type": "ephemeral"}}, {"text": "b"}]);
        assert_eq!(text(parts, "/c").as_deref(), Ok("ab"));
    }

    #[test]
    fn what_is_no_text_or_a_part_of_a_weight_is_refused() {
        for (part, path, said) in [
            (json!({"type": "image_url"}), "/c/0", "a part of type `image_url`"),
            (json!({"toolUse": {"name": "f"}, "text": null}), "/c/0", "a part with the keys toolUse"),
            (json!({"text": "a", "inlineData": {}}), "/c/0", "the keys text, inlineData"),
            (json!("a"), "/c/0", "a string is not a text part"),
            (json!({"type": "text", "text": 3}), "/c/0/text", "a number"),
            (json!({"type": "text"}), "/c/0/text", "no text"),
            (json!({"type": "text", "text": "a", "train": false}), "/c/0/train", "`train` of a part"),
            (json!({"type": "text", "text": "a", "weight": 1}), "/c/0/weight", "`weight` of a part"),
        ] {
            let fault = text(json!([part]), "/c").expect_err(said);
            assert_eq!(fault.path, path, "{fault:?}");
            assert!(fault.message.contains(said), "{fault:?}");
        }
    }
}
