//! Runs one case against a plugin, as a suite would.

use super::case::{Case, Planned};
use super::check;
use diapason_core::finding::Row;
use diapason_core::language_model::{Completion, Finish, Likelihood};
use diapason_core::sample::{Conversation, Message, Sample};
use diapason_core::score::{Measure, Observation, Pair, Side};
use diapason_sandbox::{ChatTemplate, Comparator, Evaluator, Grants, Plugin, Validator};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What went wrong: the plugin's own error, or a disagreement.
pub(super) enum Failure {
    Plugin(diapason_core::Error),
    Case(String),
}

impl From<diapason_core::Error> for Failure {
    fn from(error: diapason_core::Error) -> Self {
        Self::Plugin(error)
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self::Case(text)
    }
}

/// Runs `case`; the error says why it does not hold.
pub(super) fn run(plugin: &Plugin, case: &Case) -> Result<(), String> {
    let grants = Grants::default();
    let outcome = match case.capability.as_str() {
        "evaluator" => evaluator(plugin, case, &grants),
        "comparator" => comparator(plugin, case, &grants),
        "validator" => validator(plugin, case, &grants),
        "chat-template" => template(plugin, case, &grants),
        other => Err(Failure::Case(format!("unknown capability `{other}`"))),
    };
    match (outcome, &case.error) {
        (Err(Failure::Plugin(error)), Some(part)) if error.to_string().contains(part) => Ok(()),
        (Err(Failure::Plugin(error)), Some(part)) => Err(format!("expected an error with `{part}`, got `{error}`")),
        (Ok(()), Some(part)) => Err(format!("expected an error with `{part}`, got none")),
        (Err(Failure::Plugin(error)), None) => Err(error.to_string()),
        (Err(Failure::Case(text)), _) => Err(text),
        (Ok(()), None) => Ok(()),
    }
}

type Outcome = Result<(), Failure>;

/// An evaluator's case as what it is given.
pub(super) fn observations(case: &Case) -> Result<Vec<Observation>, String> {
    let given: Vec<GivenSample> = case.part("samples", &[])?;
    (1..).zip(&given).map(|(number, one)| one.observation(number)).collect()
}

/// A comparator's case as what it is given.
pub(super) fn pairs(case: &Case) -> Result<Vec<Pair>, String> {
    let given: Vec<GivenPair> = case.part("pairs", &[])?;
    (1..).zip(&given).map(|(number, one)| one.pair(number)).collect()
}

fn evaluator(plugin: &Plugin, case: &Case, grants: &Grants) -> Outcome {
    let observations = observations(case)?;
    let samples: Vec<Sample> = observations.iter().map(|one| one.sample.clone()).collect();
    let mut evaluator = Evaluator::new(plugin, &case.settings, grants)?;
    evaluator.describe()?;
    let plan = evaluator.plan(&samples)?.into_iter();
    let plan: Vec<_> =
        plan.map(|one| Planned { completions: one.completions, continuations: one.continuations }).collect();
    check::plan(case, &plan)?;
    if case.expect.is_some() || case.error.is_some() {
        let judgements = evaluator.score(&observations)?;
        check::judgements(case, &judgements)?;
    }
    Ok(())
}

fn comparator(plugin: &Plugin, case: &Case, grants: &Grants) -> Outcome {
    let pairs = pairs(case)?;
    let mut comparator = Comparator::new(plugin, &case.settings, grants)?;
    comparator.describe()?;
    Ok(check::judgements(case, &comparator.compare(&pairs)?)?)
}

fn validator(plugin: &Plugin, case: &Case, grants: &Grants) -> Outcome {
    let given: Vec<GivenRow> = case.part("rows", &[])?;
    let mut lines: BTreeMap<String, u32> = BTreeMap::new();
    let rows = given.iter().map(|row| row.row(&mut lines)).collect::<Result<Vec<_>, _>>()?;
    let mut validator = Validator::new(plugin, &case.settings, grants)?;
    let mut findings = validator.push(&rows)?;
    findings.extend(validator.finish()?);
    Ok(check::findings(case, &findings)?)
}

fn template(plugin: &Plugin, case: &Case, grants: &Grants) -> Outcome {
    let given: Vec<GivenConversation> = case.part("conversations", &["mode"])?;
    let mode: String = case.part("mode", &["conversations"])?;
    let conversations: Vec<_> = given.iter().map(GivenConversation::conversation).collect::<Result<_, _>>()?;
    let mut template = ChatTemplate::new(plugin, &case.settings, grants)?;
    match mode.as_str() {
        "prompt" => Ok(check::prompts(case, &template.render_prompt(&conversations)?)?),
        "training" => Ok(check::training(case, &template.render_training(&conversations)?)?),
        other => Err(Failure::Case(format!("unknown mode `{other}`: `prompt` or `training`"))),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenSample {
    id: Option<Value>,
    #[serde(default)]
    messages: Vec<Map<String, Value>>,
    reference: Option<GivenReference>,
    #[serde(default)]
    choices: Vec<String>,
    context: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    row: Option<String>,
    #[serde(default)]
    completions: Vec<GivenCompletion>,
    #[serde(default)]
    likelihoods: Vec<GivenLikelihood>,
}

/// One expected answer, or several of which any will do.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum GivenReference {
    One(String),
    Any(Vec<String>),
}

impl GivenReference {
    /// The first: plugins see the others in the row.
    fn first(&self) -> Option<String> {
        match self {
            Self::One(text) => Some(text.clone()),
            Self::Any(texts) => texts.first().cloned(),
        }
    }
}

impl GivenSample {
    fn observation(&self, number: usize) -> Result<Observation, String> {
        Ok(Observation {
            sample: self.sample(number)?,
            completions: self.completions.iter().map(GivenCompletion::completion).collect(),
            likelihoods: self.likelihoods.iter().map(GivenLikelihood::likelihood).collect(),
        })
    }

    fn sample(&self, number: usize) -> Result<Sample, String> {
        let id = match &self.id {
            None => number.to_string(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        Ok(Sample {
            id,
            messages: self.messages.iter().map(message).collect::<Result<_, _>>()?,
            reference: self.reference.as_ref().and_then(GivenReference::first),
            choices: self.choices.clone(),
            context: self.context.clone(),
            tags: self.tags.clone(),
            row: self.row.clone().unwrap_or_else(|| self.row()),
            ..Sample::default()
        })
    }

    /// The sample's fields as a row of a dataset would have them.
    fn row(&self) -> String {
        let mut row = Map::new();
        let mut put = |key: &str, value: Value| (value != Value::Null).then(|| row.insert(key.into(), value));
        put("id", self.id.clone().unwrap_or(Value::Null));
        let list = |empty: bool, value: Value| if empty { Value::Null } else { value };
        put("messages", list(self.messages.is_empty(), serde_json::json!(self.messages)));
        put("reference", serde_json::json!(self.reference));
        put("choices", list(self.choices.is_empty(), serde_json::json!(self.choices)));
        put("context", serde_json::json!(self.context));
        put("tags", list(self.tags.is_empty(), serde_json::json!(self.tags)));
        Value::Object(row).to_string()
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum GivenCompletion {
    Text(String),
    Whole { text: String, tokens: Option<usize>, finish: Option<Finish> },
}

impl GivenCompletion {
    fn completion(&self) -> Completion {
        let (text, tokens, finish) = match self {
            Self::Text(text) => (text, None, None),
            Self::Whole { text, tokens, finish } => (text, *tokens, *finish),
        };
        let words = text.split_whitespace().count();
        Completion { text: text.clone(), tokens: tokens.unwrap_or(words), finish: finish.unwrap_or(Finish::Stop) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenLikelihood {
    logprob: f64,
    tokens: Option<usize>,
    bytes: Option<usize>,
    greedy: Option<bool>,
}

impl GivenLikelihood {
    fn likelihood(&self) -> Likelihood {
        Likelihood {
            logprob: self.logprob,
            tokens: self.tokens.unwrap_or(1),
            bytes: self.bytes.unwrap_or(1),
            greedy: self.greedy.unwrap_or(false),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenPair {
    sample: GivenSample,
    base: GivenSide,
    tuned: GivenSide,
}

impl GivenPair {
    fn pair(&self, number: usize) -> Result<Pair, String> {
        Ok(Pair { sample: self.sample.sample(number)?, base: self.base.side(), tuned: self.tuned.side() })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenSide {
    #[serde(default)]
    completions: Vec<GivenCompletion>,
    #[serde(default)]
    measures: BTreeMap<String, f64>,
}

impl GivenSide {
    fn side(&self) -> Side {
        let measure = |(name, value): (&String, &f64)| Measure { name: name.clone(), value: *value };
        Side {
            completions: self.completions.iter().map(GivenCompletion::completion).collect(),
            measures: self.measures.iter().map(measure).collect(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenRow {
    split: Option<String>,
    line: Option<u32>,
    text: Option<String>,
    json: Option<Value>,
}

impl GivenRow {
    fn row(&self, lines: &mut BTreeMap<String, u32>) -> Result<Row, String> {
        let split = self.split.clone().unwrap_or_else(|| "train".into());
        let number = lines.entry(split.clone()).or_default();
        *number += 1;
        let text = match (&self.text, &self.json) {
            (Some(text), None) => text.clone(),
            (None, Some(json)) => json.to_string(),
            _ => return Err("a row has either `text` or `json`".into()),
        };
        Ok(Row { line: self.line.unwrap_or(*number), split, text })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenConversation {
    messages: Vec<Map<String, Value>>,
    tools: Option<Value>,
}

impl GivenConversation {
    fn conversation(&self) -> Result<Conversation, String> {
        let messages = self.messages.iter().map(message).collect::<Result<_, _>>()?;
        Ok(Conversation { messages, tools: self.tools.clone(), ..Conversation::default() })
    }
}

/// A `content` that is no string stays an extra field, beside empty text.
fn message(fields: &Map<String, Value>) -> Result<Message, String> {
    let mut extra = fields.clone();
    let Some(Value::String(role)) = extra.shift_remove("role") else { return Err("a message has no `role`".into()) };
    let content = match extra.get("content") {
        Some(Value::String(text)) => text.clone(),
        None => String::new(),
        Some(_) => return Ok(Message { role, extra, ..Message::default() }),
    };
    extra.shift_remove("content");
    Ok(Message { role, content, extra, ..Message::default() })
}
