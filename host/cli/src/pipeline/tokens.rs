//! From the training data to encoded rows: read, rendered, tokenised, checked, some of them held out.

use super::Session;
use super::preflight::{self, Facts};
use super::session::{Opened, Purpose};
use diapason_core::digest;
use diapason_core::event::{Event, Sink as _};
use diapason_core::sample::{Conversation, Message, Sample};
use diapason_core::{Error, Result, error::Context as _};
use diapason_project::dataset::{self, Selection};
use diapason_train::encode::{self, Example};
use diapason_train::token_cache;

/// Encoded rows, kept from one run to the next: a stage of its own, so that what somebody else wrote there is not trained on.
const CACHE: &str = "tokens.bin";
const STAGE: &str = "encode";

/// The rows of a training run.
pub(super) struct Rows {
    pub(super) train: Vec<Example>,
    pub(super) held_out: Vec<Example>,
}

/// The training data's rows; records the data's digest. Each has an answer.
pub(super) fn samples(session: &mut Session) -> Result<Vec<Sample>> {
    let Some(data) = session.plan.config.data.clone() else {
        return Err(Error::config("no training data is configured")
            .hint("add `[data]` with `train = \"….jsonl\"`, or name an existing adapter in `model.adapter`"));
    };
    let selection = Selection { limit: data.limit, system: data.system.as_deref(), ..Selection::default() };
    let (text, digest) = dataset::read(&data.train, &data.columns)?;
    let samples = dataset::parse(&text, &data.train.display().to_string(), &selection)?;
    session.training_data = digest;
    match samples.iter().find_map(|sample| Some((sample, untaught(sample)?))) {
        Some((sample, (message, hint))) => Err(Error::data(format!("{} {message}", sample.place)).hint(hint)),
        None => Ok(samples),
    }
}

/// Why nothing can be learned of a row, and what to do about it; `None` where something can.
pub(crate) fn untaught(sample: &Sample) -> Option<(&'static str, &'static str)> {
    if sample.answer.is_none() && sample.reference.is_none() {
        let hint = "give it an `output`, a `completion` or an assistant's turn at the end";
        return Some(("has no answer to learn", hint));
    }
    if sample.answer.is_none() && !sample.alternatives.is_empty() {
        let hint = "give it an `output` or a `completion`: a list of references does not say which one to learn";
        return Some(("has several references and no answer to learn", hint));
    }
    let learned = sample.conversation().iter().any(Message::is_learned);
    let hint = "remove the row, or give one of its assistant's turns the weight 1";
    (!learned).then_some(("has no turn to learn: all of its assistant's turns are marked as context", hint))
}

/// Renders, encodes and checks the samples, and holds some of them out. What was encoded before is not encoded again.
pub(super) fn rows(session: &mut Session, samples: &[Sample]) -> Result<Rows> {
    let encoded = encoded(session, samples)?;
    let (config, ui) = (session.plan.config.clone(), session.ui.clone());
    let facts = Facts::of(&session.base_for(Purpose::Training)?.model);
    let names: Vec<String> = samples.iter().map(|sample| sample.place.clone()).collect();
    let kept = preflight::check(encoded, &names, &config.train, &facts, &ui)?;
    let share = config.data.as_ref().map_or(0.0, |data| data.held_out);
    let samples: Vec<Sample> = kept.iter().map(|(row, _)| samples[*row].clone()).collect();
    let (train, held_out) = dataset::split(&samples, share, config.run.seed);
    let mut examples: Vec<Option<Example>> = kept.into_iter().map(|(_, example)| Some(example)).collect();
    let mut take = |rows: Vec<usize>| rows.into_iter().filter_map(|row| examples[row].take()).collect();
    Ok(Rows { train: take(train), held_out: take(held_out) })
}

/// Every sample's tokens.
pub(super) fn encoded(session: &mut Session, samples: &[Sample]) -> Result<Vec<Example>> {
    let path = session.artefact(CACHE);
    let key = key(session)?;
    if session.is_current(STAGE, &key)
        && let Some(examples) = token_cache::read(&path, &key).filter(|examples| examples.len() == samples.len())
    {
        return Ok(examples);
    }
    let Opened { model, renderer, .. } = session.base_for(Purpose::Training)?;
    let rendered = renderer.training(&samples.iter().map(Conversation::training).collect::<Vec<_>>())?;
    let (tokenizer, notes) = (model.tokenizer(), renderer.notes());
    let encode = |(sample, segments): (&Sample, &Vec<_>)| {
        encode::encode(tokenizer.as_ref(), segments).with_context(|| sample.place.clone())
    };
    let examples = samples.iter().zip(&rendered).map(encode).collect::<Result<Vec<_>>>()?;
    for message in notes {
        session.ui.emit(&Event::Warning { message });
    }
    // `plan` and `train --show` write nothing.
    if session.keeps {
        token_cache::write(&path, &key, &examples)?;
        session.finish(STAGE, &key, &[CACHE.into()])?;
    }
    Ok(examples)
}

/// Stands for data, template and tokenizer.
fn key(session: &mut Session) -> Result<String> {
    let data = session.training_data.clone();
    let selection =
        session.plan.config.data.as_ref().map(|data| (data.limit, data.system.clone(), data.columns.clone()));
    let selection = serde_json::json!(selection).to_string();
    let Opened { model, renderer, .. } = session.base_for(Purpose::Training)?;
    let parts = [
        ("data", data.as_str()),
        ("selection", selection.as_str()),
        ("template", renderer.digest.as_str()),
        ("tokenizer", model.digests().tokenizer.as_str()),
    ];
    Ok(digest::of_parts(parts))
}
