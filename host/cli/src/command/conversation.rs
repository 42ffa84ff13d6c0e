//! The conversation that `generate` asks: a prompt, or a file read as rows of datasets are, with what the command line adds.

use crate::args::Generate;
use diapason_core::config::Columns;
use diapason_core::sample::{Conversation, Message, Sample};
use diapason_core::{Error, Result};
use diapason_disk::files;
use diapason_project::dataset::{self, RESERVED, Selection};
use serde_json::{Map, Value, json};
use std::path::Path;

/// Reads the conversation up to the point where the model answers; with `--continue`, its last turn is the begun answer.
///
/// # Errors
/// A file cannot be read or does not hold one conversation, or what is given twice differs.
pub(super) fn read(arguments: &Generate) -> Result<Conversation> {
    let sample = match &arguments.message {
        Some(path) => of_file(path)?,
        None => Sample {
            messages: vec![Message::new("user", arguments.prompt.as_deref().unwrap_or_default())],
            ..Sample::default()
        },
    };
    let mut conversation = Conversation::prompt(&sample);
    conversation.messages.extend(begun(sample, arguments.continues)?);
    if let Some(text) = &arguments.system {
        add_system(&mut conversation.messages, text)?;
    }
    if let Some(path) = &arguments.tools {
        if conversation.tools.is_some() {
            return Err(Error::config("the conversation and `--tools` both give tools").hint("give one of them"));
        }
        conversation.tools = tools(path)?;
    }
    // What is typed for one conversation goes before what stands in its file.
    conversation.variables.extend(variables(&arguments.variables)?);
    Ok(conversation)
}

/// The assistant's turn that a conversation ends with.
fn begun(sample: Sample, continues: bool) -> Result<Option<Message>> {
    match (sample.answer, continues) {
        (Some(_), false) => {
            Err(Error::data("the conversation ends with an assistant's turn, so that nothing is asked")
                .hint("use `--continue` to continue that turn, or remove it"))
        }
        (None, true) => {
            let role = sample.messages.last().map_or("nobody", |last| last.role.as_str());
            Err(Error::data(format!("there is no begun answer to continue: the last turn is of role `{role}`"))
                .hint("end the conversation of `--message` with an assistant's turn, or leave `--continue` out"))
        }
        (answer, _) => Ok(answer),
    }
}

fn add_system(messages: &mut Vec<Message>, text: &str) -> Result<()> {
    match messages.iter().find(|message| matches!(message.role.as_str(), "system" | "developer")) {
        Some(message) if message.content == text => {}
        Some(_) => {
            return Err(
                Error::config("the conversation and `--system` both give a system message").hint("give one of them")
            );
        }
        None => messages.insert(0, Message::new("system", text)),
    }
    Ok(())
}

/// A file with one row of a dataset, or with a conversation's messages alone.
fn of_file(path: &Path) -> Result<Sample> {
    let name = path.display().to_string();
    let rows = match whole(path)? {
        Some(row) => row,
        None => dataset::read(path, &Columns::default())?.0,
    };
    if dataset::rows(&rows, "", Some(1)).is_empty() {
        return Err(Error::data(format!("{name} has no conversation"))
            .hint("write {\"messages\": [{\"role\": \"user\", \"content\": …}]}, or the list of messages alone"));
    }
    let mut samples = dataset::parse(&rows, &name, &Selection::default())?;
    // What `validate` says of turns is an error there, too.
    let doubts: Vec<dataset::Fault> = dataset::rows(&rows, "", None).iter().flat_map(dataset::doubts).collect();
    if !doubts.is_empty() {
        return Err(dataset::refuse(&name, &doubts));
    }
    match samples.len() {
        1 => Ok(samples.remove(0)),
        count => Err(Error::data(format!("{name} has {count} conversations, and one is asked"))
            .hint("put the one to ask in its own file; `diapason eval` asks all rows of a suite")),
    }
}

/// The file's text as one row, where it is one JSON object over however many lines, or a list of messages.
fn whole(path: &Path) -> Result<Option<String>> {
    let packed = path.extension().is_some_and(|ending| !["json", "jsonl", "txt"].iter().any(|one| ending == *one));
    if packed {
        return Ok(None);
    }
    let text = files::read_text(path)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    // Between the parts of JSON a line break means nothing, and inside of its texts there is none.
    let line = text.replace(['\n', '\r'], " ");
    let is_turn = |one: &Value| one.get("role").is_some();
    Ok(match serde_json::from_str(text) {
        Ok(Value::Object(_)) => Some(line),
        Ok(Value::Array(list)) if !list.is_empty() && list.iter().all(is_turn) => {
            Some(format!("{{\"messages\": {line}}}"))
        }
        _ => None,
    })
}

/// The tools of a file: a JSON list, as a row's `tools` are.
fn tools(path: &Path) -> Result<Option<Value>> {
    let name = path.display().to_string();
    let text = files::read_text(path)?;
    let given: Value = serde_json::from_str(&text).map_err(|source| {
        Error::data(format!("failed to read {name}"))
            .because(source)
            .hint("tools are a JSON list: [{\"type\": \"function\", \"function\": {\"name\": …}}]")
    })?;
    let given = if given.is_object() { json!([given]) } else { given };
    Ok(beside("tools", given, &name)?.tools)
}

/// Variables of the template, each as `NAME=JSON`.
fn variables(given: &[String]) -> Result<Map<String, Value>> {
    let mut variables = Map::new();
    for one in given {
        let hint = "write `--variable enable_thinking=false`; a text needs quotes: `--variable 'tone=\"short\"'`";
        let Some((name, value)) = one.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err(Error::config(format!("`--variable {one}` has no name and value")).hint(hint));
        };
        let value = serde_json::from_str(value).map_err(|source| {
            Error::config(format!("the value in `--variable {one}` is no JSON")).because(source).hint(hint)
        })?;
        if RESERVED.contains(&name) {
            return Err(Error::config(format!("`--variable {name}` cannot be set: it is what the command asks for"))
                .hint(instead(name)));
        }
        if variables.insert(name.to_owned(), value).is_some() {
            return Err(Error::config(format!("`--variable {name}` is given twice")).hint("give it once"));
        }
    }
    Ok(beside("chat_template_kwargs", variables.into(), "`--variable`")?.variables)
}

/// What says the same as a variable that cannot be set.
fn instead(name: &str) -> &'static str {
    match name {
        "messages" | "conversation" => "write the turns into a file: `--message FILE`",
        "tools" => "write the tools into a file: `--tools FILE`",
        "continue_final_message" => "pass `--continue` with a conversation that ends with the begun answer",
        "add_generation_prompt" => {
            "a prompt ends with the assistant's header; `--continue` goes on with a begun answer"
        }
        "chat_template" | "template" => "name the template: `--template FILE`",
        "template_name" | "named_templates" => "name the model's template: `--template-name NAME`",
        _ => "leave it out",
    }
}

/// What the reader of rows makes of a column beside a conversation.
fn beside(column: &str, value: Value, name: &str) -> Result<Sample> {
    let mut row = json!({"messages": [{"role": "user", "content": "x"}]});
    row[column] = value;
    Ok(dataset::parse(&row.to_string(), name, &Selection::default())?.remove(0))
}
