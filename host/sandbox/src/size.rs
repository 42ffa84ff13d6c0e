//! How large is what crosses, in bytes: what a plugin is given, and what it gives back and the host keeps.

use diapason_core::finding::{Finding, Row};
use diapason_core::sample::{Conversation, Message, Sample, Segment};
use diapason_core::score::{Judgement, Observation, Outcome, Pair, Request, Side};

/// What each small item costs beside its bytes, so that a flood of empty ones is limited too.
pub(crate) const ITEM: usize = 64;

/// The bytes of texts, and what each of them costs beside.
pub(crate) fn texts<'a>(texts: impl IntoIterator<Item = &'a String>) -> usize {
    texts.into_iter().map(|text| text.len() + ITEM).sum()
}

fn message(message: &Message) -> usize {
    message.role.len() + message.content.len() + ITEM * (1 + message.extra.len())
}

pub(crate) fn sample(sample: &Sample) -> usize {
    let messages: usize = sample.messages.iter().map(message).sum();
    let given = sample.reference.iter().chain(&sample.context).chain([&sample.id, &sample.row]);
    messages + texts(given) + texts(&sample.choices)
}

pub(crate) fn observation(observation: &Observation) -> usize {
    sample(&observation.sample) + texts(observation.completions.iter().map(|one| &one.text))
}

pub(crate) fn pair(pair: &Pair) -> usize {
    let side = |side: &Side| texts(side.completions.iter().map(|one| &one.text));
    sample(&pair.sample) + side(&pair.reference) + side(&pair.candidate)
}

pub(crate) fn conversation(conversation: &Conversation) -> usize {
    ITEM + conversation.messages.iter().map(message).sum::<usize>()
}

pub(crate) fn row(row: &Row) -> usize {
    ITEM + row.text.len()
}

pub(crate) fn judgement(judgement: &Judgement) -> usize {
    let outcome = match &judgement.outcome {
        Outcome::Scored(measures) => texts(measures.iter().map(|measure| &measure.name)),
        Outcome::Unscored(reason) => reason.len(),
    };
    ITEM + outcome + notes(judgement)
}

pub(crate) fn notes(judgement: &Judgement) -> usize {
    texts(judgement.notes.iter().flat_map(|(name, text)| [name, text]))
}

pub(crate) fn request(request: &Request) -> usize {
    ITEM + texts(&request.continuations)
}

pub(crate) fn finding(finding: &Finding) -> usize {
    texts([&finding.rule, &finding.split, &finding.path, &finding.message, &finding.hint])
}

pub(crate) fn segments(segments: &[Segment]) -> usize {
    texts(segments.iter().map(|segment| &segment.text))
}
