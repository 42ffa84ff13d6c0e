//! Every Eval Ever's records of single samples, one line for every sample and score. What lm-evaluation-harness's converter
//! puts there where a filter or a choice made the answer is no model's text, and refused.

use super::answer::{Answer, Asked, Completion, Made, Usage};
use super::gather::{Part, Record};
use super::json::{self, Problem};
use diapason_core::sample::Message;
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Line {
    model_id: String,
    evaluation_name: String,
    evaluation_result_id: Option<String>,
    sample_id: String,
    input: Input,
    output: Option<Output>,
    messages: Option<Vec<Turn>>,
    token_usage: Option<Tokens>,
    performance: Option<Performance>,
    error: Option<String>,
    metadata: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Input {
    raw: String,
    formatted: Option<String>,
    choices: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Output {
    raw: Vec<String>,
}

#[derive(Deserialize)]
struct Turn {
    turn_idx: u64,
    role: String,
    content: Option<String>,
    tool_calls: Option<Vec<Value>>,
}

#[derive(Deserialize)]
struct Tokens {
    input_tokens: u64,
    output_tokens: u64,
    input_tokens_cache_write: Option<u64>,
    input_tokens_cache_read: Option<u64>,
}

#[derive(Deserialize)]
struct Performance {
    latency_ms: Option<f64>,
}

/// The record on one line.
pub(super) fn record(line: &str, place: &str) -> Result<Record, Problem> {
    let line: Line = json::parsed(line)?;
    refuse_extracted(&line)?;
    let usage = usage(&line)?;
    let Line { error, output, messages, .. } = line;
    let (before, made) = match (error, output, messages) {
        (Some(reason), ..) if !reason.is_empty() => (None, Err(reason)),
        (_, Some(output), None) => (None, drawn(output.raw, usage)),
        (_, None, Some(turns)) => last(turns, usage)?,
        _ => return Err(Problem::new("it has not one of `output` and `messages`", json::NOT_AS_WRITTEN)),
    };
    let answer = Answer {
        task: Some(line.evaluation_name.clone()),
        id: Some(line.sample_id.clone()).filter(|id| !id.is_empty()),
        asked: Asked {
            texts: [Some(line.input.raw), line.input.formatted].into_iter().flatten().collect(),
            messages: before,
            row: None,
        },
        usage,
        model: Some(line.model_id),
        ..Answer::new(place, made)
    };
    let score = format!("{} {}", line.evaluation_name, line.evaluation_result_id.unwrap_or_default());
    Ok(Record::part(answer, line.sample_id, Part::Score(score)))
}

fn refuse_extracted(line: &Line) -> Result<(), Problem> {
    let said = |key: &str| line.metadata.as_ref().and_then(|map| map.get(key)).and_then(Value::as_str);
    let filter = said("filter").filter(|filter| *filter != "none");
    let what = match (filter, said("lm_eval_metrics"), &line.input.choices) {
        (Some(filter), Some(_), _) => format!("its output is what the filter `{filter}` left of an answer"),
        (None, Some(_), Some(_)) => "its output is the choice with the highest likelihood, which no model wrote".into(),
        _ => return Ok(()),
    };
    Err(Problem::new(what, "name lm-evaluation-harness's own `samples_*.jsonl`"))
}

fn usage(line: &Line) -> Result<Usage, Problem> {
    let read = |tokens: &Tokens| {
        let cached = [tokens.input_tokens_cache_read, tokens.input_tokens_cache_write];
        cached.into_iter().flatten().fold(tokens.input_tokens, u64::saturating_add)
    };
    Ok(Usage {
        prompt_tokens: line.token_usage.as_ref().map(read),
        completion_tokens: line.token_usage.as_ref().map(|tokens| tokens.output_tokens),
        seconds: json::seconds(line.performance.as_ref().and_then(|times| times.latency_ms), 1e-3)?,
    })
}

fn drawn(texts: Vec<String>, usage: Usage) -> Result<Made, String> {
    let tokens = usage.completion_tokens.filter(|_| texts.len() == 1);
    match texts.len() {
        0 => Err("there is no output".into()),
        _ => Ok(Made::drawn(texts.into_iter().map(|text| Completion { text, tokens, finish: None }).collect())),
    }
}

type Transcript = (Option<Vec<Message>>, Result<Made, String>);

/// The last turn of a transcript as the answer to those before.
fn last(mut turns: Vec<Turn>, usage: Usage) -> Result<Transcript, Problem> {
    turns.sort_by_key(|turn| turn.turn_idx);
    if turns.windows(2).any(|pair| pair[0].turn_idx == pair[1].turn_idx) {
        return Err(Problem::new("two of its turns have one number", json::NOT_AS_WRITTEN));
    }
    let answer = turns.pop();
    let plain = |turn: &Turn| turn.tool_calls.as_ref().is_none_or(Vec::is_empty);
    let answers = turns.iter().filter(|turn| turn.role == "assistant").count();
    let before = turns.iter().map(|turn| {
        let content = turn.content.clone().filter(|_| plain(turn))?;
        Some(Message::new(turn.role.clone(), content))
    });
    let before = before.collect();
    let made = match answer {
        Some(turn) if turn.role == "assistant" && plain(&turn) => match turn.content {
            // The file counts the tokens of the whole transcript.
            Some(text) => {
                let tokens = usage.completion_tokens.filter(|_| answers == 0);
                Ok(Made::drawn(vec![Completion { text, tokens, finish: None }]))
            }
            None => Err("the last turn has no text".into()),
        },
        Some(turn) if turn.role == "assistant" => Err("the answer is the call of a tool, which is no text".into()),
        Some(turn) => Err(format!("the transcript ends with a turn of `{}`", turn.role)),
        None => Err("the transcript has no turns".into()),
    };
    Ok((before, made))
}
