//! A row, read: what is asked, what is answered, and all that stands beside it.

use crate::fault::{Fault, Result};
use crate::json::{kind, parsed, without_nulls};
use crate::turns::{self, Turn};
use crate::{Shape, beside, calls, columns, json, numbers, order};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

type Row = Map<String, Value>;

/// A row, read. Nothing of it is null.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// How the row is laid out.
    pub shape: Shape,
    /// Other shapes whose keys the row has too, which are not read.
    pub other_shapes: Vec<Shape>,
    /// The row's `id`.
    pub id: Option<String>,
    /// The turns before the answer, first to last.
    pub messages: Vec<Turn>,
    /// The assistant's turn that the row ends with.
    pub answer: Option<Turn>,
    /// Answers that are right, any of them: the row's `reference`, else what the last turn says.
    pub references: Vec<String>,
    /// Whether the row has a `reference` of its own.
    pub has_reference: bool,
    /// The answers to choose from.
    pub choices: Vec<String>,
    /// The text that an answer must be supported by.
    pub context: Option<String>,
    /// Names and values.
    pub tags: BTreeMap<String, String>,
    /// Tool definitions, a list of objects.
    pub tools: Option<Value>,
    /// The row's own variables of the template.
    pub variables: Map<String, Value>,
    /// Columns that nothing reads.
    pub unread: Vec<String>,
    /// What a validator says of a row that can be read: unknown roles, an unusual order.
    pub doubts: Vec<Fault>,
}

/// What a row asks and answers.
pub(crate) struct Talk {
    pub(crate) messages: Vec<Turn>,
    pub(crate) answer: Option<Turn>,
    pub(crate) doubts: Vec<Fault>,
}

/// Reads one line of a dataset.
///
/// # Errors
/// All that is wrong with the row, at least one fault.
pub fn read(line: &str) -> std::result::Result<Reading, Vec<Fault>> {
    let mut row = json::object(line).map_err(|fault| vec![fault])?;
    let nulls: Vec<String> = row.iter().filter(|(_, value)| value.is_null()).map(|(key, _)| key.clone()).collect();
    row.retain(|_, value| !value.is_null());
    let shape = Shape::of(&row).ok_or_else(|| vec![unknown(&row, &nulls)])?;
    columns::refuse(&row).map_err(|fault| vec![fault])?;
    // A column that nothing reads may hold any number.
    if let Some(number) = numbers::unheld(json::body(line), &columns::unread(&row, shape)) {
        return Err(vec![numbers::refused("", number)]);
    }
    let talk = talk(&row, shape)?;
    rest(&row, shape, talk).map_err(|fault| vec![fault])
}

fn unknown(row: &Row, nulls: &[String]) -> Fault {
    if let Some((key, _)) = crate::SHAPES.iter().find(|(key, _)| nulls.iter().any(|null| null == key)) {
        return Fault::new("missing-text", format!("/{key}"), format!("`{key}` is null"), "add it, or remove the row");
    }
    let keys = row.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let keys = if keys.is_empty() { "it has no keys".into() } else { format!("its keys are {keys}") };
    let known = "a row has `messages`, `instruction` (+ `input`, `output`), `prompt` (+ `completion`) or `conversations`; \
                 name other columns by `columns = { prompt = \"…\", completion = \"…\" }` beside the file's path";
    let hint = FOREIGN.iter().find(|(key, _)| row.contains_key(*key)).map_or(known, |(_, hint)| hint);
    Fault::new("unknown-shape", "", format!("no known shape: {keys}"), hint)
}

/// Keys by which shapes of other tools are known, and what to do about them.
const FOREIGN: [(&str, &str); 6] = [
    ("contents", "Gemini's `contents` are not read: write `messages`, each with `role` and `content`"),
    (
        "conversation",
        "write `messages`, each with `role` and `content`: one for what was asked, one for what was answered",
    ),
    ("preferred_output", "preference pairs are not trained on: write the answer to learn as `completion`"),
    ("ideal", "name the columns beside the file's path: `columns = { messages = \"input\", reference = \"ideal\" }`"),
    ("item", "write what stands in `item` as the row itself"),
    ("body", "these are requests to an API: write `messages` of `body`, and the answer as their last turn"),
];

fn talk(row: &Row, shape: Shape) -> std::result::Result<Talk, Vec<Fault>> {
    let one = |fault| vec![fault];
    let mut talk = match shape {
        Shape::Messages => conversation(row, "messages")?,
        Shape::ShareGpt => conversation(row, "conversations")?,
        Shape::Alpaca => beside::alpaca(row).map_err(one)?,
        Shape::PromptCompletion => beside::prompt(row)?,
    };
    beside::add_system(row, &mut talk).map_err(one)?;
    columns::refuse_mixture(row, shape, talk.answer.is_some() || row.contains_key("reference")).map_err(one)?;
    Ok(talk)
}

/// A list of turns: the last one is the answer where it is the assistant's, whatever its further fields.
fn conversation(row: &Row, key: &str) -> std::result::Result<Talk, Vec<Fault>> {
    let mut read = turns::read(&row[key], key).map_err(|fault| vec![fault])?;
    let (impossible, doubts) = order::check(&read, key);
    if !impossible.is_empty() {
        return Err(impossible);
    }
    let answered = read.turns.last().is_some_and(|last| last.role == "assistant");
    let answer = if answered { read.turns.pop() } else { None };
    if read.turns.is_empty() {
        let hint = "a conversation needs at least one turn before the answer";
        return Err(vec![Fault::new("role-order", format!("/{key}/0"), "nothing is asked", hint)]);
    }
    Ok(Talk { messages: read.turns, answer, doubts })
}

fn rest(row: &Row, shape: Shape, talk: Talk) -> Result<Reading> {
    let own = references(row)?;
    let has_reference = !own.is_empty();
    let answered = talk.answer.iter().map(Turn::answer);
    let is_other = |(key, other): &&(&str, Shape)| *other != shape && row.contains_key(*key);
    Ok(Reading {
        shape,
        other_shapes: crate::SHAPES.iter().filter(is_other).map(|(_, other)| *other).collect(),
        id: id(row)?,
        references: if has_reference { own } else { answered.collect() },
        has_reference,
        choices: choices(row)?,
        context: context(row)?,
        tags: tags(row)?,
        tools: row
            .get("tools")
            .cloned()
            .map(|tools| calls::tools(tools, shape == Shape::ShareGpt))
            .transpose()?
            .flatten(),
        variables: beside::variables(row)?,
        unread: columns::unread(row, shape),
        messages: talk.messages,
        answer: talk.answer,
        doubts: talk.doubts,
    })
}

fn id(row: &Row) -> Result<Option<String>> {
    match row.get("id") {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(other) => {
            let hint = "an id is a text that is not empty, or a number";
            Err(Fault::new("wrong-type", "/id", format!("`id` is {other}"), hint))
        }
    }
}

/// The row's own references: a text, a JSON document, a whole number, or a list of texts, any of which is right.
fn references(row: &Row) -> Result<Vec<String>> {
    let Some(given) = row.get("reference") else { return Ok(Vec::new()) };
    let Value::Array(list) = given else { return reference(given, "/reference").map(|one| vec![one]) };
    if list.is_empty() {
        let hint = "write at least one; a list means that any of its answers is right";
        return Err(Fault::new("no-answer", "/reference", "`reference` is an empty list", hint));
    }
    let one = |(index, value): (usize, &Value)| {
        value.as_str().map(String::from).ok_or_else(|| {
            let message = format!("a reference of the list is {}", json::shown(value));
            let hint = "a list means that any of its texts is right; write a JSON document, or a list that is one \
                        answer, as text";
            Fault::new("wrong-type", format!("/reference/{index}"), message, hint)
        })
    };
    list.iter().enumerate().map(one).collect()
}

fn reference(value: &Value, path: &str) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Object(turn) if crate::turns::is_turn(turn) => {
            let message = format!("a reference is a turn, not a text: {value}");
            Err(Fault::new("wrong-type", path, message, "write its text"))
        }
        Value::Object(_) => Ok(value.to_string()),
        Value::Number(number) if !number.is_f64() => Ok(number.to_string()),
        other => {
            let message = format!("a reference is {other}");
            Err(Fault::new("wrong-type", path, message, "write a string, such as \"true\" or \"2.50\""))
        }
    }
}

fn choices(row: &Row) -> Result<Vec<String>> {
    let hint = "write \"choices\": [\"…\", \"…\"]";
    let wrong = || Fault::new("wrong-type", "/choices", "`choices` is no list of texts", hint);
    let Some(given) = row.get("choices") else { return Ok(Vec::new()) };
    let Value::Array(list) = parsed(given.clone(), "/choices", "`choices`")? else { return Err(wrong()) };
    list.iter().map(|one| one.as_str().map(String::from).ok_or_else(wrong)).collect()
}

fn context(row: &Row) -> Result<Option<String>> {
    match row.get("context") {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(json @ (Value::Object(_) | Value::Array(_))) => Ok(Some(json.to_string())),
        Some(other) => {
            Err(Fault::new("wrong-type", "/context", format!("`context` is {}", kind(other)), "write a string"))
        }
    }
}

fn tags(row: &Row) -> Result<BTreeMap<String, String>> {
    let wrong = || {
        let hint = "write \"tags\": {\"cluster\": \"…\"}";
        Fault::new("wrong-type", "/tags", "`tags` is no object of texts and numbers", hint)
    };
    let Some(given) = row.get("tags") else { return Ok(BTreeMap::new()) };
    let Value::Object(map) = without_nulls(parsed(given.clone(), "/tags", "`tags`")?) else { return Err(wrong()) };
    let tag = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err(wrong()),
    };
    map.iter().map(|(name, value)| Ok((name.clone(), tag(value)?))).collect()
}
