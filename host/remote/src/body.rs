//! What is sent.

use diapason_core::config::{Endpoint, Protocol};
use diapason_core::engine::Request;
use diapason_core::language_model::Decoding;
use diapason_core::sample::{Conversation, Message, WEIGHT};
use diapason_core::{Result, digest};
use serde_json::{Map, Value, json};

/// The name that a server has for the upper limit of new tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// `max_tokens`.
    Usual,
    /// `max_completion_tokens`, as OpenAI's reasoning models want it.
    OfCompletion,
}

/// The path of a protocol.
pub(crate) fn path(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Chat => "/chat/completions",
        Protocol::Completions => "/completions",
    }
}

/// What asks for a completion of `request`.
///
/// Errors if the prompt is not in the form that the protocol needs.
pub(crate) fn completion(
    endpoint: &Endpoint,
    request: &Request<'_>,
    decoding: &Decoding,
    stream: u64,
    limit: Limit,
) -> Result<Value> {
    let mut body = decoded(endpoint, decoding, stream, limit);
    match endpoint.protocol {
        Protocol::Chat => conversation(&mut body, request.conversation()?),
        Protocol::Completions => put(&mut body, "prompt", request.text()?.into()),
    }
    Ok(Value::Object(body))
}

/// What asks for the log-probabilities of `text`'s tokens: the text is given back with those, and one token more.
pub(crate) fn echo(endpoint: &Endpoint, text: &str) -> Value {
    json!({"model": endpoint.model, "prompt": text, "max_tokens": 1, "temperature": 0, "logprobs": 1, "echo": true, "stream": false})
}

/// What asks for the number of `text`'s tokens.
pub(crate) fn count(endpoint: &Endpoint, text: &str) -> Value {
    json!({"model": endpoint.model, "prompt": text, "max_tokens": 1, "temperature": 0, "stream": false})
}

fn decoded(endpoint: &Endpoint, decoding: &Decoding, stream: u64, limit: Limit) -> Map<String, Value> {
    let limit = match limit {
        Limit::Usual => "max_tokens",
        Limit::OfCompletion => "max_completion_tokens",
    };
    let mut body = Map::new();
    put(&mut body, "model", endpoint.model.as_str().into());
    put(&mut body, limit, decoding.max_tokens.into());
    put(&mut body, "temperature", decoding.temperature.into());
    put(&mut body, "top_p", decoding.top_p.into());
    put(&mut body, "seed", seed(decoding.seed, stream).into());
    put(&mut body, "stream", false.into());
    let stop: Vec<&String> = decoding.stop.iter().filter(|stop| !stop.is_empty()).collect();
    if !stop.is_empty() {
        put(&mut body, "stop", json!(stop));
    }
    body
}

/// A seed of its own for each answer, in 31 bits, which every server takes.
fn seed(seed: u64, stream: u64) -> u32 {
    let digest = digest::of_parts([("seed", seed.to_string().as_str()), ("stream", stream.to_string().as_str())]);
    u32::from_str_radix(&digest[..8], 16).unwrap_or_default() >> 1
}

/// The template's variables go where vLLM, SGLang and llama.cpp look for them; others refuse what they do not know.
fn conversation(body: &mut Map<String, Value>, asked: &Conversation) {
    put(body, "messages", asked.messages.iter().map(message).collect());
    if let Some(tools) = &asked.tools {
        put(body, "tools", tools.clone());
    }
    if !asked.variables.is_empty() {
        put(body, "chat_template_kwargs", Value::Object(asked.variables.clone()));
    }
}

fn message(message: &Message) -> Value {
    let mut turn = Map::new();
    put(&mut turn, "role", message.role.as_str().into());
    let content = if message.no_content { Value::Null } else { message.content.as_str().into() };
    put(&mut turn, "content", content);
    // A turn's weight is training's.
    for (key, value) in message.extra.iter().filter(|(key, _)| *key != WEIGHT) {
        put(&mut turn, key, if key == "tool_calls" { calls(value) } else { value.clone() });
    }
    Value::Object(turn)
}

/// The protocol has a call's arguments as text of JSON; templates have them as objects.
fn calls(calls: &Value) -> Value {
    let mut calls = calls.clone();
    for call in calls.as_array_mut().into_iter().flatten() {
        if let Some(arguments) = call.pointer_mut("/function/arguments").filter(|arguments| !arguments.is_string()) {
            *arguments = arguments.to_string().into();
        }
    }
    calls
}

fn put(map: &mut Map<String, Value>, key: &str, value: Value) {
    map.insert(key.to_owned(), value);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_written_as_the_protocol_has_them() {
        let mut asked = Message::new("assistant", "");
        asked.no_content = true;
        let call = json!([{"id": "1", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}]);
        asked.extra = [("weight".to_owned(), json!(0)), ("tool_calls".to_owned(), call)].into_iter().collect();
        let written = message(&asked);
        assert_eq!(written["content"], Value::Null);
        assert_eq!(written["tool_calls"][0]["function"]["arguments"], json!("{\"a\":1}"));
        assert!(written.get("weight").is_none());
    }

    #[test]
    fn each_answer_has_a_seed_of_its_own() {
        assert_eq!(seed(42, 7), seed(42, 7));
        assert!(seed(42, 7) != seed(42, 8) && seed(42, 7) != seed(43, 7));
        assert!((0..1000).all(|stream| seed(1, stream) <= i32::MAX as u32));
    }
}
