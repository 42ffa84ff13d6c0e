//! Core's types to the interface's and back.

use crate::bindings::diapason::plugin::types as wit;
use crate::bindings::exports::diapason::plugin::{chat_template, comparator, evaluator, validator};
use diapason_core::finding::{Finding, Row, Severity};
use diapason_core::language_model::{Completion, Finish, Likelihood};
use diapason_core::sample::{Conversation, Message, Sample, Segment};
use diapason_core::score::{Judgement, Measure, MeasureInfo, Observation, Outcome, Pair, Request, Side};

pub(crate) fn message_to_wit(message: &Message) -> wit::Message {
    let mut extra = message.extra.clone();
    if message.no_content {
        // The interface has no turn without content: a template drops what is null.
        extra.insert("content".into(), serde_json::Value::Null);
    }
    let extra = (!extra.is_empty()).then(|| json(&extra));
    wit::Message { role: message.role.clone(), content: message.content.clone(), extra }
}

pub(crate) fn message_from_wit(message: wit::Message) -> Result<Message, String> {
    let mut extra = match message.extra {
        Some(text) => serde_json::from_str(&text).map_err(|error| format!("extra is no JSON object: {error}"))?,
        None => serde_json::Map::new(),
    };
    let no_content = extra.get("content").is_some_and(serde_json::Value::is_null);
    if no_content {
        extra.shift_remove("content");
    }
    Ok(Message { role: message.role, content: message.content, no_content, extra })
}

pub(crate) fn sample_to_wit(sample: &Sample) -> wit::Sample {
    wit::Sample {
        id: sample.id.clone(),
        messages: sample.messages.iter().map(message_to_wit).collect(),
        reference: sample.reference.clone(),
        choices: sample.choices.clone(),
        context: sample.context.clone(),
        tags: sample.tags.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        row: sample.row.clone(),
    }
}

pub(crate) fn completion_to_wit(completion: &Completion) -> wit::Completion {
    let finish = match completion.finish {
        Finish::Stop => wit::Finish::Stop,
        Finish::Length => wit::Finish::Length,
    };
    wit::Completion { text: completion.text.clone(), tokens: saturate(completion.tokens), finish }
}

pub(crate) fn likelihood_to_wit(likelihood: &Likelihood) -> wit::Likelihood {
    wit::Likelihood {
        logprob: likelihood.logprob,
        tokens: saturate(likelihood.tokens),
        bytes: saturate(likelihood.bytes),
        greedy: likelihood.greedy,
    }
}

pub(crate) fn observation_to_wit(observation: &Observation) -> evaluator::Observation {
    evaluator::Observation {
        sample: sample_to_wit(&observation.sample),
        completions: observation.completions.iter().map(completion_to_wit).collect(),
        likelihoods: observation.likelihoods.iter().map(likelihood_to_wit).collect(),
    }
}

pub(crate) fn pair_to_wit(pair: &Pair) -> comparator::Pair {
    comparator::Pair {
        sample: sample_to_wit(&pair.sample),
        reference: side(&pair.reference),
        candidate: side(&pair.candidate),
    }
}

fn side(side: &Side) -> comparator::Side {
    let measure = |measure: &Measure| wit::Measure { name: measure.name.clone(), value: measure.value };
    comparator::Side {
        completions: side.completions.iter().map(completion_to_wit).collect(),
        measures: side.measures.iter().map(measure).collect(),
    }
}

pub(crate) fn conversation_to_wit(conversation: &Conversation) -> chat_template::Conversation {
    chat_template::Conversation {
        messages: conversation.messages.iter().map(message_to_wit).collect(),
        tools: conversation.tools.as_ref().map(json),
    }
}

pub(crate) fn row_to_wit(row: &Row) -> validator::Row {
    validator::Row { split: row.split.clone(), line: row.line, text: row.text.clone() }
}

pub(crate) fn measure_info_from_wit(info: wit::MeasureInfo) -> MeasureInfo {
    let wit::MeasureInfo { name, summary, higher_is_better, binary, bounds } = info;
    MeasureInfo { name, summary, higher_is_better, binary, bounds }
}

pub(crate) fn request_from_wit(request: evaluator::Request) -> Request {
    Request { completions: request.completions as usize, continuations: request.continuations }
}

pub(crate) fn judgement_from_wit(judgement: wit::Judgement) -> Judgement {
    let measure = |measure: wit::Measure| Measure { name: measure.name, value: measure.value };
    let outcome = match judgement.outcome {
        wit::Outcome::Scored(measures) => Outcome::Scored(measures.into_iter().map(measure).collect()),
        wit::Outcome::Unscored(reason) => Outcome::Unscored(reason),
    };
    Judgement { outcome, notes: judgement.notes }
}

pub(crate) fn segment_from_wit(segment: chat_template::Segment) -> Segment {
    Segment { text: segment.text, learn: segment.learn }
}

pub(crate) fn finding_from_wit(validator: &str, finding: validator::Finding) -> Finding {
    let severity = match finding.severity {
        validator::Severity::Error => Severity::Error,
        validator::Severity::Warning => Severity::Warning,
        validator::Severity::Note => Severity::Note,
    };
    let validator::Finding { rule, split, line, path, message, hint, .. } = finding;
    Finding { validator: validator.into(), severity, rule, split, line, path, message, hint }
}

/// JSON text of a value that has only string keys: writing it into a string cannot fail.
fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn saturate(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_the_crossing() {
        let mut message = Message::new("assistant", "hello");
        assert_eq!(message_to_wit(&message).extra, None);
        message.extra.insert("name".into(), "a \"quoted\" one".into());
        assert_eq!(message_from_wit(message_to_wit(&message)).unwrap(), message);
        let broken = wit::Message { extra: Some("[1]".into()), ..message_to_wit(&message) };
        assert!(message_from_wit(broken).unwrap_err().starts_with("extra is no JSON object"));
    }
}
