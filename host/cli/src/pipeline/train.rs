//! Stage `train`: from the training data to an adapter or a model, with `train.jsonl` and `training.json`.

use super::session::{Purpose, Tuned};
use super::tokens::{self, Rows};
use super::watch::Watched;
use super::{Session, integrity, jsonl, preflight, watched};
use crate::artefact::{TRAINING, TRAINING_LOG};
use crate::interrupt;
use crate::number::counted;
use diapason_core::digest;
use diapason_core::event::{Event, Sink as _};
use diapason_core::report::Training;
use diapason_core::{Error, Result};
use diapason_models::{Chat, Model};
use diapason_train::run::{Measure, Outcome, Run};
use std::path::Path;

const STAGE: &str = "train";

/// Trains, where there is something to train.
pub(crate) fn stage(session: &mut Session) -> Result<()> {
    if !session.plan.config.trains() {
        return Ok(());
    }
    let samples = tokens::samples(session)?;
    let inputs = inputs(session)?;
    let (_, folder) = session.tuned();
    if session.is_current(STAGE, &inputs) {
        return integrity::freeze_training(session);
    }
    let rows = tokens::rows(session, &samples)?;
    preflight::learns(&session.plan, rows.train.len())?;
    train(session, &rows)?;
    session.inputs.unchanged()?;
    session.inputs.forget(&folder);
    session.close();
    let outputs = outputs(session.plan.folder(), &folder)?;
    session.finish(STAGE, &inputs, &outputs)?;
    integrity::freeze_training(session)
}

/// Writes the summary from the log's steps.
fn summarise(folder: &Path, outcome: &Outcome) -> Result<()> {
    let events = jsonl::read::<Event>(&folder.join(TRAINING_LOG), STAGE)?;
    let training = Training { trainable: outcome.trainable, total: outcome.total, ..told(events) };
    jsonl::write(&folder.join(TRAINING), &[training])
}

/// What the log says of a training run.
pub(super) fn told(events: Vec<Event>) -> Training {
    let mut training = Training::default();
    for event in events {
        match event {
            Event::Step(step) => {
                training.steps = step.step;
                training.tokens += step.tokens;
                training.seconds += step.seconds;
                training.loss.push((step.step, step.loss));
            }
            Event::Evaluated { step, metric, value } if metric == "loss" => training.held_out.push((step, value)),
            _ => {}
        }
    }
    training
}

fn inputs(session: &mut Session) -> Result<String> {
    let model = session.model_inputs(Purpose::Training)?;
    let config = &session.plan.config;
    let data = session.training_data.clone();
    // The digest stands for the rows, wherever their file lies.
    let rows = config.data.as_ref().map(|data| (&data.limit, &data.system, data.held_out));
    let settings = serde_json::json!([config.train, rows, config.run.seed]).to_string();
    Ok(digest::of_parts([("model", model.as_str()), ("data", data.as_str()), ("settings", settings.as_str())]))
}

fn train(session: &mut Session, rows: &Rows) -> Result<()> {
    let (config, seed) = (session.plan.config.train.clone(), session.plan.config.run.seed);
    let (folder, ui) = (session.plan.folder().to_owned(), session.ui.clone());
    let metric = config.early_stopping.as_ref().map(|early| early.metric.clone()).filter(|metric| metric != "loss");
    let watched = metric.as_ref().map(|metric| Watched::of(session, metric)).transpose()?;
    let mut take = |model: &mut Model| watched.as_ref().map_or(Ok(f64::NAN), |watched| watched.value(model));
    let higher_is_better = watched.as_ref().is_some_and(|watched| watched.higher_is_better);
    let measure = watched.is_some().then_some(Measure { take: &mut take, higher_is_better });
    let opened = session.base_for(Purpose::Training)?;
    let chat = opened.renderer.configured().cloned();
    let model = &mut opened.model;
    if let Some(templates) = &chat {
        // A whole model is written with the template that it was trained in.
        model.set_chat(Chat { templates: templates.clone(), ..model.chat().clone() });
    }
    let Rows { train, held_out } = rows;
    ui.emit(&Event::StageStarted {
        stage: STAGE.into(),
        total: Some(diapason_train::run::total_steps(train.len(), &config)),
    });
    let outcome = interrupt::gently(|interrupted| {
        let run = Run { held_out, interrupted, measure, ..Run::new(train, &config, seed, &folder, &ui) };
        diapason_train::run::train(model, run)
    })?;
    summarise(&folder, &outcome)?;
    if let (Tuned::Adapter, adapter) = session.tuned() {
        // So is an adapter; where it is the model's own, one of an earlier training would be read instead.
        chat.unwrap_or_default().save(&adapter)?;
    }
    let seen = metric.as_deref().zip(watched.as_ref().map(Watched::samples));
    watched::keep(&session.tuned().1, seen)?;
    let early = if outcome.stopped_early { ", stopped early" } else { "" };
    let (steps, rows) = (counted(outcome.steps as usize, "step"), counted(train.len(), "row"));
    let summary = format!("{steps} on {rows}, loss {:.3}{early}", outcome.final_loss);
    session.ended(STAGE, summary);
    Ok(())
}

/// The files that training wrote, as paths in the run folder.
fn outputs(run: &Path, folder: &Path) -> Result<Vec<String>> {
    let fail = |source| Error::run(format!("failed to list {}", folder.display())).because(source);
    let mut found = vec![TRAINING_LOG.to_owned(), TRAINING.to_owned()];
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if let Some(inner) = path.strip_prefix(run).ok().filter(|_| path.is_file()) {
            found.push(inner.to_string_lossy().into_owned());
        }
    }
    found.sort();
    Ok(found)
}
