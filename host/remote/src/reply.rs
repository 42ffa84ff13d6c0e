//! What a server's answer says, read strictly: what is missing or unknown is named, nothing is made up.

use diapason_core::engine::{Loss, Said, Usage};
use diapason_core::language_model::{Completion, Decoding, Finish};
use serde_json::Value;

/// A shape that the protocol does not have.
pub(crate) type Wrong = String;

/// Who answered: a model by its name, and the fingerprint of what it runs on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) model: Option<String>,
    pub(crate) fingerprint: Option<String>,
}

/// Who gave this answer.
pub(crate) fn served(answer: &Value) -> Served {
    let text = |key: &str| answer[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    Served { model: text("model"), fingerprint: text("system_fingerprint") }
}

/// What an answer took, as far as the server says so.
pub(crate) fn usage(answer: &Value) -> Usage {
    let count = |key: &str| answer["usage"][key].as_u64();
    Usage { prompt_tokens: count("prompt_tokens"), completion_tokens: count("completion_tokens"), seconds: 0.0 }
}

/// The answer of `/chat/completions`. Its text is `content`; thoughts (`reasoning_content`, `reasoning`) are no part of it.
///
/// Errors if it is none.
pub(crate) fn of_chat(answer: &Value, decoding: &Decoding) -> Result<Said, Wrong> {
    let choice = choice(answer)?;
    let message = choice.get("message").filter(|message| message.is_object());
    let message = message.ok_or("its answer has no `choices[0].message`")?;
    match (content(&message["content"])?, ended(message, finish(choice))) {
        (_, Err(loss)) => Ok(Said::Lost(loss)),
        (Some(text), Ok(finish)) => completion(text, finish, answer, decoding),
        // The limit was reached within the thoughts: there is no text yet.
        (None, Ok(Finish::Length)) => completion(String::new(), Finish::Length, answer, decoding),
        (None, Ok(Finish::Stop)) => Ok(Said::Lost(Loss::NoContent)),
    }
}

/// The answer of `/completions`.
///
/// Errors if it is none.
pub(crate) fn of_completions(answer: &Value, decoding: &Decoding) -> Result<Said, Wrong> {
    let choice = choice(answer)?;
    let text = choice["text"].as_str().ok_or("its answer has no `choices[0].text`")?;
    match finish(choice) {
        Ok(finish) => completion(text.to_owned(), finish, answer, decoding),
        Err(loss) => Ok(Said::Lost(loss)),
    }
}

/// The only choice there is.
pub(crate) fn choice(answer: &Value) -> Result<&Value, Wrong> {
    let choices = answer["choices"].as_array().ok_or("its answer has no `choices`")?;
    match choices.as_slice() {
        [choice] if choice.get("error").is_some_and(|error| !error.is_null()) => Err(format!(
            "its answer is an error: {}",
            choice["error"]["message"].as_str().unwrap_or("it does not say which")
        )),
        [choice] => Ok(choice),
        others => Err(format!("its answer has {} choices where 1 was asked for", others.len())),
    }
}

/// How an answer ended, if it can be scored.
fn finish(choice: &Value) -> Result<Finish, Loss> {
    match choice.get("finish_reason").unwrap_or(&Value::Null) {
        Value::String(reason) => match reason.as_str() {
            "stop" => Ok(Finish::Stop),
            "length" => Ok(Finish::Length),
            "content_filter" => Err(Loss::Filtered),
            "tool_calls" | "function_call" => Err(Loss::ToolCalls(Vec::new())),
            other => Err(Loss::UnknownFinish(other.to_owned())),
        },
        other => Err(Loss::UnknownFinish(other.to_string())),
    }
}

/// The same, as the message has it.
fn ended(message: &Value, finish: Result<Finish, Loss>) -> Result<Finish, Loss> {
    let refusal = message["refusal"].as_str().filter(|words| !words.is_empty());
    let calls: Vec<String> = called(message).collect();
    match (finish, refusal) {
        (Err(Loss::Filtered), _) => Err(Loss::Filtered),
        (_, Some(words)) => Err(Loss::Refused(words.to_owned())),
        _ if !calls.is_empty() => Err(Loss::ToolCalls(calls)),
        (finish, None) => finish,
    }
}

/// The names of what the message calls, by the protocol of today and that of 2023.
fn called(message: &Value) -> impl Iterator<Item = String> {
    let calls = message["tool_calls"].as_array().into_iter().flatten().map(|call| &call["function"]["name"]);
    let old = message.get("function_call").filter(|call| call.is_object()).map(|call| &call["name"]);
    calls.chain(old).map(|name| name.as_str().unwrap_or("without a name").to_owned())
}

/// A text, or parts of which those of text are the answer and thoughts are not.
fn content(content: &Value) -> Result<Option<String>, Wrong> {
    let parts = match content {
        Value::Null => return Ok(None),
        Value::String(text) => return Ok(Some(text.clone())),
        Value::Array(parts) => parts,
        _ => return Err("its answer's `content` is neither text nor a list".to_owned()),
    };
    let mut text = None;
    for part in parts {
        match (part["type"].as_str(), part["text"].as_str()) {
            (Some("text"), Some(more)) => text.get_or_insert_with(String::new).push_str(more),
            (Some("thinking" | "reasoning"), _) => {}
            _ => return Err(format!("its answer's `content` has a part of the type {}", part["type"])),
        }
    }
    Ok(text)
}

/// A server that does not stop where it should is stopped here; one that writes more than it should is refused.
fn completion(mut text: String, mut finish: Finish, answer: &Value, decoding: &Decoding) -> Result<Said, Wrong> {
    let written = answer["usage"]["completion_tokens"].as_u64().and_then(|count| usize::try_from(count).ok());
    let written = written.ok_or("it does not say how long its answer is (`usage.completion_tokens`)")?;
    if written > decoding.max_tokens {
        return Err(format!("its answer has {written} tokens, though the limit is {}", decoding.max_tokens));
    }
    let stops = decoding.stop.iter().filter(|stop| !stop.is_empty()).filter_map(|stop| text.find(stop.as_str()));
    if let Some(end) = stops.min() {
        text.truncate(end);
        finish = Finish::Stop;
    }
    let thoughts = answer.pointer("/usage/completion_tokens_details/reasoning_tokens").and_then(Value::as_u64);
    let thoughts = thoughts.and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
    Ok(Said::Completion(Completion { text, tokens: written.saturating_sub(thoughts), finish }))
}
