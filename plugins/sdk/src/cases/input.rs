//! What a case gives to a plugin.

use super::from_value;
use crate::bindings::evaluator::exports::diapason::plugin::evaluator::Observation;
use crate::{Completion, Conversation, Finish, Likelihood, Measure, Message, Pair, Result, Row, Sample, Side};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How a conversation is rendered.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Mode {
    Training,
    Prompt,
}

/// The evaluator's `input`.
pub(super) fn observations(input: &Value) -> Result<Vec<Observation>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input {
        samples: Vec<Map<String, Value>>,
    }
    let samples = from_value::<Input>(input.clone())?.samples;
    samples.into_iter().enumerate().map(|(index, fields)| observation(index, fields)).collect()
}

/// The comparator's `input`.
pub(super) fn pairs(input: &Value) -> Result<Vec<Pair>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input {
        pairs: Vec<PairFields>,
    }
    let pairs = from_value::<Input>(input.clone())?.pairs;
    let pair = |(index, fields): (usize, PairFields)| {
        Ok(Pair { sample: sample(index, fields.sample)?, base: fields.base.side(), tuned: fields.tuned.side() })
    };
    pairs.into_iter().enumerate().map(pair).collect()
}

/// The validator's `input`.
pub(super) fn rows(input: &Value) -> Result<Vec<Row>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input {
        rows: Vec<RowFields>,
    }
    let mut lines = BTreeMap::<String, u32>::new();
    let rows = from_value::<Input>(input.clone())?.rows;
    rows.into_iter().map(|fields| fields.row(&mut lines)).collect()
}

/// The chat template's `input`.
pub(super) fn conversations(input: &Value) -> Result<(Vec<Conversation>, Mode)> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input {
        conversations: Vec<ConversationFields>,
        mode: Mode,
    }
    let Input { conversations, mode } = from_value(input.clone())?;
    Ok((conversations.into_iter().map(ConversationFields::conversation).collect(), mode))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SampleFields {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    messages: Vec<MessageFields>,
    #[serde(default)]
    reference: Option<ReferenceField>,
    #[serde(default)]
    choices: Vec<String>,
    #[serde(default)]
    context: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    /// Taken as it stands; evaluators see it in `row` only.
    #[serde(default, rename = "tools")]
    _tools: Option<Value>,
    #[serde(default)]
    row: Option<String>,
}

/// One expected answer, or several of which any will do.
#[derive(Deserialize)]
#[serde(untagged)]
enum ReferenceField {
    One(String),
    Any(Vec<String>),
}

impl ReferenceField {
    /// The first: evaluators see the others in `row`.
    fn first(self) -> Option<String> {
        match self {
            Self::One(text) => Some(text),
            Self::Any(texts) => texts.into_iter().next(),
        }
    }
}

#[derive(Deserialize)]
struct MessageFields {
    role: String,
    #[serde(default)]
    content: Value,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum CompletionFields {
    Text(String),
    Whole(WholeCompletion),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WholeCompletion {
    text: String,
    tokens: Option<u32>,
    #[serde(default)]
    finish: FinishField,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
enum FinishField {
    #[default]
    Stop,
    Length,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LikelihoodFields {
    logprob: f64,
    #[serde(default = "one")]
    tokens: u32,
    #[serde(default = "one")]
    bytes: u32,
    #[serde(default)]
    greedy: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PairFields {
    sample: Map<String, Value>,
    base: SideFields,
    tuned: SideFields,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SideFields {
    #[serde(default)]
    completions: Vec<CompletionFields>,
    #[serde(default)]
    measures: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RowFields {
    split: Option<String>,
    line: Option<u32>,
    text: Option<String>,
    json: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConversationFields {
    messages: Vec<MessageFields>,
    tools: Option<Value>,
}

fn observation(index: usize, mut fields: Map<String, Value>) -> Result<Observation> {
    let completions: Vec<CompletionFields> = take(&mut fields, "completions")?;
    let likelihoods: Vec<LikelihoodFields> = take(&mut fields, "likelihoods")?;
    Ok(Observation {
        sample: sample(index, fields)?,
        completions: completions.into_iter().map(CompletionFields::completion).collect(),
        likelihoods: likelihoods.into_iter().map(LikelihoodFields::likelihood).collect(),
    })
}

/// Takes a list out of a sample; the rest of it is the row.
fn take<T: serde::de::DeserializeOwned>(fields: &mut Map<String, Value>, name: &str) -> Result<Vec<T>> {
    let value = fields.shift_remove(name).unwrap_or_else(|| Value::Array(Vec::new()));
    from_value(value).map_err(|cause| format!("`{name}`: {cause}"))
}

fn sample(index: usize, fields: Map<String, Value>) -> Result<Sample> {
    let whole = Value::Object(fields);
    let row = whole.to_string();
    let fields: SampleFields = from_value(whole)?;
    Ok(Sample {
        id: fields.id.unwrap_or_else(|| (index + 1).to_string()),
        messages: fields.messages.into_iter().map(MessageFields::message).collect(),
        reference: fields.reference.and_then(ReferenceField::first),
        choices: fields.choices,
        context: fields.context,
        tags: fields.tags.into_iter().collect(),
        row: fields.row.unwrap_or(row),
    })
}

impl MessageFields {
    fn message(mut self) -> Message {
        let content = match self.content {
            Value::String(text) => text,
            other => {
                self.extra.insert("content".into(), other);
                String::new()
            }
        };
        let extra = (!self.extra.is_empty()).then(|| Value::Object(self.extra).to_string());
        Message { role: self.role, content, extra }
    }
}

impl CompletionFields {
    fn completion(self) -> Completion {
        let whole = match self {
            Self::Text(text) => WholeCompletion { text, tokens: None, finish: FinishField::Stop },
            Self::Whole(whole) => whole,
        };
        let words = whole.text.split_whitespace().count() as u32;
        let finish = match whole.finish {
            FinishField::Stop => Finish::Stop,
            FinishField::Length => Finish::Length,
        };
        Completion { tokens: whole.tokens.unwrap_or(words), text: whole.text, finish }
    }
}

impl LikelihoodFields {
    fn likelihood(self) -> Likelihood {
        Likelihood { logprob: self.logprob, tokens: self.tokens, bytes: self.bytes, greedy: self.greedy }
    }
}

impl SideFields {
    fn side(self) -> Side {
        let measures = self.measures.into_iter().map(|(name, value)| Measure { name, value }).collect();
        Side { completions: self.completions.into_iter().map(CompletionFields::completion).collect(), measures }
    }
}

impl RowFields {
    fn row(self, lines: &mut BTreeMap<String, u32>) -> Result<Row> {
        let split = self.split.unwrap_or_else(|| "train".into());
        let count = lines.entry(split.clone()).or_default();
        *count += 1;
        let text = match (self.text, self.json) {
            (Some(text), None) => text,
            (None, Some(json)) => json.to_string(),
            _ => return Err("a row needs one of `text` and `json`".into()),
        };
        Ok(Row { line: self.line.unwrap_or(*count), split, text })
    }
}

impl ConversationFields {
    fn conversation(self) -> Conversation {
        let messages = self.messages.into_iter().map(MessageFields::message).collect();
        Conversation { messages, tools: self.tools.map(|tools| tools.to_string()) }
    }
}

fn one() -> u32 {
    1
}
