//! Rows whose prompt and answer stand in columns, and the columns that stand beside any shape: `system`, `history`, variables.

use crate::fault::{Fault, Result};
use crate::json::{kind, parsed};
use crate::order;
use crate::parts;
use crate::reading::Talk;
use crate::turns::{self, Turn};
use serde_json::{Map, Value};

type Row = Map<String, Value>;

/// `instruction` and `input`, joined by an empty line, with `output`.
pub(crate) fn alpaca(row: &Row) -> Result<Talk> {
    let (instruction, input) = (text(row, "instruction")?, optional(row, "input")?);
    let asked = [Some(instruction), input].into_iter().flatten().filter(|text| !text.is_empty());
    let asked = asked.collect::<Vec<_>>().join("\n\n");
    let messages = history(row)?.into_iter().chain([Turn::new("user", asked, "/instruction")]).collect();
    Ok(Talk { messages, answer: answer(row, "output")?, doubts: Vec::new() })
}

/// `prompt` and `completion`: each a text, or a list of messages. None of the prompt's turns is learned, all of the
/// completion's assistant turns are.
pub(crate) fn prompt(row: &Row) -> std::result::Result<Talk, Vec<Fault>> {
    let one = |fault| vec![fault];
    let mut messages = history(row).map_err(one)?;
    let mut doubts = Vec::new();
    match row.get("prompt") {
        Some(list @ Value::Array(_)) => {
            let read = turns::read(list, "prompt").map_err(one)?;
            let (impossible, doubtful) = order::check(&read, "prompt");
            if !impossible.is_empty() {
                return Err(impossible);
            }
            if read.turns.last().is_some_and(|last| last.role == "assistant") {
                let place = format!("/prompt/{}", read.turns.len() - 1);
                let hint = "put the answer into `completion`; a begun answer cannot be continued";
                return Err(vec![Fault::new("role-order", place, "the prompt ends with the assistant's turn", hint)]);
            }
            doubts = doubtful;
            messages.extend(read.turns.into_iter().map(Turn::unlearned));
        }
        _ => messages.push(Turn::new("user", text(row, "prompt").map_err(one)?, "/prompt")),
    }
    let mut completion = completion(row)?;
    let answer = completion.pop();
    messages.extend(completion);
    Ok(Talk { messages, answer, doubts })
}

/// The turns of `completion`, the last one the assistant's; none where there is no completion.
fn completion(row: &Row) -> std::result::Result<Vec<Turn>, Vec<Fault>> {
    let one = |fault| vec![fault];
    let Some(list @ Value::Array(_)) = row.get("completion") else {
        return Ok(answer(row, "completion").map_err(one)?.into_iter().collect());
    };
    let read = turns::read(list, "completion").map_err(one)?;
    let role = |turn: Option<&Turn>| turn.map(|turn| turn.role.clone()).unwrap_or_default();
    for (turn, index) in [(read.turns.first(), 0), (read.turns.last(), read.turns.len() - 1)] {
        if role(turn) != "assistant" {
            let message = format!("the completion's turn {index} is of role {}", role(turn));
            let hint = "a completion begins and ends with the assistant's turn";
            return Err(vec![Fault::new("role-order", format!("/completion/{index}"), message, hint)]);
        }
    }
    let (mut impossible, _) = order::check(&read, "completion");
    // Turns of the prompt stand before the first one.
    impossible.retain(|fault| fault.path != "/completion/0");
    if impossible.is_empty() { Ok(read.turns) } else { Err(impossible) }
}

fn answer(row: &Row, key: &str) -> Result<Option<Turn>> {
    Ok(optional(row, key)?.map(|text| Turn::new("assistant", text, format!("/{key}"))))
}

/// Earlier exchanges, as LLaMA-Factory writes them: pairs of what was asked and answered. Their answers are learned, as there.
fn history(row: &Row) -> Result<Vec<Turn>> {
    let Some(given) = row.get("history") else { return Ok(Vec::new()) };
    let wrong = |path: String| {
        let hint = "write pairs: [[\"asked\", \"answered\"], …]";
        Fault::new("wrong-type", path, "`history` is no list of pairs of texts", hint)
    };
    if given.as_str().is_some_and(str::is_empty) {
        return Ok(Vec::new());
    }
    let Value::Array(pairs) = parsed(given.clone(), "/history", "`history`")? else {
        return Err(wrong("/history".into()));
    };
    let mut turns = Vec::new();
    for (index, pair) in pairs.iter().enumerate() {
        let texts = pair.as_array().map(|pair| pair.iter().map(Value::as_str).collect::<Vec<_>>());
        let Some([Some(asked), Some(answered)]) = texts.as_deref() else {
            return Err(wrong(format!("/history/{index}")));
        };
        turns.push(Turn::new("user", (*asked).into(), format!("/history/{index}/0")));
        turns.push(Turn::new("assistant", (*answered).into(), format!("/history/{index}/1")));
    }
    Ok(turns)
}

/// Puts the column `system` before the turns, which must have no other system message.
pub(crate) fn add_system(row: &Row, talk: &mut Talk) -> Result<()> {
    // Bedrock and Anthropic write a list of text parts.
    let text = row.get("system").map(|given| parts::text(given.clone(), "/system")).transpose()?;
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(()) };
    match talk.messages.iter().find(|turn| matches!(turn.role.as_str(), "system" | "developer")) {
        Some(turn) if turn.text() == text => {}
        Some(_) => {
            let message = "the column `system` and a system turn say different things";
            return Err(Fault::new("two-systems", "/system", message, "keep one of them"));
        }
        None => talk.messages.insert(0, Turn::new("system", text, "/system")),
    }
    Ok(())
}

/// Names of the template's variables that no row and no suite sets, because they are the host's to say.
pub const RESERVED: [&str; 13] = [
    "messages",
    "conversation",
    "tools",
    "chat_template",
    "template",
    "template_name",
    "named_templates",
    "date",
    "add_generation_prompt",
    "continue_final_message",
    "tokenize",
    "return_dict",
    "return_assistant_tokens_mask",
];

/// `chat_template_kwargs`, `documents` and `enable_thinking`.
pub(crate) fn variables(row: &Row) -> Result<Map<String, Value>> {
    let mut variables = Map::new();
    if let Some(given) = row.get("chat_template_kwargs").filter(|given| given.as_str() != Some("")) {
        let path = "/chat_template_kwargs";
        let read = match parsed(given.clone(), path, "`chat_template_kwargs`")? {
            Value::Null => Value::Object(Map::new()),
            read => read,
        };
        let Value::Object(read) = read else {
            let message = format!("`chat_template_kwargs` is {}, not an object", kind(&read));
            return Err(Fault::new("wrong-type", path, message, "write {\"enable_thinking\": false}"));
        };
        if let Some(name) = RESERVED.iter().find(|name| read.get(**name).is_some_and(|value| !value.is_null())) {
            let message = format!("`{name}` is not a row's to set");
            return Err(Fault::new("unsupported-column", format!("{path}/{name}"), message, "remove it"));
        }
        variables = read;
        variables.retain(|_, value| !value.is_null());
    }
    for name in ["documents", "enable_thinking"] {
        let Some(given) = row.get(name) else { continue };
        let given =
            if name == "documents" { parsed(given.clone(), "/documents", "`documents`")? } else { given.clone() };
        let fits = if name == "documents" { given.is_array() } else { given.is_boolean() };
        if !fits {
            let message = format!("`{name}` is {}", kind(&given));
            let hint = "`documents` is a list of objects, `enable_thinking` is true or false";
            return Err(Fault::new("wrong-type", format!("/{name}"), message, hint));
        }
        if variables.get(name).is_some_and(|other| *other != given) {
            let message = format!("`{name}` stands in `chat_template_kwargs` too, with another value");
            return Err(Fault::new("ambiguous-shape", format!("/{name}"), message, "keep one of them"));
        }
        variables.insert(name.into(), given);
    }
    Ok(variables)
}

fn text(row: &Row, key: &str) -> Result<String> {
    optional(row, key)?.ok_or_else(|| {
        Fault::new("missing-text", format!("/{key}"), "the text is missing", "add it, or remove the row")
    })
}

fn optional(row: &Row, key: &str) -> Result<Option<String>> {
    match row.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(json @ Value::Object(turn)) if turns::is_turn(turn) => {
            let message = format!("`{key}` is a turn, not a string: {json}");
            let hint = if key == "completion" { "write a list of turns, one also as a list" } else { "write its text" };
            Err(Fault::new("wrong-type", format!("/{key}"), message, hint))
        }
        // An answer that is to be JSON may stand in the row as JSON; a list could be several answers, or turns.
        Some(json @ Value::Object(_)) if key != "prompt" && key != "instruction" => Ok(Some(json.to_string())),
        Some(other) => {
            let message = format!("`{key}` is {}", crate::json::shown(other));
            let hint = "write a string; a JSON document goes in as text, its quotes escaped";
            Err(Fault::new("wrong-type", format!("/{key}"), message, hint))
        }
    }
}
