//! From the training data to encoded rows: read, rendered, tokenised, checked, some of them held out.

use super::Session;
use super::preflight::{self, Facts};
use super::session::{Opened, Purpose};
use diapason_core::dataset::{self, Selection};
use diapason_core::manifest::digest_of;
use diapason_core::sample::{Conversation, Sample};
use diapason_core::{Error, Result};
use diapason_model::encode::{self, Example};
use diapason_model::tokens;

/// Encoded rows, kept from one run to the next.
const CACHE: &str = "tokens.bin";

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
    let selection = Selection { limit: data.limit, system: data.system.as_deref() };
    let (text, digest) = dataset::read(&data.train)?;
    let samples = dataset::parse(&text, &data.train.display().to_string(), &selection)?;
    session.training_data = digest;
    match samples.iter().find(|sample| sample.reference.is_none()) {
        Some(sample) => {
            Err(Error::data(format!("row {} of {} has no answer to learn", sample.id, data.train.display()))
                .hint("give it an `output`, a `completion` or an assistant's turn at the end"))
        }
        None => Ok(samples),
    }
}

/// Renders, encodes and checks the samples, and holds some of them out. What was encoded before is not encoded again.
pub(super) fn rows(session: &mut Session, samples: &[Sample]) -> Result<Rows> {
    let encoded = encoded(session, samples)?;
    let (config, ui) = (session.plan.config.clone(), session.ui.clone());
    let facts = Facts::of(&session.base_for(Purpose::Training)?.model);
    let names: Vec<String> = samples.iter().map(|sample| sample.id.clone()).collect();
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
    if let Some(examples) = tokens::read(&path, &key).filter(|examples| examples.len() == samples.len()) {
        return Ok(examples);
    }
    let Opened { model, renderer, .. } = session.base_for(Purpose::Training)?;
    let conversation = |sample: &Sample| Conversation { messages: sample.conversation(), tools: sample.tools.clone() };
    let rendered = renderer.training(&samples.iter().map(conversation).collect::<Vec<_>>())?;
    let tokenizer = model.tokenizer();
    let encode = |segments: &Vec<_>| encode::encode(tokenizer.as_ref(), segments);
    let examples = rendered.iter().map(encode).collect::<Result<Vec<_>>>()?;
    // `plan` and `train --show` write nothing.
    if session.keeps {
        tokens::write(&path, &key, &examples)?;
    }
    Ok(examples)
}

/// Stands for data, template and tokenizer.
fn key(session: &mut Session) -> Result<String> {
    let data = session.training_data.clone();
    let selection = session.plan.config.data.as_ref().map(|data| (data.limit, data.system.clone()));
    let selection = serde_json::json!(selection).to_string();
    let Opened { model, renderer, .. } = session.base_for(Purpose::Training)?;
    let parts = [
        ("data", data.as_str()),
        ("selection", selection.as_str()),
        ("template", renderer.digest.as_str()),
        ("tokenizer", model.digests().tokenizer.as_str()),
    ];
    Ok(digest_of(parts))
}
