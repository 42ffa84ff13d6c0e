//! What training refuses: rows it cannot learn from, parameters that get no gradient, a loss that is not a number.

use super::Pass;
use crate::arch::Config;
use crate::batch;
use crate::encode::Example;
use candle_core::{Tensor, Var};
use diapason_core::config::Train;
use diapason_core::{Error, Result};

/// Refuses examples and settings that training could not make sense of.
pub(super) fn check_rows(examples: &[Example], config: &Train, model: &Config) -> Result<()> {
    if examples.is_empty() {
        return Err(Error::data("there are no rows to train on"));
    }
    let counts = [("batch_size", config.batch_size), ("gradient_accumulation", config.gradient_accumulation)];
    if let Some((name, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
        return Err(Error::config(format!("`train.{name}` is 0, expected at least 1")));
    }
    let context = model.context_length();
    for (number, example) in (1..).zip(examples) {
        check_row(number, example, config.max_sequence_length, context)?;
    }
    Ok(())
}

fn check_row(number: usize, example: &Example, limit: usize, context: usize) -> Result<()> {
    let length = example.ids.len();
    if example.learn.len() != length {
        return Err(Error::data(format!("row {number} has {length} tokens, but a mask of {}", example.learn.len())));
    }
    if length > limit.min(context) {
        let hint = match length > context {
            true => format!("the model takes at most {context} tokens: shorten the row or leave it out"),
            false => "raise `train.max_sequence_length`, shorten the row or leave it out".into(),
        };
        return Err(
            Error::data(format!("row {number} has {length} tokens, more than {}", limit.min(context))).hint(hint)
        );
    }
    if batch::supervised(example) == 0 {
        return Err(Error::data(format!("row {number} has no token to learn"))
            .hint("is the answer empty? does the chat template mark what the assistant says?"));
    }
    Ok(())
}

/// Proves that every trainable tensor gets a gradient.
///
/// An adapter's A has none until its B has left zero, so A is looked at in the step after the first real update.
pub(super) struct Gradients {
    seen: Vec<bool>,
    /// Whether an update with a learning rate above 0 was taken.
    updated: bool,
    done: bool,
}

impl Gradients {
    pub(super) fn new(vars: &[(String, Var)]) -> Self {
        Self { seen: vec![false; vars.len()], updated: false, done: false }
    }

    /// Takes note of a step's gradients, which are about to be applied.
    pub(super) fn check(&mut self, vars: &[(String, Var)], gradients: &[Tensor], learning_rate: f64) -> Result<()> {
        if self.done {
            return Ok(());
        }
        for (seen, gradient) in self.seen.iter_mut().zip(gradients) {
            *seen = *seen || is_nonzero(gradient).map_err(super::failed)?;
        }
        let expected = |name: &str| self.updated || !name.ends_with(".lora_A.weight");
        let missing = vars.iter().zip(&self.seen).find(|((name, _), seen)| !**seen && expected(name));
        if let Some(((name, _), _)) = missing {
            return Err(Error::run(format!("`{name}` is trainable but gets no gradient"))
                .hint("this is a defect of the model code, or every row is a single token"));
        }
        self.done = self.updated;
        self.updated = learning_rate > 0.0;
        Ok(())
    }
}

fn is_nonzero(gradient: &Tensor) -> candle_core::Result<bool> {
    Ok(gradient.abs()?.max_all()?.to_scalar::<f32>()? > 0.0)
}

/// The error for a loss or a gradient that is not finite.
pub(super) fn diverged(step: u64, pass: &Pass, rows: &[usize]) -> Error {
    let mut rows: Vec<usize> = rows.iter().map(|row| row + 1).collect();
    rows.sort_unstable();
    let rows = rows.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    let what = if pass.loss.is_finite() { "gradient" } else { "loss" };
    Error::run(format!("the {what} of step {step} is not finite (rows {rows})")).hint(format!(
        "lower `train.learning_rate` or look at these rows; the state before is in checkpoints/step-{}",
        step - 1
    ))
}
