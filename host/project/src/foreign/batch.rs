//! The output file of a batch of OpenAI's API: a response for each request, by the id that the request was given.

use super::answer::{Answer, Completion, Finish, Made, Usage};
use super::json::{self, Id, Problem};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Line {
    custom_id: Id,
    response: Option<Response>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Response {
    status_code: u16,
    body: Value,
}

#[derive(Deserialize)]
struct Body {
    model: Option<String>,
    choices: Option<Vec<Choice>>,
    output: Option<Vec<Value>>,
    status: Option<String>,
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Choice {
    index: u64,
    finish_reason: Option<String>,
    text: Option<String>,
    message: Option<Value>,
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(alias = "input_tokens")]
    prompt_tokens: Option<u64>,
    #[serde(alias = "output_tokens")]
    completion_tokens: Option<u64>,
}

/// The answer on one line.
pub(super) fn answer(line: &str, place: &str) -> Result<Answer, Problem> {
    let Line { custom_id, response, error } = json::parsed(line)?;
    let id = Some(custom_id.0);
    let failed = |reason: String| Answer { id: id.clone(), ..Answer::new(place, Err(reason)) };
    let Some(response) = response.filter(|_| error.as_ref().is_none_or(Value::is_null)) else {
        return Ok(failed(error.as_ref().map_or("there is no response".into(), reason)));
    };
    if response.status_code != 200 {
        let said = reason(response.body.get("error").unwrap_or(&response.body));
        return Ok(failed(format!("status {}: {said}", response.status_code)));
    }
    let body: Body = serde_json::from_value(response.body).map_err(|error| odd(error.to_string()))?;
    let usage = body.usage.as_ref().map_or_else(Usage::default, |tokens| Usage {
        prompt_tokens: tokens.prompt_tokens,
        completion_tokens: tokens.completion_tokens,
        seconds: None,
    });
    let model = body.model.clone();
    Ok(Answer { id, usage, model, ..Answer::new(place, made(body, usage)?) })
}

/// What an error says of itself.
fn reason(error: &Value) -> String {
    let said = |key: &str| error.get(key).and_then(Value::as_str);
    said("message").or_else(|| said("code")).map_or_else(|| error.to_string(), String::from)
}

fn odd(what: impl Into<String>) -> Problem {
    Problem::new(what, "readable are chat completions, completions and responses")
}

fn made(body: Body, usage: Usage) -> Result<Result<Made, String>, Problem> {
    match (body.choices, body.output) {
        (Some(choices), None) => drawn(choices, usage),
        (None, Some(items)) => Ok(written(&items, body.status.as_deref(), usage).map(|one| Made::drawn(vec![one]))),
        _ => Err(odd("its response is no completion")),
    }
}

fn drawn(mut choices: Vec<Choice>, usage: Usage) -> Result<Result<Made, String>, Problem> {
    choices.sort_by_key(|choice| choice.index);
    if choices.windows(2).any(|pair| pair[0].index == pair[1].index) {
        return Err(odd("two choices of a response have one index"));
    }
    let tokens = usage.completion_tokens.filter(|_| choices.len() == 1);
    let completions: Result<Vec<Completion>, String> = choices.into_iter().map(|choice| one(choice, tokens)).collect();
    Ok(match completions {
        Ok(completions) if completions.is_empty() => Err("the response has no choices".into()),
        completions => completions.map(Made::drawn),
    })
}

fn one(choice: Choice, tokens: Option<u64>) -> Result<Completion, String> {
    let finish = choice.finish_reason.as_deref().map(Finish::named);
    let text = match (choice.text, &choice.message) {
        (Some(text), None) => text,
        (None, Some(message)) => said(message)?,
        _ => return Err("a choice has neither a text nor a message".into()),
    };
    Ok(Completion { text, tokens, finish })
}

/// The text of a message. A refusal is what the model said.
fn said(message: &Value) -> Result<String, String> {
    let calls =
        |key: &str| message.get(key).is_some_and(|calls| !calls.is_null() && *calls != Value::Array(Vec::new()));
    if calls("tool_calls") || calls("function_call") {
        return Err("the answer is the call of a tool, which is no text".into());
    }
    let text = message.get("content").and_then(|content| json::content(content, ""));
    let refusal = || message.get("refusal").and_then(Value::as_str).map(String::from);
    text.or_else(refusal).ok_or_else(|| "the answer has no text".into())
}

/// The text of a response's items: messages with their parts, reasoning left out.
fn written(items: &[Value], status: Option<&str>, usage: Usage) -> Result<Completion, String> {
    let mut text = String::new();
    let mut messages = 0;
    for item in items {
        match item["type"].as_str() {
            Some("reasoning") => {}
            Some("message") => {
                messages += 1;
                text.push_str(&parts(&item["content"])?);
            }
            other => {
                return Err(format!("the answer has a part `{}`, which is no text", other.unwrap_or("without type")));
            }
        }
    }
    let finish = match status {
        Some("completed") => Some(Finish::Stop),
        Some("incomplete") => Some(Finish::Length),
        other => return Err(format!("the response is {}", other.unwrap_or("without a status"))),
    };
    match messages {
        0 => Err("the answer has no text".into()),
        _ => Ok(Completion { text, tokens: usage.completion_tokens, finish }),
    }
}

fn parts(content: &Value) -> Result<String, String> {
    let parts = content.as_array().map(Vec::as_slice).unwrap_or_default();
    let part = |part: &Value| {
        let key = if part["type"] == "refusal" { "refusal" } else { "text" };
        part[key].as_str().map(String::from)
    };
    parts.iter().map(part).collect::<Option<Vec<_>>>().map(|all| all.concat()).ok_or("a part has no text".into())
}
