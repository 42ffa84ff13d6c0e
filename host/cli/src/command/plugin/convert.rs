//! The types of case files as those of the host, and back.

use diapason_case_format::{expect, input};
use diapason_core::finding::{Finding, Row, Severity};
use diapason_core::language_model::{Completion, Finish, Likelihood};
use diapason_core::sample::{Conversation, Message, Sample, Segment};
use diapason_core::score::{Judgement, Measure, Observation, Outcome, Pair, Request, Side};
use serde_json::Value;

fn message(message: input::Message) -> Message {
    let input::Message { role, content, mut extra } = message;
    let no_content = extra.get("content").is_some_and(Value::is_null);
    if no_content {
        extra.shift_remove("content");
    }
    Message { role, content, no_content, extra }
}

fn messages(list: Vec<input::Message>) -> Vec<Message> {
    list.into_iter().map(message).collect()
}

fn sample(sample: input::Sample) -> Sample {
    Sample {
        id: sample.id,
        messages: messages(sample.messages),
        reference: sample.reference,
        choices: sample.choices,
        context: sample.context,
        tags: sample.tags,
        row: sample.row,
        ..Sample::default()
    }
}

fn completions(list: Vec<input::Completion>) -> Vec<Completion> {
    let completion = |given: input::Completion| Completion {
        text: given.text,
        tokens: given.tokens as usize,
        finish: if given.cut_off { Finish::Length } else { Finish::Stop },
    };
    list.into_iter().map(completion).collect()
}

fn likelihood(given: input::Likelihood) -> Likelihood {
    let input::Likelihood { logprob, tokens, bytes, greedy } = given;
    Likelihood { logprob, tokens: tokens as usize, bytes: bytes as usize, greedy }
}

pub(super) fn observation(seen: input::Observation) -> Observation {
    Observation {
        sample: sample(seen.sample),
        completions: completions(seen.completions),
        likelihoods: seen.likelihoods.into_iter().map(likelihood).collect(),
    }
}

fn side(side: input::Side) -> Side {
    let measures = side.measures.into_iter().map(|(name, value)| Measure { name, value }).collect();
    Side { completions: completions(side.completions), measures }
}

pub(super) fn pair(pair: input::Pair) -> Pair {
    Pair { sample: sample(pair.sample), reference: side(pair.reference), candidate: side(pair.candidate) }
}

pub(super) fn row(row: input::Row) -> Row {
    Row { split: row.split, line: row.line, text: row.text }
}

pub(super) fn conversation(conversation: input::Conversation) -> Conversation {
    Conversation { messages: messages(conversation.messages), tools: conversation.tools, ..Conversation::default() }
}

/// A plugin that asks for more completions than a case can name asks for too many.
pub(super) fn plan(request: Request) -> expect::Plan {
    expect::Plan {
        completions: u32::try_from(request.completions).unwrap_or(u32::MAX),
        continuations: request.continuations,
    }
}

pub(super) fn judgement(judgement: Judgement) -> expect::Judgement {
    let outcome = match judgement.outcome {
        Outcome::Scored(measures) => Ok(measures.into_iter().map(|one| (one.name, one.value)).collect()),
        Outcome::Unscored(reason) => Err(reason),
    };
    expect::Judgement { outcome, notes: judgement.notes }
}

pub(super) fn finding(finding: Finding) -> expect::Finding {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    expect::Finding {
        rule: finding.rule,
        split: finding.split,
        line: finding.line,
        severity,
        path: finding.path,
        message: finding.message,
        hint: finding.hint,
    }
}

pub(super) fn segments(rendered: Vec<Segment>) -> Vec<expect::Segment> {
    rendered.into_iter().map(|one| expect::Segment { text: one.text, learn: one.learn }).collect()
}
