//! One JSONL row to one [`Sample`], whatever its shape.

use super::Fault;
use crate::sample::{Message, Sample};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

type Row = Map<String, Value>;

/// The sample in `text`, which stands on `line` of its file. Its id is the row's `id`, else the line's number.
pub(super) fn sample(text: &str, line: u32) -> Result<Sample, Fault> {
    let value: Value = serde_json::from_str(text).map_err(|error| Fault::json(line, &error))?;
    let Value::Object(row) = value else {
        return Err(Fault::new(line, "not a JSON object", "each line must be one object: {…}"));
    };
    build(&row, text, line).map_err(|(message, hint)| Fault::new(line, message, hint))
}

/// Message and hint.
type Wrong = (String, String);

fn wrong(message: impl Into<String>, hint: impl Into<String>) -> Wrong {
    (message.into(), hint.into())
}

fn build(row: &Row, text: &str, line: u32) -> Result<Sample, Wrong> {
    let (messages, answer) = conversation(row)?;
    Ok(Sample {
        id: id(row)?.unwrap_or_else(|| line.to_string()),
        messages,
        reference: optional_text(row, "reference")?.or(answer),
        choices: choices(row)?,
        context: optional_text(row, "context")?,
        tags: tags(row)?,
        tools: row.get("tools").filter(|tools| !tools.is_null()).cloned(),
        row: text.into(),
    })
}

fn conversation(row: &Row) -> Result<(Vec<Message>, Option<String>), Wrong> {
    if let Some(list) = row.get("messages") {
        return split(turns(list, "messages", "role", "content")?);
    }
    if let Some(list) = row.get("conversations") {
        return split(turns(list, "conversations", "from", "value")?);
    }
    if row.contains_key("instruction") {
        return alpaca(row);
    }
    if row.contains_key("prompt") {
        return prompt(row);
    }
    let keys = row.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let known =
        "a row has `messages`, `instruction` (+ `input`, `output`), `prompt` (+ `completion`) or `conversations`";
    Err(wrong(format!("no known shape: its keys are {keys}"), known))
}

fn alpaca(row: &Row) -> Result<(Vec<Message>, Option<String>), Wrong> {
    let instruction = text(row, "instruction")?;
    let asked = match optional_text(row, "input")?.filter(|input| !input.is_empty()) {
        Some(input) => format!("{instruction}\n\n{input}"),
        None => instruction,
    };
    Ok((with_system(row, asked)?, optional_text(row, "output")?))
}

fn prompt(row: &Row) -> Result<(Vec<Message>, Option<String>), Wrong> {
    let messages = match row.get("prompt") {
        Some(list @ Value::Array(_)) => turns(list, "prompt", "role", "content")?,
        _ => with_system(row, text(row, "prompt")?)?,
    };
    let answer = match row.get("completion") {
        Some(list @ Value::Array(_)) => {
            turns(list, "completion", "role", "content")?.pop().map(|message| message.content)
        }
        _ => optional_text(row, "completion")?,
    };
    Ok((messages, answer))
}

fn with_system(row: &Row, asked: String) -> Result<Vec<Message>, Wrong> {
    let system = optional_text(row, "system")?.filter(|text| !text.is_empty());
    let system = system.map(|text| Message::new("system", text));
    Ok(system.into_iter().chain([Message::new("user", asked)]).collect())
}

/// Splits off the last turn where it is the assistant's: that is the expected answer.
fn split(mut messages: Vec<Message>) -> Result<(Vec<Message>, Option<String>), Wrong> {
    let answers = messages.last().is_some_and(|last| last.role == "assistant" && last.extra.is_empty());
    let answer = if answers { messages.pop().map(|last| last.content) } else { None };
    match messages.is_empty() {
        true => Err(wrong("nothing is asked", "a conversation needs at least one turn before the answer")),
        false => Ok((messages, answer)),
    }
}

fn turns(list: &Value, key: &str, role: &str, content: &str) -> Result<Vec<Message>, Wrong> {
    let shape = || format!("`{key}` is a list of {{\"{role}\": …, \"{content}\": …}}");
    let list = list.as_array().ok_or_else(|| wrong(format!("`{key}` is not a list"), shape()))?;
    let turn = |(index, value): (usize, &Value)| {
        let mut fields = value.as_object().cloned().unwrap_or_default();
        let mut take = |name: &str| match fields.shift_remove(name) {
            Some(Value::String(text)) => Ok(text),
            // A turn that only calls tools has no text.
            Some(Value::Null) if name == content => Ok(String::new()),
            _ => Err(wrong(format!("turn {index} of `{key}` has no text in `{name}`"), shape())),
        };
        let (from, said) = (take(role)?, take(content)?);
        Ok(Message { role: spelt(&from).into(), content: said, extra: fields })
    };
    list.iter().enumerate().map(turn).collect()
}

/// ShareGPT's names of the roles.
fn spelt(role: &str) -> &str {
    match role {
        "human" => "user",
        "gpt" | "model" => "assistant",
        other => other,
    }
}

fn id(row: &Row) -> Result<Option<String>, Wrong> {
    match row.get("id") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(other) => Err(wrong(format!("`id` is {other}"), "an id is a text that is not empty, or a number")),
    }
}

fn text(row: &Row, key: &str) -> Result<String, Wrong> {
    optional_text(row, key)?.ok_or_else(|| wrong(format!("`{key}` has no text"), format!("`{key}` must be a text")))
}

fn optional_text(row: &Row, key: &str) -> Result<Option<String>, Wrong> {
    match row.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        // An answer that is to be JSON may stand in the row as JSON.
        Some(json @ (Value::Object(_) | Value::Array(_))) => Ok(Some(json.to_string())),
        Some(other) => Err(wrong(format!("`{key}` is {other}"), format!("`{key}` must be a text"))),
    }
}

fn choices(row: &Row) -> Result<Vec<String>, Wrong> {
    let shape = || wrong("`choices` is no list of texts", "write \"choices\": [\"…\", \"…\"]");
    match row.get("choices") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) => list.iter().map(|one| one.as_str().map(String::from).ok_or_else(shape)).collect(),
        Some(_) => Err(shape()),
    }
}

fn tags(row: &Row) -> Result<BTreeMap<String, String>, Wrong> {
    let shape = || wrong("`tags` is no object of texts and numbers", "write \"tags\": {\"cluster\": \"…\"}");
    let value = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err(shape()),
    };
    match row.get("tags") {
        None | Some(Value::Null) => Ok(BTreeMap::new()),
        Some(Value::Object(map)) => map.iter().map(|(name, tag)| Ok((name.clone(), value(tag)?))).collect(),
        Some(_) => Err(shape()),
    }
}
