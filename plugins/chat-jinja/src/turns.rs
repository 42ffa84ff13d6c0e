//! A conversation as a template sees it.

use diapason_plugin::{Conversation, Message, Result};
use serde_json::{Map, Value};

/// The names that a turn's reasoning goes by; templates read the first, those of gpt-oss the second.
pub(crate) const REASONING: [&str; 3] = ["reasoning_content", "thinking", "reasoning"];

/// A turn's fields.
pub(crate) type Turn = Map<String, Value>;

/// The turns of a conversation. Fields that are null are dropped and reasoning gets all names that templates look for,
/// as `transformers` does it.
pub(crate) fn read(conversation: &Conversation) -> Result<Vec<Turn>> {
    match conversation.messages.is_empty() {
        true => Err("the conversation has no turns".into()),
        false => conversation.messages.iter().map(turn).collect(),
    }
}

/// The tools, if there are any. An empty list counts as tools, as it does in `transformers`.
pub(crate) fn tools(conversation: &Conversation) -> Result<Option<Value>> {
    let Some(tools) = &conversation.tools else { return Ok(None) };
    let tools: Value = serde_json::from_str(tools).map_err(|cause| format!("failed to read tools: {cause}"))?;
    match &tools {
        Value::Null => Ok(None),
        Value::Array(list) if list.iter().all(Value::is_object) => Ok(Some(tools)),
        _ => Err("tools are a list of objects, each a JSON schema".into()),
    }
}

/// A turn's text under a name, if it is a text.
pub(crate) fn text<'a>(turn: &'a Turn, name: &str) -> Option<&'a str> {
    turn.get(name).and_then(Value::as_str)
}

/// The turns as the engine takes them.
pub(crate) fn values(turns: &[Turn]) -> Vec<jinja::Value> {
    turns.iter().map(|turn| jinja::Value::from(&Value::Object(turn.clone()))).collect()
}

/// The calls of a turn, each by the names that a template may write: the function's and the call's own.
pub(crate) fn calls(turn: &Turn) -> impl Iterator<Item = Vec<&str>> {
    let calls = turn.get("tool_calls").and_then(Value::as_array).into_iter().flatten();
    calls.map(|call| {
        let name = call.get("function").unwrap_or(call).get("name");
        [name, call.get("id")].into_iter().flatten().filter_map(Value::as_str).collect()
    })
}

/// Whether a call's name is in a text, as it stands or as JSON writes it in ASCII.
pub(crate) fn has_name(text: &str, name: &str) -> bool {
    let escaped = || {
        name.encode_utf16().map(|unit| match u8::try_from(unit) {
            Ok(letter) if letter.is_ascii() => char::from(letter).to_string(),
            _ => format!("\\u{unit:04x}"),
        })
    };
    text.contains(name) || !name.is_ascii() && text.contains(&escaped().collect::<String>())
}

/// Whether a turn is the assistant's.
pub(crate) fn is_answer(turn: &Turn) -> bool {
    text(turn, "role") == Some("assistant")
}

/// Whether a turn is the assistant's and not marked as context.
pub(crate) fn is_learnt(turn: &Turn) -> bool {
    is_answer(turn) && turn.get("weight").and_then(Value::as_f64) != Some(0.0)
}

/// How many bytes two texts have in common at their start.
pub(crate) fn common(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
}

/// How much of a text does not end within a tag: a token is given or learnt as a whole.
pub(crate) fn whole_tags(text: &str) -> usize {
    match text.rfind('<') {
        Some(at) if !text[at..].contains('>') => at,
        _ => text.len(),
    }
}

fn turn(message: &Message) -> Result<Turn> {
    let mut fields = Map::new();
    fields.insert("role".into(), message.role.as_str().into());
    fields.insert("content".into(), message.content.as_str().into());
    if let Some(extra) = &message.extra {
        let extra: Map<String, Value> =
            serde_json::from_str(extra).map_err(|cause| format!("failed to read a turn's fields: {cause}"))?;
        fields.extend(extra);
    }
    fields.retain(|_, value| !value.is_null());
    Ok(with_reasoning(fields))
}

/// Gives a turn's reasoning the names that templates look for, in the order in which `transformers` leaves them:
/// `thinking` comes first unless the turn has it, `reasoning_content` last.
fn with_reasoning(fields: Turn) -> Turn {
    let Some(reasoning) = REASONING.iter().find_map(|name| fields.get(*name)).cloned() else { return fields };
    let mut named = Map::new();
    named.insert("thinking".into(), reasoning.clone());
    named.extend(fields);
    named.insert("reasoning_content".into(), reasoning);
    named
}
