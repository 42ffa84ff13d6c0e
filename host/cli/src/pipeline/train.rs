//! Stage `train`: from the training data to an adapter or a model, with `train.jsonl` and `training.json`.

use super::session::{Opened, Tuned};
use super::{Session, jsonl};
use diapason_core::config::Train;
use diapason_core::dataset::{self, Selection};
use diapason_core::event::{Event, Sink as _};
use diapason_core::manifest::digest_of;
use diapason_core::report::Training;
use diapason_core::sample::{Conversation, Sample};
use diapason_core::{Error, Result, digest};
use diapason_model::encode::{self, Example};
use diapason_model::train::{Outcome, Run};
use std::path::Path;

const STAGE: &str = "train";
const LOG: &str = "train.jsonl";
const SUMMARY: &str = "training.json";

/// Trains, unless the configuration names an adapter that is there already.
pub(crate) fn stage(session: &mut Session) -> Result<()> {
    if session.plan.config.model.adapter.is_some() {
        return Ok(());
    }
    let samples = samples(session)?;
    let inputs = inputs(session)?;
    let (_, folder) = session.tuned();
    if session.stands(STAGE, &inputs) {
        return Ok(());
    }
    let examples = examples(session, &samples)?;
    train(session, &examples)?;
    session.forget(&folder);
    session.close();
    let outputs = outputs(session.plan.folder(), &folder)?;
    session.finish(STAGE, &inputs, &outputs)
}

/// What training did; `None` where an existing adapter is evaluated.
pub(super) fn summary(session: &Session) -> Result<Option<Training>> {
    let path = session.artefact(SUMMARY);
    if session.plan.config.model.adapter.is_some() || !path.exists() {
        return Ok(None);
    }
    let understood = serde_json::from_str(&jsonl::text(&path, STAGE)?);
    understood.map(Some).map_err(|source| {
        Error::data(format!("failed to understand {}", path.display()))
            .because(source)
            .hint("`diapason train` writes it anew once it is removed")
    })
}

/// Writes the summary from the log's steps.
fn summarise(folder: &Path, outcome: &Outcome) -> Result<()> {
    let mut training = Training { trainable: outcome.trainable, total: outcome.total, ..Training::default() };
    for event in jsonl::read::<Event>(&folder.join(LOG), STAGE)? {
        if let Event::Step(step) = event {
            training.steps = step.step;
            training.tokens += step.tokens;
            training.seconds += step.seconds;
            training.loss.push((step.step, step.loss));
        }
    }
    jsonl::write(&folder.join(SUMMARY), &[training])
}

fn samples(session: &mut Session) -> Result<Vec<Sample>> {
    let Some(data) = session.plan.config.data.clone() else {
        return Err(Error::config("no training data is configured")
            .hint("add `[data]` with `train = \"….jsonl\"`, or name an existing adapter in `model.adapter`"));
    };
    let selection = Selection { limit: data.limit, system: data.system.as_deref() };
    let samples = dataset::load(&data.train, &selection)?;
    session.manifest.digests.insert("data.train".into(), digest::of_file(&data.train)?);
    match samples.iter().find(|sample| sample.reference.is_none()) {
        Some(sample) => {
            Err(Error::data(format!("row {} of {} has no answer to learn", sample.id, data.train.display()))
                .hint("give it an `output`, a `completion` or an assistant's turn at the end"))
        }
        None => Ok(samples),
    }
}

fn inputs(session: &mut Session) -> Result<String> {
    let model = session.model_inputs()?;
    let config = &session.plan.config;
    let data = session.manifest.digests.get("data.train").cloned().unwrap_or_default();
    // The digest stands for the rows, wherever their file lies.
    let rows = config.data.as_ref().map(|data| (&data.limit, &data.system));
    let settings = serde_json::json!([config.train, rows, config.run.seed]).to_string();
    Ok(digest_of([("model", model.as_str()), ("data", data.as_str()), ("settings", settings.as_str())]))
}

/// Renders and encodes every row; refuses rows that are too long or teach nothing, all at once.
fn examples(session: &mut Session, samples: &[Sample]) -> Result<Vec<Example>> {
    let longest = session.plan.config.train.max_sequence_length;
    let Opened { model, renderer } = session.base()?;
    let conversation = |sample: &Sample| Conversation { messages: sample.conversation(), tools: sample.tools.clone() };
    let rendered = renderer.training(&samples.iter().map(conversation).collect::<Vec<_>>())?;
    let tokenizer = model.tokenizer();
    let encode = |segments: &Vec<_>| encode::encode(tokenizer.as_ref(), segments);
    let examples = rendered.iter().map(encode).collect::<Result<Vec<_>>>()?;
    check(samples, &examples, longest)?;
    Ok(examples)
}

fn check(samples: &[Sample], examples: &[Example], longest: usize) -> Result<()> {
    let fault = |(sample, example): (&Sample, &Example)| {
        if example.ids.len() > longest {
            Some(format!("  row {}: {} tokens", sample.id, example.ids.len()))
        } else if !example.learn.contains(&true) {
            Some(format!("  row {}: nothing to learn after the chat template", sample.id))
        } else {
            None
        }
    };
    let faults: Vec<String> = samples.iter().zip(examples).filter_map(fault).collect();
    if faults.is_empty() {
        return Ok(());
    }
    let shown = faults.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
    let message = format!("{} rows cannot be trained on (at most {longest} tokens a row):\n{shown}", faults.len());
    Err(Error::data(message).hint("shorten these rows, or raise `train.max_sequence_length`; no row is cut silently"))
}

fn train(session: &mut Session, examples: &[Example]) -> Result<()> {
    let (config, seed) = (session.plan.config.train.clone(), session.plan.config.run.seed);
    let (folder, ui) = (session.plan.folder().to_owned(), session.ui.clone());
    let model = &mut session.base()?.model;
    let steps = steps(examples.len(), &config);
    ui.emit(&Event::StageStarted { stage: STAGE.into(), total: Some(steps as u64) });
    let outcome = diapason_model::train::train(model, Run::new(examples, &config, seed, &folder, &ui))?;
    summarise(&folder, &outcome)?;
    session.ended(STAGE, format!("{} steps on {} rows, loss {:.3}", outcome.steps, examples.len(), outcome.final_loss));
    Ok(())
}

/// Optimizer steps to expect, for the progress bar.
fn steps(rows: usize, config: &Train) -> usize {
    let steps = rows.div_ceil(config.batch_size * config.gradient_accumulation) * config.epochs;
    steps.min(config.max_steps.unwrap_or(usize::MAX))
}

/// The files that training wrote, as paths in the run folder.
fn outputs(run: &Path, folder: &Path) -> Result<Vec<String>> {
    let fail = |source| Error::run(format!("failed to list {}", folder.display())).because(source);
    let mut found = vec![LOG.to_owned(), SUMMARY.to_owned()];
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if let Some(inner) = path.strip_prefix(run).ok().filter(|_| path.is_file()) {
            found.push(inner.to_string_lossy().into_owned());
        }
    }
    found.sort();
    Ok(found)
}

/// The tuned model's digest; errors where it has not been made yet.
pub(super) fn tuned_digest(session: &mut Session) -> Result<String> {
    let (kind, folder) = session.tuned();
    if !folder.exists() {
        let hint = match session.plan.config.model.adapter {
            Some(_) => "`model.adapter` names a folder with adapter_config.json and adapter_model.safetensors",
            None => "run `diapason train` first",
        };
        return Err(Error::run(format!("there is no tuned model at {}", folder.display())).hint(hint));
    }
    let digest = session.digest(&folder)?;
    let role = match kind {
        Tuned::Adapter => "adapter",
        Tuned::Model => "tuned",
    };
    session.manifest.digests.insert(role.into(), digest.clone());
    Ok(digest)
}
