//! promptfoo's results, as one document or a result a line. A test's id is its variable `id`. A test whose assertion does not
//! hold is answered all the same: only an error of the request is no answer.

use super::answer::{Answer, Asked, Completion, Finish, Made, Usage};
use super::gather::{self, Part, Record};
use super::json::{self, Id, Problem};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::HashMap;

#[derive(Deserialize)]
struct Document {
    results: Results,
    #[serde(default, rename = "runtimeOptions")]
    options: Option<Options>,
}

#[derive(Deserialize)]
struct Results {
    version: Option<u64>,
    results: Vec<Row>,
}

#[derive(Deserialize)]
struct Options {
    repeat: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    vars: Map<String, Value>,
    prompt: Prompt,
    provider: Value,
    response: Option<Response>,
    error: Option<String>,
    failure_reason: Option<u64>,
    latency_ms: Option<f64>,
    prompt_idx: u64,
}

#[derive(Deserialize)]
struct Prompt {
    raw: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    output: Option<Value>,
    error: Option<Value>,
    token_usage: Option<Tokens>,
    cached: Option<bool>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Tokens {
    prompt: Option<u64>,
    completion: Option<u64>,
}

/// A result whose `failureReason` is this had no answer; 1 is an assertion that did not hold.
const ERROR: u64 = 2;

/// The answers of a document. What is repeated is drawn several times.
pub(super) fn answers(text: &str) -> Result<Vec<Answer>, Problem> {
    let document: Document = json::parsed(text)?;
    if let Some(version) = document.results.version.filter(|version| *version != 3) {
        let what = format!("its results are of version {version}, version 3 is read");
        return Err(Problem::new(what, "write them with a newer promptfoo"));
    }
    let repeat = document.options.and_then(|options| options.repeat).unwrap_or(1);
    let mut seen: HashMap<String, u64> = HashMap::new();
    let mut records = Vec::new();
    for (index, row) in document.results.results.into_iter().enumerate() {
        let place = format!("results/results/{index}");
        let key = format!("{} {}", row.prompt_idx, Value::Object(row.vars.clone()));
        let answer = of(row, &place).map_err(|problem| problem.at(&place))?;
        let count = seen.entry(key.clone()).or_default();
        *count += 1;
        records.push(match repeat {
            0 | 1 => Record::only(answer),
            _ => Record::part(answer, key, Part::Repeat(*count)),
        });
    }
    match seen.values().find(|count| repeat > 1 && **count != repeat) {
        Some(count) => {
            let what = format!("its tests are repeated {repeat} times, but one of them has {count} results");
            Err(Problem::new(what, "give tests that are asked alike an `id` among their variables"))
        }
        None => gather::answers(records),
    }
}

/// The answer on one line.
pub(super) fn answer(line: &str, place: &str) -> Result<Answer, Problem> {
    of(json::parsed(line)?, place)
}

fn of(row: Row, place: &str) -> Result<Answer, Problem> {
    let id = row.vars.get("id").filter(|id| !id.is_null()).cloned();
    let id = id.map(Id::try_from).transpose().map_err(|what| Problem::new(what, json::NOT_AS_WRITTEN))?;
    let cached = row.response.as_ref().is_some_and(|response| response.cached == Some(true));
    let tokens = row.response.as_ref().and_then(|response| response.token_usage.as_ref()).filter(|_| !cached);
    let usage = Usage {
        prompt_tokens: tokens.and_then(|tokens| tokens.prompt),
        completion_tokens: tokens.and_then(|tokens| tokens.completion),
        seconds: json::seconds(row.latency_ms.filter(|_| !cached), 1e-3)?,
    };
    Ok(Answer {
        id: id.map(|id| id.0),
        asked: asked(&row.prompt.raw),
        usage,
        model: Some(model(&row)),
        ..Answer::new(place, made(row, usage))
    })
}

fn asked(raw: &str) -> Asked {
    match json::written_conversation(raw) {
        Some(messages) => Asked { messages: Some(messages), ..Asked::default() },
        None if raw == "[prompt stripped]" => Asked::default(),
        None => Asked { texts: vec![raw.into()], ..Asked::default() },
    }
}

/// The provider. Where there are several prompts, each test has an answer to each, which is refused as doubled.
fn model(row: &Row) -> String {
    let said = |key: &str| row.provider[key].as_str().filter(|text| !text.is_empty());
    said("label").or(said("id")).or(row.provider.as_str()).unwrap_or("a provider without id").into()
}

fn made(row: Row, usage: Usage) -> Result<Made, String> {
    let Some(response) = row.response else { return Err(row.error.unwrap_or_else(|| "there is no response".into())) };
    if let Some(error) = response.error.filter(|error| !error.is_null()) {
        return Err(error.as_str().map_or_else(|| error.to_string(), String::from));
    }
    let finish = response.finish_reason.as_deref().map(Finish::named);
    match response.output {
        // An error while an answer was judged leaves the answer in its place.
        Some(Value::String(text)) if text == "[output stripped]" => Err("the text was left out of the file".into()),
        Some(Value::String(text)) => {
            Ok(Made::drawn(vec![Completion { text, tokens: usage.completion_tokens, finish }]))
        }
        None | Some(Value::Null) if row.failure_reason == Some(ERROR) => {
            Err(row.error.unwrap_or_else(|| "the request failed".into()))
        }
        None | Some(Value::Null) => Err("there is no output".into()),
        Some(_) => Err("the output is data that was made of the answer, not its text".into()),
    }
}
