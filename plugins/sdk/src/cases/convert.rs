//! The types of case files as those of the interface, and back.

use crate::bindings::evaluator::exports::diapason::plugin::evaluator::Observation;
use crate::{
    Completion, Conversation, Finding, Finish, Judgement, Likelihood, Measure, Message, Outcome, Pair, Request, Row,
    Sample, Segment, Severity, Side,
};
use diapason_case_format::{expect, input};
use serde_json::Value;

/// Turns every one of a list.
pub(super) fn all<T, R: From<T>>(list: Vec<T>) -> Vec<R> {
    list.into_iter().map(R::from).collect()
}

impl From<input::Message> for Message {
    fn from(message: input::Message) -> Self {
        let input::Message { role, content, extra } = message;
        let extra = (!extra.is_empty()).then(|| Value::Object(extra).to_string());
        Self { role, content, extra }
    }
}

impl From<input::Sample> for Sample {
    fn from(sample: input::Sample) -> Self {
        Self {
            id: sample.id,
            messages: all(sample.messages),
            reference: sample.reference,
            choices: sample.choices,
            context: sample.context,
            tags: sample.tags.into_iter().collect(),
            row: sample.row,
        }
    }
}

impl From<input::Completion> for Completion {
    fn from(completion: input::Completion) -> Self {
        let finish = if completion.cut_off { Finish::Length } else { Finish::Stop };
        Self { text: completion.text, tokens: completion.tokens, finish }
    }
}

impl From<input::Likelihood> for Likelihood {
    fn from(given: input::Likelihood) -> Self {
        Self { logprob: given.logprob, tokens: given.tokens, bytes: given.bytes, greedy: given.greedy }
    }
}

impl From<input::Observation> for Observation {
    fn from(seen: input::Observation) -> Self {
        Self { sample: seen.sample.into(), completions: all(seen.completions), likelihoods: all(seen.likelihoods) }
    }
}

impl From<input::Side> for Side {
    fn from(side: input::Side) -> Self {
        let measures = side.measures.into_iter().map(|(name, value)| Measure { name, value }).collect();
        Self { completions: all(side.completions), measures }
    }
}

impl From<input::Pair> for Pair {
    fn from(pair: input::Pair) -> Self {
        Self { sample: pair.sample.into(), reference: pair.reference.into(), candidate: pair.candidate.into() }
    }
}

impl From<input::Row> for Row {
    fn from(row: input::Row) -> Self {
        Self { split: row.split, line: row.line, text: row.text }
    }
}

impl From<input::Conversation> for Conversation {
    fn from(conversation: input::Conversation) -> Self {
        let tools = conversation.tools.map(|tools| tools.to_string());
        Self { messages: all(conversation.messages), tools }
    }
}

impl From<Request> for expect::Plan {
    fn from(request: Request) -> Self {
        Self { completions: request.completions, continuations: request.continuations }
    }
}

impl From<Judgement> for expect::Judgement {
    fn from(judgement: Judgement) -> Self {
        let outcome = match judgement.outcome {
            Outcome::Scored(measures) => Ok(measures.into_iter().map(|one| (one.name, one.value)).collect()),
            Outcome::Unscored(reason) => Err(reason),
        };
        Self { outcome, notes: judgement.notes }
    }
}

impl From<Finding> for expect::Finding {
    fn from(finding: Finding) -> Self {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        Self {
            rule: finding.rule,
            split: finding.split,
            line: finding.line,
            severity,
            path: finding.path,
            message: finding.message,
            hint: finding.hint,
        }
    }
}

impl From<Segment> for expect::Segment {
    fn from(segment: Segment) -> Self {
        Self { text: segment.text, learn: segment.learn }
    }
}
