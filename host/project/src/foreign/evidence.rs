//! What speaks for an answer being a sample's: the same prompt, or what the prompt must at least ask.

use super::answer::Asked;
use super::suite::{At, Suite};
use diapason_core::digest;
use diapason_core::language_model::LITERAL;
use diapason_core::sample::{Message, Sample, WEIGHT};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// The samples of all suites by what they ask.
pub(super) struct Prompts(HashMap<String, Vec<At>>);

impl Prompts {
    pub(super) fn of(suites: &[Suite<'_>]) -> Self {
        let mut known: HashMap<String, Vec<At>> = HashMap::new();
        for (suite, asked) in suites.iter().enumerate() {
            for (sample, row) in asked.samples.iter().enumerate() {
                for key in keys(row, asked.prompts.get(sample).map(String::as_str)) {
                    known.entry(key).or_default().push(At { suite, sample });
                }
            }
        }
        Self(known)
    }

    /// The samples that ask exactly what was asked: the whole conversation, the rendered prompt, or the dataset's row.
    pub(super) fn same(&self, asked: &Asked) -> BTreeSet<At> {
        let texts = asked.texts.iter().map(|text| key("text", text));
        let messages = asked.messages.iter().map(|messages| conversation(messages));
        let row = asked.row.iter().map(row);
        texts.chain(messages).chain(row).filter_map(|key| self.0.get(&key)).flatten().copied().collect()
    }
}

/// Whether something was asked that cannot be `sample`: what is known of it lacks a line of the sample's last question. A
/// prompt may have more than the sample's, such as instructions or examples.
pub(super) fn is_other(asked: &Asked, sample: &Sample) -> bool {
    let turns = asked.messages.iter().flatten().map(|message| message.content.as_str());
    let logged: Vec<&str> = asked.texts.iter().map(String::as_str).chain(turns).collect();
    let question = sample.messages.iter().rfind(|message| message.role == "user").or(sample.messages.last());
    let mut lines = question.into_iter().flat_map(|message| message.content.lines());
    !logged.is_empty() && !lines.all(|line| logged.iter().any(|text| text.contains(line.trim())))
}

fn keys(sample: &Sample, rendered: Option<&str>) -> Vec<String> {
    let plain = |message: &Message| !message.no_content && message.extra.keys().all(|field| field == WEIGHT);
    let mut keys = Vec::new();
    if sample.messages.iter().all(plain) {
        keys.push(conversation(&sample.messages));
        if let [only] = sample.messages.as_slice()
            && only.role == "user"
        {
            keys.push(key("text", &only.content));
        }
    }
    keys.extend(rendered.map(|text| key("text", &text.replace(LITERAL, ""))));
    keys.extend(serde_json::from_str::<Value>(&sample.row).ok().filter(Value::is_object).as_ref().map(row));
    keys.sort();
    keys.dedup();
    keys
}

fn key(kind: &str, text: &str) -> String {
    digest::of_parts([(kind, text)])
}

fn conversation(messages: &[Message]) -> String {
    digest::of_parts(messages.iter().map(|message| (message.role.as_str(), message.content.as_str())))
}

/// A row whatever the order of its keys; what is null is absent, as tools pad rows with nulls.
fn row(value: &Value) -> String {
    key("row", &canonical(value).to_string())
}

fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut fields: Vec<(&String, &Value)> = map.iter().filter(|(_, value)| !value.is_null()).collect();
            fields.sort_by_key(|(name, _)| *name);
            fields.into_iter().map(|(name, value)| (name.clone(), canonical(value))).collect()
        }
        Value::Array(list) => list.iter().map(canonical).collect(),
        other => other.clone(),
    }
}
