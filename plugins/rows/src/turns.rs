//! A list of turns, in OpenAI's spelling (`role`, `content`) or ShareGPT's (`from`, `value`).

use crate::fault::{Fault, Result};
use crate::json::{kind, parsed};
use crate::{calls, learning, parts};
use serde_json::{Map, Value, json};

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// `system`, `developer`, `user`, `assistant`, `tool`, or what the row says.
    pub role: String,
    /// The text, parts joined; `None` where the turn only calls tools or reasons.
    pub content: Option<String>,
    /// Further fields without nulls. An assistant's turn that is not learned has [`learning::WEIGHT`] 0.
    pub extra: Map<String, Value>,
    /// JSON Pointer of the turn's text in the row.
    pub at: String,
}

impl Turn {
    /// A turn without further fields.
    pub(crate) fn new(role: &str, content: String, at: impl Into<String>) -> Self {
        Self { role: role.into(), content: Some(content), extra: Map::new(), at: at.into() }
    }

    /// The text; empty where there is none.
    pub fn text(&self) -> &str {
        self.content.as_deref().unwrap_or_default()
    }

    /// The calls of an assistant's turn.
    pub fn calls(&self) -> Option<&Value> {
        self.extra.get("tool_calls")
    }

    /// Whether the turn is an assistant's that training learns.
    pub fn is_learned(&self) -> bool {
        self.role == "assistant" && !self.extra.contains_key(learning::WEIGHT)
    }

    /// Makes the turn context that is not learned.
    pub(crate) fn unlearned(mut self) -> Self {
        if self.role == "assistant" {
            self.extra.insert(learning::WEIGHT.into(), 0.into());
        }
        self
    }

    /// What the turn answers, as an evaluator compares it: its calls, else its text.
    pub fn answer(&self) -> String {
        self.calls().map_or_else(|| self.text().to_owned(), calls::reference)
    }

    /// Whether a turn like this may be silent: one that calls or reasons, a system message, what a tool gives back.
    pub fn may_be_empty(&self) -> bool {
        self.calls().is_some() || self.reasons() || matches!(self.role.as_str(), "system" | "developer" | "tool")
    }

    fn reasons(&self) -> bool {
        REASONING.iter().any(|key| self.extra.contains_key(*key))
    }
}

/// Whether an object that stands where a text belongs is a turn in one of its spellings, and not a document.
pub(crate) fn is_turn(object: &Map<String, Value>) -> bool {
    let has = |key: &str| object.contains_key(key);
    has("role") && (has("content") || has("tool_calls") || has("parts")) || has("from") && has("value")
}

const REASONING: [&str; 3] = ["reasoning_content", "reasoning", "thinking"];

/// Turns, and whether they are spelt as ShareGPT's, whose order is fixed.
pub(crate) struct Turns {
    pub(crate) turns: Vec<Turn>,
    pub(crate) sharegpt: bool,
}

/// The turns of the row's list `key`; `value` may be JSON text.
pub(crate) fn read(value: &Value, key: &str) -> Result<Turns> {
    let path = format!("/{key}");
    let is_list = value.as_str().is_some_and(|text| text.trim_start().starts_with('['));
    let value = if is_list { parsed(value.clone(), &path, &format!("`{key}`"))? } else { value.clone() };
    let Value::Array(list) = value else {
        let message = format!("`{key}` is {}, not a list of turns", kind(&value));
        return Err(Fault::new("wrong-type", path, message, "write a list of objects, one for each turn"));
    };
    if list.is_empty() {
        let hint = "add at least a user turn and an answer, or remove the row";
        return Err(Fault::new("no-turns", path, format!("`{key}` is an empty list"), hint));
    }
    let spelt = |turn: &Value| turn.get("from").is_some_and(|from| !from.is_null());
    let sharegpt = list.iter().any(spelt);
    let turns = list.into_iter().enumerate().map(|(index, turn)| self::turn(turn, key, index, sharegpt));
    Ok(Turns { turns: turns.collect::<Result<_>>()?, sharegpt })
}

fn turn(value: Value, key: &str, index: usize, sharegpt: bool) -> Result<Turn> {
    let path = format!("/{key}/{index}");
    let (role, content) = if sharegpt { ("from", "value") } else { ("role", "content") };
    let shape = format!("write {{\"{role}\": …, \"{content}\": …}}");
    let Value::Object(mut fields) = value else {
        let message = format!("turn {index} of `{key}` is {}, no object", kind(&value));
        return Err(Fault::new("wrong-type", path, message, shape));
    };
    fields.retain(|_, value| !value.is_null());
    let name = match fields.shift_remove(role) {
        Some(Value::String(name)) if !name.is_empty() => name,
        Some(other) => return Err(unknown(&path, role, &other.to_string(), sharegpt)),
        None => return Err(unknown(&path, role, "missing", sharegpt)),
    };
    if let Some(other) =
        if sharegpt { ["role", "content"] } else { ["from", "value"] }.iter().find(|key| fields.contains_key(**key))
    {
        let message = format!("turn {index} of `{key}` has both `{role}` and `{other}`");
        return Err(Fault::new("ambiguous-shape", format!("{path}/{other}"), message, shape));
    }
    let at = format!("{path}/{content}");
    let content = fields.shift_remove(content).map(|value| parts::text(value, &at)).transpose()?;
    let (role, calls) = part(&name, sharegpt).ok_or_else(|| unknown(&path, role, &format!("\"{name}\""), sharegpt))?;
    let mut turn = Turn { role: role.into(), content, extra: fields, at };
    if calls {
        read_call(&mut turn)?;
    }
    settle(&mut turn, &path)?;
    complete(turn)
}

/// Our name of a role, and whether the turn's text is a call.
fn part(name: &str, sharegpt: bool) -> Option<(&str, bool)> {
    match name {
        "human" => Some(("user", false)),
        "gpt" | "model" | "chatgpt" => Some(("assistant", false)),
        "observation" => Some(("tool", false)),
        "function_call" => Some(("assistant", true)),
        "system" | "developer" | "user" | "assistant" | "tool" => Some((name, false)),
        // Templates may know other roles; ShareGPT's are translated, which needs a translation.
        _ => (!sharegpt && meant(name).is_none()).then_some((name, false)),
    }
}

/// The role that another tool's name for it means. A template would take such a turn for none of those it knows, and an answer
/// that is not the assistant's would stay in the prompt.
fn meant(name: &str) -> Option<&'static str> {
    match name.to_ascii_lowercase().as_str() {
        "user" | "human" | "prompter" | "input" => Some("user"),
        "assistant" | "gpt" | "model" | "chatgpt" | "chatbot" | "bot" | "ai" | "output" => Some("assistant"),
        "system" => Some("system"),
        "developer" => Some("developer"),
        "tool" | "observation" | "tool_response" | "tool_result" => Some("tool"),
        "function_call" | "tool_call" => Some("assistant` with `tool_calls"),
        _ => None,
    }
}

fn unknown(path: &str, role: &str, given: &str, sharegpt: bool) -> Fault {
    let known = if sharegpt {
        "use system, human, gpt, function_call or observation".to_owned()
    } else {
        meant(given.trim_matches('"'))
            .map_or("use system, user, assistant or tool".into(), |role| format!("write `{role}`"))
    };
    Fault::new("unknown-role", format!("{path}/{role}"), format!("the role is {given}"), known)
}

fn read_call(turn: &mut Turn) -> Result<()> {
    let (thought, calls) = calls::from_text(turn.text(), &turn.at)?;
    turn.content = thought;
    turn.extra.insert("tool_calls".into(), calls);
    Ok(())
}

/// Reads the further fields: calls, and what says whether the turn is learned; refuses what changes a turn's meaning.
fn settle(turn: &mut Turn, path: &str) -> Result<()> {
    learning::settle(&mut turn.extra, &turn.role, path)?;
    if let Some(calls) = turn.extra.get("tool_calls").cloned() {
        match calls::calls(calls, path)? {
            Some(calls) if turn.role == "assistant" => turn.extra.insert("tool_calls".into(), calls),
            Some(_) => {
                let message = format!("a turn of role {} calls tools", turn.role);
                return Err(Fault::new("wrong-call", format!("{path}/tool_calls"), message, "only the assistant does"));
            }
            None => turn.extra.shift_remove("tool_calls"),
        };
    }
    reasoning(turn, path)?;
    for (key, message, hint) in REFUSED {
        if turn.extra.get(key).is_some_and(|value| *value != json!([]) && *value != json!(false) && *value != json!(""))
        {
            return Err(Fault::new("unsupported-field", format!("{path}/{key}"), message, hint));
        }
    }
    turn.extra.retain(|key, _| REFUSED.iter().all(|(refused, _, _)| refused != key));
    Ok(())
}

/// Refuses reasoning that is no text, or that several fields have and not the same: a template reads one of them, and which
/// one depends on the template.
fn reasoning(turn: &Turn, path: &str) -> Result<()> {
    let given: Vec<_> = REASONING.iter().filter_map(|key| turn.extra.get_key_value(*key)).collect();
    if let Some((key, given)) = given.iter().find(|(_, given)| !given.is_string()) {
        let message = format!("`{key}` is {}, not a string", kind(given));
        return Err(Fault::new("wrong-type", format!("{path}/{key}"), message, "write what was thought as text"));
    }
    let Some(((first, one), more)) = given.split_first() else { return Ok(()) };
    match more.iter().find(|(_, other)| other != one) {
        Some((key, _)) => {
            let message = format!("the turn has both `{first}` and another text in `{key}`");
            Err(Fault::new("ambiguous-shape", format!("{path}/{key}"), message, "keep one of them"))
        }
        None => Ok(()),
    }
}

/// Fields of a turn that change what it says.
const REFUSED: [(&str, &str, &str); 10] = [
    ("refusal", "the answer is in `refusal`", "write the refusal as the turn's content, or remove the row"),
    ("audio", "the turn is spoken", "only text is read: remove the row, or write what is said as content"),
    (
        "function_call",
        "`function_call` is the older spelling of a call",
        "write `tool_calls`: [{\"type\": \"function\", \"function\": …}]",
    ),
    ("images", "the turn has images", "only text is read: remove the row"),
    ("image", "the turn has an image", "only text is read: remove the row"),
    ("videos", "the turn has videos", "only text is read: remove the row"),
    ("audios", "the turn has sounds", "only text is read: remove the row"),
    ("prefix", "the turn is the beginning of an answer", "write the whole answer, or none"),
    ("partial", "the turn is the beginning of an answer", "write the whole answer, or none"),
    ("parts", "the turn's text is in `parts`", "write it as `content`"),
];

/// A turn must say something, unless it calls or reasons.
fn complete(turn: Turn) -> Result<Turn> {
    let may_be_silent = turn.role == "assistant" && (turn.calls().is_some() || turn.reasons());
    if turn.content.is_none() && !may_be_silent {
        let hint = "add it, or remove the row; only a turn that calls tools may have none";
        return Err(Fault::new("missing-text", turn.at, "the text is missing", hint));
    }
    Ok(turn)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(list: Value) -> Result<Vec<Turn>> {
        read(&list, "messages").map(|read| read.turns)
    }

    #[test]
    fn null_is_absent_and_parts_are_joined() {
        let padded = json!([{"role": "user", "name": null, "tool_calls": null,
            "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b", "image": null}]}]);
        assert_eq!(turns(padded), Ok(vec![Turn::new("user", "ab".into(), "/messages/0/content")]));
        let fault = turns(json!([{"role": "user", "content": [{"type": "image_url"}]}])).expect_err("an image");
        assert_eq!((fault.rule, fault.path.as_str()), ("not-text", "/messages/0/content/0"));
        assert!(fault.message.contains("image_url"));
    }

    #[test]
    fn a_turn_without_content_calls() {
        let calls = json!([{"type": "function", "function": {"name": "f", "arguments": {}}}]);
        let read = turns(json!([{"role": "assistant", "tool_calls": calls}])).expect("a call");
        assert_eq!((read[0].content.as_ref(), read[0].calls()), (None, Some(&calls)));
        for silent in [
            json!({"role": "assistant"}),
            json!({"role": "user", "content": null}),
            json!({"role": "assistant", "tool_calls": []}),
        ] {
            assert_eq!(turns(json!([silent])).expect_err("silent").rule, "missing-text");
        }
    }

    #[test]
    fn two_thoughts_in_one_turn_are_refused() {
        let turn =
            |other: &str| json!([{"role": "assistant", "content": "x", "thinking": "hm", "reasoning_content": other}]);
        let fault = turns(turn("ah")).expect_err("two thoughts");
        assert_eq!((fault.rule, fault.path.as_str()), ("ambiguous-shape", "/messages/0/thinking"));
        assert!(turns(turn("hm")).is_ok());
    }

    #[test]
    fn what_changes_a_turn_is_refused_by_name() {
        for (key, value) in [
            ("refusal", json!("no")),
            ("audio", json!({"id": "a"})),
            ("function_call", json!({"name": "f"})),
            ("images", json!(["a"])),
            ("prefix", json!(true)),
            ("reasoning_content", json!({"summary": "hm"})),
            ("thinking", json!(["hm"])),
        ] {
            let fault = turns(json!([{"role": "assistant", "content": "x", key: value}])).expect_err(key);
            assert_eq!(fault.path, format!("/messages/0/{key}"));
        }
        let empty =
            turns(json!([{"role": "assistant", "content": "x", "images": [], "refusal": null, "prefix": false}]));
        assert!(empty.expect("read")[0].extra.is_empty());
    }
}
