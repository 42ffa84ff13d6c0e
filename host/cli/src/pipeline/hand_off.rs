//! A training run as a folder that another trainer works from: rows, settings, the adapter to start from, the tokenizer.

mod files;
mod readme;

use super::session::Purpose;
use super::tokens::{self, Rows};
use super::{Session, preflight};
use diapason_core::config::{Method, Model as Named, Train};
use diapason_core::event::{Event, Sink as _};
use diapason_core::schema::Problem;
use diapason_core::{Error, Result};
use diapason_disk::files::folder;
use diapason_train::hand_off::rows::Layout;
use diapason_train::hand_off::{self, Job, Tool};
use diapason_train::run::trainable;
use serde::Serialize;
use std::path::Path;

/// Where and by whom it is trained.
pub(crate) struct Elsewhere<'a> {
    /// Who trains.
    pub(crate) tool: Tool,
    /// The folder to write.
    pub(crate) out: &'a Path,
    /// Where the base model is found there; `None` where `model.path` says.
    pub(crate) base: Option<&'a str>,
    /// GPUs of a node.
    pub(crate) gpus: usize,
    /// Nodes.
    pub(crate) nodes: usize,
}

/// What was handed over.
#[derive(Debug, Serialize)]
pub(crate) struct Handed {
    /// Rows that are trained.
    trained: usize,
    /// Rows that are watched.
    held_out: usize,
    /// Optimizer steps.
    pub(crate) steps: u64,
    rows_per_step: usize,
    /// Processes that train.
    pub(crate) processes: usize,
    /// What differs in spite of equal settings.
    pub(crate) notes: Vec<String>,
}

/// Writes the folder, whole or not at all.
///
/// Errors if the trainer cannot do what the configuration says, or the folder holds something already.
pub(crate) fn write(session: &mut Session, elsewhere: &Elsewhere<'_>) -> Result<Handed> {
    let config = session.plan.config.train.clone();
    let base = base(session.plan.config.base()?, elsewhere.base)?;
    if needs_weights(&config) {
        session.base_for(Purpose::Training)?;
    } else {
        session.open_outline()?;
    }
    let samples = tokens::samples(session)?;
    let rows = tokens::rows(session, &samples)?;
    preflight::learns(&session.plan, rows.train.len())?;
    let (tool, processes) = (elsewhere.tool, elsewhere.gpus.saturating_mul(elsewhere.nodes));
    let seed = session.plan.config.run.seed;
    let layout = Layout::new(&rows.train, &config, seed, processes, tool.filler());
    let dtype = files::dtype(&session.plan.config.base()?.path)?;
    let job = Job {
        tool,
        config: &config,
        seed,
        base: &base,
        base_dtype: dtype.as_deref(),
        layout: &layout,
        held_out: !rows.held_out.is_empty(),
    };
    refuse(tool, &hand_off::problems(&job))?;
    let handed = handed(&job, &rows);
    trains(session, &config, seed)?;
    folder::write(elsewhere.out, |folder| fill(folder, session, elsewhere, &job, (&rows, &handed)))?;
    for message in &handed.notes {
        session.ui.emit(&Event::Warning { message: message.clone() });
    }
    Ok(handed)
}

fn handed(job: &Job<'_>, rows: &Rows) -> Handed {
    Handed {
        trained: rows.train.len(),
        held_out: rows.held_out.len(),
        steps: job.layout.steps,
        rows_per_step: job.layout.rows_per_step(),
        processes: job.layout.processes,
        notes: job.notes(),
    }
}

/// Where the trainer finds the base: it opens folders as transformers writes them.
fn base(model: &Named, given: Option<&str>) -> Result<String> {
    if model.path.is_file() {
        return Err(Error::config(format!("{} is a GGUF file, which no other trainer opens", model.path.display()))
            .hint("name the folder in `model.path` that the file was made of"));
    }
    match given {
        Some(given) => Ok(given.to_owned()),
        None => std::path::absolute(&model.path)
            .map(|path| path.display().to_string())
            .map_err(|source| Error::config(format!("failed to understand {}", model.path.display())).because(source)),
    }
}

/// Whether the adapter to start from is made of the base's weights, not only of their shapes.
fn needs_weights(config: &Train) -> bool {
    config.method.is_adapter() && (config.dora || !config.modules_to_save.is_empty())
}

fn refuse(tool: Tool, problems: &[Problem]) -> Result<()> {
    let Some(first) = problems.first() else { return Ok(()) };
    let lines: Vec<String> =
        problems.iter().map(|problem| format!("`{}`: {}", problem.pointer, problem.message)).collect();
    let text = if lines.len() == 1 { lines.join("") } else { format!("\n  {}", lines.join("\n  ")) };
    let hint = first.hint.clone().unwrap_or_default();
    let hint = if lines.len() == 1 { hint } else { format!("for the first one: {hint}") };
    Err(Error::config(format!("the run cannot be handed to {}: {text}", tool.name())).hint(hint))
}

/// Makes the adapter that training starts from, the one that it would start from here; holds the base against the method.
fn trains(session: &mut Session, config: &Train, seed: u64) -> Result<()> {
    let path = session.plan.config.base()?.path.clone();
    let quantized = files::is_quantized(&path)?;
    if quantized {
        return Err(Error::config(format!("{} is quantized already", path.display()))
            .hint("name the model that it was made of: method `qlora` quantizes it as it is opened"));
    }
    let model = &mut session.base_for(Purpose::Training)?.model;
    match config.method {
        Method::Full => model.refuse_attention_dropout(),
        Method::Lora | Method::Qlora => {
            trainable::check_ranks(model.llama(), config)?;
            trainable::prepare(model, config, seed).map(drop)
        }
    }
}

fn fill(
    folder: &Path,
    session: &mut Session,
    elsewhere: &Elsewhere<'_>,
    job: &Job<'_>,
    (rows, handed): (&Rows, &Handed),
) -> Result<()> {
    files::rows(folder, job, &rows.held_out)?;
    let model = session.plan.config.base()?.path.clone();
    let opened = session.base_for(Purpose::Training)?;
    if job.config.method.is_adapter() {
        files::adapter(folder, &opened.model, job.config)?;
    }
    let templates = opened.renderer.configured().unwrap_or(opened.model.chat_templates());
    files::tokenizer(folder, &model, templates)?;
    files::settings(folder, job)?;
    readme::write(folder, &session.plan.config.run.name, elsewhere, job, handed)
}
