//! What the model says of a project: where it lies, and how long its answers are.

use super::Wanted;
use crate::wire::{Origin, outline};
use diapason_core::config::Template;
use diapason_core::language_model::Tokenizer;
use diapason_core::sample::Sample;
use diapason_core::{Error, Result};
use diapason_project::config::is_path;
use std::path::{Path, PathBuf};

/// Tokens that a template puts around a turn, generously.
const TURN: usize = 16;

/// Rows are rarely longer.
const SEQUENCE: usize = 2048;

/// What the configuration says of the model.
#[derive(Debug)]
pub(super) struct Facts {
    /// The model's whole path.
    pub(super) path: PathBuf,
    /// A chat template instead of the model's own; a file by its whole path.
    pub(super) template: Option<String>,
    /// Tokens of the longest answer.
    pub(super) longest_answer: usize,
    /// Tokens that an answer may have.
    pub(super) max_tokens: usize,
    /// Tokens that a row may have.
    pub(super) max_sequence_length: usize,
}

impl Facts {
    /// Opens the model without its weights, and counts the rows' tokens.
    pub(super) fn of(wanted: &Wanted<'_>, samples: &[Sample]) -> Result<Self> {
        let template = wanted.template.map(template).transpose()?;
        let model = outline(wanted.model)?;
        if template.is_none() && model.chat_template().is_none() {
            return Err(Error::config(format!("{} has no chat template", wanted.model.display()))
                .hint("name one: `--template chatml`, another of ours, or a Jinja file"));
        }
        let tokenizer = model.tokenizer();
        let (mut longest_answer, mut longest) = (1, 1);
        for sample in samples {
            longest_answer = longest_answer.max(answer(sample, tokenizer.as_ref())?);
            longest = longest.max(whole(sample, tokenizer.as_ref())?);
        }
        let context = model.context_length();
        Ok(Self {
            path: absolute(wanted.model)?,
            template,
            longest_answer,
            // A quarter more than the longest: an answer that is cut off counts as wrong.
            max_tokens: (longest_answer * 5 / 4 + 1).next_multiple_of(16).min(context),
            max_sequence_length: SEQUENCE.max(longest.next_multiple_of(64)).min(context),
        })
    }
}

/// Tokens of the longest answer that is right.
fn answer(sample: &Sample, tokenizer: &dyn Tokenizer) -> Result<usize> {
    let said = sample.answer.iter().map(|turn| &turn.content).chain(&sample.reference).chain(&sample.alternatives);
    let lengths: Result<Vec<usize>> = said.map(|text| Ok(tokenizer.encode(text)?.len())).collect();
    Ok(lengths?.into_iter().max().unwrap_or(0))
}

fn whole(sample: &Sample, tokenizer: &dyn Tokenizer) -> Result<usize> {
    let mut tokens = 0;
    for turn in sample.conversation() {
        let fields = if turn.extra.is_empty() { 0 } else { serde_json::json!(turn.extra).to_string().len() };
        tokens += tokenizer.encode(&turn.content)?.len() + fields + TURN;
    }
    Ok(tokens)
}

fn template(name: &str) -> Result<String> {
    let name = if is_path(name, "jinja") { absolute(Path::new(name))?.display().to_string() } else { name.to_owned() };
    // Errors if there is no such template.
    Origin::of(&Template { template: Some(name.clone()), ..Template::default() }, None)?;
    Ok(name)
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path)
        .map_err(|source| Error::config(format!("failed to understand {}", path.display())).because(source))
}
