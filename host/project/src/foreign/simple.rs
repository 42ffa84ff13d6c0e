//! The simplest form: a row of `id` and `output`, with what else is known of the answer.

use super::answer::{Answer, Asked, Completion, Finish, Made, Usage};
use super::json::{self, Id, Problem};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Row {
    id: Id,
    #[serde(default)]
    output: Output,
    suite: Option<String>,
    prompt: Option<String>,
    messages: Option<Value>,
    model: Option<String>,
    tokens: Option<Count>,
    prompt_tokens: Option<Count>,
    seconds: Option<Number>,
    finish: Option<String>,
    error: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// A text, or several that were drawn.
#[derive(Deserialize)]
#[serde(untagged, expecting = "`output` is a text, or a list of texts that were drawn")]
enum Output {
    Nothing(()),
    Text(String),
    Draws(Vec<String>),
}

impl Default for Output {
    fn default() -> Self {
        Self::Nothing(())
    }
}

/// A number, as a text where it was a cell of a table.
#[derive(Deserialize)]
#[serde(untagged, expecting = "`tokens` and `prompt_tokens` are whole numbers")]
enum Count {
    Number(u64),
    Cell(String),
}

/// Like [`Count`], of seconds.
#[derive(Deserialize)]
#[serde(untagged, expecting = "`seconds` is a number")]
enum Number {
    Number(f64),
    Cell(String),
}

/// The answer in one row; columns that nothing reads are added to `unread`.
pub(super) fn answer(line: &str, place: &str, unread: &mut Vec<String>) -> Result<Answer, Problem> {
    let row: Row = json::parsed(line)?;
    for name in row.others.keys().filter(|name| !unread.contains(name)).cloned().collect::<Vec<_>>() {
        unread.push(name);
    }
    let messages =
        row.messages.as_ref().map(|given| json::conversation(given).ok_or_else(no_conversation)).transpose()?;
    let tokens = row.tokens.map(Count::value).transpose()?;
    Ok(Answer {
        suite: row.suite,
        id: Some(row.id.0),
        asked: Asked { texts: row.prompt.into_iter().collect(), messages, row: None },
        usage: Usage {
            prompt_tokens: row.prompt_tokens.map(Count::value).transpose()?,
            completion_tokens: tokens,
            seconds: json::seconds(row.seconds.map(Number::value).transpose()?, 1.0)?,
        },
        model: row.model,
        ..Answer::new(place, made(row.output, row.error, tokens, row.finish.as_deref())?)
    })
}

fn made(
    output: Output,
    error: Option<String>,
    tokens: Option<u64>,
    finish: Option<&str>,
) -> Result<Result<Made, String>, Problem> {
    let of = |text: String, tokens| Completion { text, tokens, finish: finish.map(Finish::named) };
    match (output, error) {
        (Output::Nothing(()), Some(reason)) => Ok(Err(reason)),
        (_, Some(_)) => {
            Err(Problem::new("it has an `output` and an `error`", "an answer that failed has `output` null"))
        }
        (Output::Nothing(()), None) => {
            Err(Problem::new("`output` is null", "an empty answer is \"\"; one that failed says why in `error`"))
        }
        (Output::Text(text), None) => Ok(Ok(Made::drawn(vec![of(text, tokens)]))),
        (Output::Draws(texts), None) if texts.is_empty() => Err(Problem::new(
            "`output` is an empty list",
            "an empty answer is \"\"; one that failed says why in `error`",
        )),
        (Output::Draws(texts), None) => Ok(Ok(Made::drawn(texts.into_iter().map(|text| of(text, None)).collect()))),
    }
}

fn no_conversation() -> Problem {
    Problem::new("`messages` is no list of turns with a role and a text", "leave it out where the `id` is enough")
}

impl Count {
    fn value(self) -> Result<u64, Problem> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Cell(text) => text.parse().map_err(|_| no_number(&text)),
        }
    }
}

impl Number {
    fn value(self) -> Result<f64, Problem> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Cell(text) => text.parse().map_err(|_| no_number(&text)),
        }
    }
}

fn no_number(text: &str) -> Problem {
    Problem::new(format!("{text:?} is no number of tokens or seconds"), "leave the cell empty where it is not known")
}
