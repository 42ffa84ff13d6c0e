//! lm-evaluation-harness's `samples_TASK_DATE.jsonl`, written with `--log_samples`: one line for every document and filter. The
//! answer is what the model wrote, not what a filter left of it. A `doc_id` counts documents from 0 and is no sample's id;
//! the document itself may have one.

use super::answer::{Answer, Asked, Completion, Likelihood, Made};
use super::gather::{Part, Record};
use super::json::{self, Id, Problem};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Line {
    doc_id: u64,
    doc: Value,
    arguments: Value,
    resps: Vec<Vec<Value>>,
    filter: Option<String>,
}

/// One request: its prompt, and what was asked of the model there.
struct Request {
    prompt: Value,
    rest: Option<Value>,
}

/// The record on one line of the file called `name`.
pub(super) fn record(line: &str, place: &str, name: &str) -> Result<Record, Problem> {
    let line: Line = json::parsed(line)?;
    let requests = requests(&line.arguments)?;
    if requests.is_empty() || requests.len() != line.resps.len() {
        let what = format!("it has {} requests and {} responses", requests.len(), line.resps.len());
        return Err(Problem::new(what, json::NOT_AS_WRITTEN));
    }
    let made = match &requests[0].rest {
        Some(Value::Object(_)) => completions(&requests, &line.resps)?,
        Some(Value::String(_)) => likelihoods(&requests, &line.resps)?,
        _ => {
            let what = "the harness asked for the likelihood of whole texts, which is no answer";
            return Err(Problem::new(what, "name the samples of a task that generates or chooses"));
        }
    };
    let answer = Answer {
        id: id(&line.doc)?,
        task: task(name),
        asked: asked(&requests[0].prompt, line.doc)?,
        ..Answer::new(place, made)
    };
    let filter = line.filter.unwrap_or_else(|| "none".into());
    Ok(Record::part(answer, line.doc_id.to_string(), Part::Score(filter)))
}

/// The requests of a document: `{"gen_args_0": {"arg_0": …, "arg_1": …}, …}`, in older versions a list of lists.
fn requests(arguments: &Value) -> Result<Vec<Request>, Problem> {
    let all: Option<Vec<Request>> = match arguments {
        Value::Array(list) => list.iter().map(|one| request(one.get(0), one.get(1))).collect(),
        Value::Object(map) => (0..map.len())
            .map(|index| map.get(&format!("gen_args_{index}")))
            .map(|one| one.and_then(|one| request(one.get("arg_0"), one.get("arg_1"))))
            .collect(),
        _ => None,
    };
    all.ok_or_else(|| Problem::new("its `arguments` are not the harness's", json::NOT_AS_WRITTEN))
}

fn request(prompt: Option<&Value>, rest: Option<&Value>) -> Option<Request> {
    Some(Request { prompt: prompt?.clone(), rest: rest.cloned() })
}

fn completions(requests: &[Request], resps: &[Vec<Value>]) -> Result<Result<Made, String>, Problem> {
    let [texts] = resps else {
        let what = format!("{} prompts are asked for one document", requests.len());
        return Err(Problem::new(what, "an answer has one prompt"));
    };
    let texts: Option<Vec<&str>> = texts.iter().map(Value::as_str).collect();
    let texts = texts.filter(|texts| !texts.is_empty());
    let texts = texts.ok_or_else(|| Problem::new("a response is no text", json::NOT_AS_WRITTEN))?;
    let of = |text: &str| Completion { text: text.into(), tokens: None, finish: None };
    Ok(Ok(Made::drawn(texts.into_iter().map(of).collect())))
}

/// Likelihoods after the document's prompt. Those after no prompt at all, which the harness asks for where a task measures
/// mutual information, are about none.
fn likelihoods(requests: &[Request], resps: &[Vec<Value>]) -> Result<Result<Made, String>, Problem> {
    let prompt = &requests[0].prompt;
    let mut made = Made::default();
    for (request, resps) in requests.iter().zip(resps) {
        let empty = request.prompt.as_str() == Some("") && prompt.as_str() != Some("");
        if empty {
            continue;
        }
        if request.prompt != *prompt {
            let what = "its continuations stand after different prompts";
            return Err(Problem::new(what, "an answer has one prompt; such tasks cannot be read"));
        }
        let continuation = request.rest.as_ref().and_then(Value::as_str);
        let (Some(continuation), [resp]) = (continuation, resps.as_slice()) else {
            return Err(Problem::new("a continuation has not one likelihood", json::NOT_AS_WRITTEN));
        };
        let likelihood =
            likelihood(resp).ok_or_else(|| Problem::new(format!("{resp} is no likelihood"), json::NOT_AS_WRITTEN))?;
        if !likelihood.logprob.is_finite() {
            return Ok(Err(format!("the likelihood of {continuation:?} is {}", likelihood.logprob)));
        }
        made.likelihoods.push((continuation.into(), likelihood));
    }
    Ok(Ok(made))
}

/// `["-1.5", "False"]`, in older versions `[-1.5, false]`.
fn likelihood(resp: &Value) -> Option<Likelihood> {
    let logprob = match resp.get(0)? {
        Value::String(text) => text.parse().ok()?,
        other => other.as_f64()?,
    };
    let greedy = match resp.get(1)? {
        Value::String(text) => ["False", "True"].iter().position(|word| word == text)? == 1,
        other => other.as_bool()?,
    };
    Some(Likelihood { logprob, greedy, tokens: None })
}

fn id(doc: &Value) -> Result<Option<String>, Problem> {
    match doc.get("id") {
        None | Some(Value::Null) => Ok(None),
        Some(id) => {
            Id::try_from(id.clone()).map(|id| Some(id.0)).map_err(|what| Problem::new(what, json::NOT_AS_WRITTEN))
        }
    }
}

/// The prompt: a text, or a conversation as JSON in a list of one text, where the harness asked a server.
fn asked(prompt: &Value, doc: Value) -> Result<Asked, Problem> {
    let row = Some(doc);
    match prompt.as_str().or_else(|| prompt.get(0).and_then(Value::as_str)) {
        Some(text) => match json::written_conversation(text).filter(|_| prompt.is_array()) {
            Some(messages) => Ok(Asked { messages: Some(messages), row, texts: Vec::new() }),
            None => Ok(Asked { texts: vec![text.into()], row, messages: None }),
        },
        None => Err(Problem::new("its prompt is no text", json::NOT_AS_WRITTEN)),
    }
}

/// The task in `samples_TASK_2026-01-31T12-00-00.000000.jsonl`.
fn task(name: &str) -> Option<String> {
    let (task, date) = name.strip_prefix("samples_")?.rsplit_once('_')?;
    date.starts_with(|first: char| first.is_ascii_digit()).then(|| task.into())
}
