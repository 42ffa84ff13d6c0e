//! The fields of inputs as they stand in a file.

use super::{Completion, Likelihood, Message, Observation, Sample, Side};
use crate::{Result, from_value};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SampleFields {
    id: Option<String>,
    #[serde(default)]
    messages: Vec<MessageFields>,
    reference: Option<Reference>,
    #[serde(default)]
    choices: Vec<String>,
    context: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    /// Evaluators see them in the row only.
    #[serde(rename = "tools")]
    _tools: Option<Value>,
    row: Option<String>,
}

/// One expected answer, or several of which any will do.
#[derive(Deserialize)]
#[serde(untagged)]
enum Reference {
    One(String),
    Any(Vec<String>),
}

#[derive(Deserialize)]
struct MessageFields {
    role: String,
    content: Option<Value>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    text: String,
    tokens: Option<u32>,
    #[serde(default)]
    finish: Finish,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
enum Finish {
    #[default]
    Stop,
    Length,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pair {
    sample: Map<String, Value>,
    reference: SideFields,
    candidate: SideFields,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SideFields {
    #[serde(default)]
    completions: Vec<Value>,
    #[serde(default)]
    measures: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    split: Option<String>,
    line: Option<u32>,
    text: Option<String>,
    /// Null is a value here.
    #[serde(default, deserialize_with = "present")]
    json: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Conversation {
    messages: Vec<MessageFields>,
    tools: Option<Value>,
}

pub(super) fn observation(number: usize, mut fields: Map<String, Value>) -> Result<Observation> {
    let completions = take(&mut fields, "completions")?;
    let likelihoods = take::<Value>(&mut fields, "likelihoods")?;
    let likelihood = |value: Value| from_value::<Likelihood>(value).map_err(|cause| format!("`likelihoods`: {cause}"));
    Ok(Observation {
        sample: sample(number, fields)?,
        completions: self::completions(completions)?,
        likelihoods: likelihoods.into_iter().map(likelihood).collect::<Result<_>>()?,
    })
}

/// Takes a list out of a sample; the rest of it is the row.
fn take<T: serde::de::DeserializeOwned>(fields: &mut Map<String, Value>, name: &str) -> Result<Vec<T>> {
    let Some(value) = fields.shift_remove(name) else { return Ok(Vec::new()) };
    from_value(value).map_err(|cause| format!("`{name}`: {cause}"))
}

fn sample(number: usize, fields: Map<String, Value>) -> Result<Sample> {
    let whole = Value::Object(fields);
    let row = whole.to_string();
    let fields: SampleFields = from_value(whole)?;
    Ok(Sample {
        id: fields.id.unwrap_or_else(|| number.to_string()),
        messages: fields.messages.into_iter().map(MessageFields::message).collect(),
        reference: fields.reference.and_then(Reference::first),
        choices: fields.choices,
        context: fields.context,
        tags: fields.tags,
        row: fields.row.unwrap_or(row),
    })
}

fn completions(list: Vec<Value>) -> Result<Vec<Completion>> {
    let read = |value| completion(value).map_err(|cause| format!("`completions`: {cause}"));
    list.into_iter().map(read).collect()
}

/// A text, or an object that says more of it.
fn completion(value: Value) -> Result<Completion> {
    let whole = match value {
        Value::String(text) => Whole { text, tokens: None, finish: Finish::Stop },
        other => from_value(other)?,
    };
    let words = u32::try_from(whole.text.split_whitespace().count()).unwrap_or(u32::MAX);
    let cut_off = matches!(whole.finish, Finish::Length);
    Ok(Completion { tokens: whole.tokens.unwrap_or(words), text: whole.text, cut_off })
}

impl Reference {
    /// The first: evaluators see the others in the row.
    fn first(self) -> Option<String> {
        match self {
            Self::One(text) => Some(text),
            Self::Any(texts) => texts.into_iter().next(),
        }
    }
}

impl MessageFields {
    fn message(mut self) -> Message {
        let content = match self.content {
            Some(Value::String(text)) => text,
            // A null that stands there says that the turn has no content.
            other => {
                self.extra.insert("content".into(), other.unwrap_or(Value::Null));
                String::new()
            }
        };
        Message { role: self.role, content, extra: self.extra }
    }
}

impl Pair {
    pub(super) fn pair(self, number: usize) -> Result<super::Pair> {
        let side = |name: &str, side: SideFields| side.side().map_err(|cause| format!("`{name}`: {cause}"));
        Ok(super::Pair {
            sample: sample(number, self.sample).map_err(|cause| format!("`sample`: {cause}"))?,
            reference: side("reference", self.reference)?,
            candidate: side("candidate", self.candidate)?,
        })
    }
}

impl SideFields {
    fn side(self) -> Result<Side> {
        Ok(Side { completions: completions(self.completions)?, measures: self.measures })
    }
}

impl Row {
    /// The row; `lines` counts those of each split.
    pub(super) fn row(self, lines: &mut BTreeMap<String, u32>) -> Result<super::Row> {
        let split = self.split.unwrap_or_else(|| "train".into());
        let count = lines.entry(split.clone()).or_default();
        *count += 1;
        let text = match (self.text, self.json) {
            (Some(text), None) => text,
            (None, Some(json)) => json.to_string(),
            _ => return Err("a row needs one of `text` and `json`".into()),
        };
        Ok(super::Row { line: self.line.unwrap_or(*count), split, text })
    }
}

impl Conversation {
    pub(super) fn conversation(self) -> super::Conversation {
        let messages = self.messages.into_iter().map(MessageFields::message).collect();
        super::Conversation { messages, tools: self.tools }
    }
}

fn present<'de, D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}
