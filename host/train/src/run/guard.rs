//! What training refuses: rows it cannot learn from, parameters that get no gradient, a loss that is not a number.

use super::plan::total_steps;
use super::trainer::Pass;
use crate::batch;
use crate::encode::Example;
use crate::schedule::LearningRate;
use candle_core::{Tensor, Var};
use diapason_core::config::Train;
use diapason_core::schema::Problem;
use diapason_core::{Error, Result};
use diapason_models::families::Config;
use diapason_models::linear;

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

/// A run whose parameters move by no more than this in all changes no logit: it is far below the resolution of f32.
const NOTHING: f64 = 1e-12;

/// AdamW's epsilon: gradients far below it move nothing.
const EPSILON: f64 = 1e-8;

/// What is wrong with settings by which a run on `rows` rows cannot learn anything, where it is so; with its place in the
/// configuration.
pub fn idle(config: &Train, rows: usize) -> Option<Problem> {
    if config.method.is_adapter() && config.dropout < 1.0 && config.dropout as f32 >= 1.0 {
        let message = format!("with a dropout of {} the adapter sees no input", config.dropout);
        return Some(Problem::new("/train/dropout", message, "0.05 to 0.1 is usual"));
    }
    let steps = total_steps(rows, config);
    if steps == 0 {
        return None;
    }
    let rate = LearningRate::new(config.learning_rate, config.schedule, config.warmup, config.decay, steps);
    if config.learning_rate > 0.0 && !(1..=steps).any(|step| rate.at(step) > 0.0) {
        return Some(no_rate(config, steps, rows));
    }
    // A step of AdamW moves a parameter by no more than about its rate, and by less where the gradients are clipped to
    // something small against epsilon.
    let scale = if config.method.is_adapter() { largest_scale(config) * config.lora_plus_ratio } else { 1.0 };
    let clipped = if config.max_gradient_norm > 0.0 { (config.max_gradient_norm / EPSILON).min(1.0) } else { 1.0 };
    let factors = [
        ("learning_rate", config.learning_rate, "2e-4 is usual for adapters, 1e-5 for whole models"),
        ("max_gradient_norm", clipped, "1 is usual, and 0 switches the limit off"),
        ("alpha", scale, "`train.alpha` is usually the rank or twice that, and `train.lora_plus_ratio` 1 to 16"),
    ];
    let moved = steps as f64 * factors.iter().map(|(_, factor, _)| factor).product::<f64>();
    let (key, _, hint) = factors.into_iter().min_by(|a, b| a.1.total_cmp(&b.1)).filter(|_| moved < NOTHING)?;
    let message = format!("nothing would be learned: {steps} steps move no parameter by more than {moved:.0e}");
    Some(Problem::new(format!("/train/{key}"), message, hint))
}

fn no_rate(config: &Train, steps: u64, rows: usize) -> Problem {
    let (batch, accumulation) = (config.batch_size, config.gradient_accumulation);
    let count = if steps == 1 { "the only step".to_owned() } else { format!("each of the {steps} steps") };
    let message = format!("{count} has the learning rate 0, so nothing would be learned: the warm-up begins at 0");
    let hint = format!(
        "set `train.warmup = 0`, or take more steps: more `epochs` (now {}), or fewer rows in a step (now {batch} × \
         {accumulation} of {rows})",
        config.epochs
    );
    Problem::new("/train/warmup", message, hint)
}

/// The largest factor of an adapter's update.
fn largest_scale(config: &Train) -> f64 {
    let scale = |rank: usize, alpha: f64| alpha / if config.rslora { (rank as f64).sqrt() } else { rank as f64 };
    let ranks = config.rank_pattern.values().chain([&config.rank]).copied();
    let alphas = || config.alpha_pattern.values().chain([&config.alpha]).copied();
    ranks.flat_map(|rank| alphas().map(move |alpha| scale(rank.max(1), alpha))).fold(0.0, f64::max)
}

/// Refuses a run that cannot learn anything: see [`idle`].
pub(super) fn check_rates(config: &Train, rows: usize) -> Result<()> {
    match idle(config, rows) {
        Some(Problem { message, hint, .. }) => Err(Error::config(message).hint(hint.unwrap_or_default())),
        None => Ok(()),
    }
}

/// Refuses a result in which no adapter left zero: the state that early stopping kept may be that before any real step.
pub(super) fn check_learned(vars: &[(String, Var)]) -> Result<()> {
    // Magnitudes and modules in full begin at the base's values: whether they moved is not seen here.
    if vars.is_empty() || !vars.iter().all(|(name, _)| name.ends_with(linear::A) || name.ends_with(linear::B)) {
        return Ok(());
    }
    for (_, var) in vars.iter().filter(|(name, _)| name.ends_with(linear::B)) {
        if is_nonzero(var.as_tensor()).map_err(super::failed)? {
            return Ok(());
        }
    }
    Err(Error::run("nothing was learned: the best state that early stopping saw is the one before training").hint(
        "training made what it watches worse: lower `train.learning_rate`, raise `train.early_stopping.patience`, or look \
         at the data",
    ))
}

fn check_row(number: usize, example: &Example, limit: usize, context: usize) -> Result<()> {
    let length = example.ids.len();
    if example.learn.len() != length {
        return Err(Error::data(format!("row {number} has {length} tokens, but a mask of {}", example.learn.len())));
    }
    if length > limit.min(context) {
        let hint = if length > context {
            format!("the model takes at most {context} tokens: shorten the row or leave it out")
        } else {
            "raise `train.max_sequence_length`, shorten the row or leave it out".into()
        };
        return Err(
            Error::data(format!("row {number} has {length} tokens, more than {}", limit.min(context))).hint(hint)
        );
    }
    if batch::trained_tokens(example) == 0 {
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
