//! Inspect's logs: one document, or the parts of one in an archive. Epochs are draws.

use super::answer::{Answer, Asked, Completion, Finish, Made, Usage};
use super::gather::{self, Part, Record};
use super::json::{self, Id, Problem};
use diapason_core::sample::Message;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Document {
    eval: Eval,
    samples: Option<Vec<Sample>>,
}

/// What a log says of all its samples.
#[derive(Deserialize)]
pub(super) struct Header {
    pub(super) eval: Eval,
}

/// Who was asked what.
#[derive(Deserialize)]
pub(super) struct Eval {
    task: String,
    model: String,
}

/// One sample in one epoch.
#[derive(Deserialize)]
pub(super) struct Sample {
    id: Id,
    epoch: u64,
    input: Value,
    #[serde(default)]
    messages: Vec<Turn>,
    output: Output,
    error: Option<Failure>,
    invalidation: Option<Value>,
}

#[derive(Deserialize)]
struct Turn {
    role: String,
    source: Option<String>,
}

#[derive(Deserialize)]
struct Output {
    #[serde(default)]
    choices: Vec<Choice>,
    completion: Option<String>,
    usage: Option<Tokens>,
    time: Option<f64>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Choice {
    message: Value,
    stop_reason: Option<String>,
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(default)]
    input_tokens: u64,
    #[serde(default)]
    output_tokens: u64,
    input_tokens_cache_write: Option<u64>,
    input_tokens_cache_read: Option<u64>,
}

#[derive(Deserialize)]
struct Failure {
    message: String,
}

/// The answers of a document.
pub(super) fn answers(text: &str) -> Result<Vec<Answer>, Problem> {
    let Document { eval, samples } = json::parsed(text)?;
    let samples = samples.unwrap_or_default().into_iter().enumerate();
    gathered(&eval, samples.map(|(index, sample)| (format!("samples/{index}"), sample)))
}

/// The answers of samples, each with its place.
pub(super) fn gathered(
    eval: &Eval,
    samples: impl IntoIterator<Item = (String, Sample)>,
) -> Result<Vec<Answer>, Problem> {
    let record = |(place, sample): (String, Sample)| {
        let (id, epoch) = (sample.id.0.clone(), sample.epoch);
        let answer = answer(eval, sample, &place).map_err(|problem| problem.at(&place))?;
        Ok(Record::part(answer, id, Part::Repeat(epoch)))
    };
    gather::answers(samples.into_iter().map(record).collect::<Result<_, Problem>>()?)
}

fn answer(eval: &Eval, sample: Sample, place: &str) -> Result<Answer, Problem> {
    let usage = usage(&sample)?;
    Ok(Answer {
        task: Some(eval.task.clone()),
        id: Some(sample.id.0.clone()),
        asked: asked(&sample.input),
        usage,
        model: Some(eval.model.clone()),
        ..Answer::new(place, made(sample, usage))
    })
}

/// A conversation. One that is more than text still tells what was asked: it stands for itself, as JSON.
fn asked(input: &Value) -> Asked {
    let only = |messages| Asked { messages: Some(messages), ..Asked::default() };
    match input {
        Value::String(text) => only(vec![Message::new("user", text)]),
        turns => {
            json::conversation(turns).map_or_else(|| Asked { texts: vec![turns.to_string()], ..Asked::default() }, only)
        }
    }
}

/// What the one request took; unknown where a sample made several, of which the log's output has only the last.
fn usage(sample: &Sample) -> Result<Usage, Problem> {
    let generated = |turn: &&Turn| turn.role == "assistant" && turn.source.as_deref() != Some("input");
    if sample.messages.iter().filter(generated).count() > 1 {
        return Ok(Usage::default());
    }
    let tokens = sample.output.usage.as_ref();
    let read = |tokens: &Tokens| {
        let cached = [tokens.input_tokens_cache_read, tokens.input_tokens_cache_write];
        cached.into_iter().flatten().fold(tokens.input_tokens, u64::saturating_add)
    };
    Ok(Usage {
        prompt_tokens: tokens.map(read),
        completion_tokens: tokens.map(|tokens| tokens.output_tokens),
        seconds: json::seconds(sample.output.time, 1.0)?,
    })
}

fn made(sample: Sample, usage: Usage) -> Result<Made, String> {
    if let Some(failure) = sample.error {
        return Err(failure.message);
    }
    if sample.invalidation.is_some_and(|said| !said.is_null()) {
        return Err("the sample is marked as invalid in the log".into());
    }
    let Output { choices, completion, error, .. } = sample.output;
    let tokens = usage.completion_tokens.filter(|_| choices.len() == 1);
    match (choices.as_slice(), completion) {
        ([], _) => Err(error.unwrap_or_else(|| "the model was not asked, or said nothing".into())),
        // A solver may have set the completion.
        ([only], Some(text)) if !is_call(only) || !text.is_empty() => {
            Ok(Made::drawn(vec![Completion { text, tokens, finish: finish(only) }]))
        }
        (several, _) => several.iter().map(|choice| text(choice, tokens)).collect::<Result<_, _>>().map(Made::drawn),
    }
}

fn text(choice: &Choice, tokens: Option<u64>) -> Result<Completion, String> {
    if is_call(choice) {
        return Err("the answer is the call of a tool, which is no text".into());
    }
    match json::content(&choice.message["content"], "\n") {
        Some(text) => Ok(Completion { text, tokens, finish: finish(choice) }),
        None => Err("the answer is no text".into()),
    }
}

fn is_call(choice: &Choice) -> bool {
    choice.message["tool_calls"].as_array().is_some_and(|calls| !calls.is_empty())
}

fn finish(choice: &Choice) -> Option<Finish> {
    choice.stop_reason.as_deref().filter(|reason| *reason != "unknown").map(Finish::named)
}
