//! Fine-tuning: one loop for adapters and for full training, which differ only in what is [`trainable`].

mod guard;
mod log;
pub mod trainable;

use crate::Model;
use crate::arch::Llama;
use crate::batch::{self, Batch};
use crate::checkpoint;
use crate::encode::Example;
use crate::linear::{Lora, Mode};
use crate::loss::cross_entropy;
use crate::optim::{AdamW, clip_scale, global_norm};
use crate::schedule::LearningRate;
use candle_core::{Device, Tensor, Var};
use diapason_core::config::Train;
use diapason_core::event::{Event, Sink, Step};
use diapason_core::{Error, Result};
use std::path::Path;
use std::time::Instant;

/// What came of a training run.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Optimizer steps taken.
    pub steps: u64,
    /// Mean loss per supervised token of the last step, in nats.
    pub final_loss: f64,
    /// Parameters that were trained.
    pub trainable: u64,
    /// All parameters, adapters included.
    pub total: u64,
    /// Tokens that went through the model, padding not counted.
    pub tokens: u64,
}

/// Fine-tunes `model` on `examples`.
///
/// With LoRA, `folder/adapter` is written and the adapter stays attached; with full training, `folder/model`. Each
/// epoch's state is kept under `folder/checkpoints` if the configuration says so, and every step is a line of
/// `folder/train.jsonl`. The same model, examples, configuration and seed give the same bytes.
///
/// # Errors
/// Rows that are too long or have nothing to learn, a parameter that gets no gradient, a loss that is not finite (the
/// last good state is then kept under `folder/checkpoints`), and failures to write.
pub fn train(
    model: &mut Model,
    examples: &[Example],
    config: &Train,
    seed: u64,
    folder: &Path,
    sink: &dyn Sink,
) -> Result<Outcome> {
    guard::check_rows(examples, config, model.llama().config())?;
    let vars = trainable::prepare(model, config, seed)?;
    let trained = steps(model, &vars, examples, config, seed, folder, sink);
    trainable::finish(model.llama_mut(), config)?;
    let outcome = trained?;
    checkpoint::save_result(model, config, folder)?;
    Ok(outcome)
}

/// The run's steps; gives the outcome, with the trained parameters still variables.
fn steps(
    model: &Model,
    vars: &[(String, Var)],
    examples: &[Example],
    config: &Train,
    seed: u64,
    folder: &Path,
    sink: &dyn Sink,
) -> Result<Outcome> {
    let plan = Plan::new(examples, config, seed);
    let rate = LearningRate::new(config.learning_rate, config.schedule, config.warmup, config.decay, plan.total);
    let mut trainer = Trainer::new(model.llama(), vars, config, seed);
    let mut log = log::Log::create(folder, sink, config.logging_steps)?;
    let mut outcome = trainer.outcome();
    sink.emit(&Event::Trainable { trainable: outcome.trainable, total: outcome.total });
    let mut watch = guard::Gradients::new(vars);
    for (number, rows) in (1..).zip(plan.rows()) {
        let started = Instant::now();
        let learning_rate = rate.at(number);
        let pass = trainer.gradients(examples, rows.rows)?;
        if !pass.loss.is_finite() || !pass.norm.is_finite() {
            checkpoint::save(model, config, folder, &format!("step-{}", number - 1))?;
            return Err(guard::diverged(number, &pass, rows.rows));
        }
        watch.check(vars, &pass.gradients, learning_rate)?;
        trainer.update(&pass, learning_rate)?;
        outcome.steps = number;
        outcome.final_loss = pass.loss;
        outcome.tokens += pass.tokens;
        log.step(&Step {
            step: number,
            steps: plan.total,
            epoch: rows.epoch,
            loss: pass.loss,
            learning_rate,
            gradient_norm: pass.norm,
            tokens: pass.tokens,
            supervised: pass.supervised,
            seconds: started.elapsed().as_secs_f64(),
        })?;
        if let Some(epoch) = rows.ends.filter(|_| config.save_per_epoch) {
            checkpoint::save(model, config, folder, &format!("epoch-{epoch}"))?;
        }
    }
    Ok(outcome)
}

/// Every optimizer step of a run.
struct Plan {
    epochs: Vec<Vec<Vec<usize>>>,
    total: u64,
}

/// One step of the plan.
struct StepRows<'a> {
    rows: &'a [usize],
    /// Passes over the data after this step.
    epoch: f64,
    /// The epoch, from 1, that this step ends.
    ends: Option<usize>,
}

impl Plan {
    fn new(examples: &[Example], config: &Train, seed: u64) -> Self {
        let lengths: Vec<usize> = examples.iter().map(batch::input_length).collect();
        let rows_per_step = config.batch_size * config.gradient_accumulation;
        let epoch = |epoch: usize| batch::steps(&lengths, rows_per_step, seed, epoch as u64);
        let epochs: Vec<_> = (0..config.epochs).map(epoch).collect();
        let all = epochs.iter().map(Vec::len).sum::<usize>();
        Self { epochs, total: all.min(config.max_steps.unwrap_or(all)) as u64 }
    }

    fn rows(&self) -> impl Iterator<Item = StepRows<'_>> {
        let steps = self.epochs.iter().enumerate().flat_map(|(epoch, steps)| {
            steps.iter().enumerate().map(move |(i, rows)| StepRows {
                rows,
                epoch: epoch as f64 + (i + 1) as f64 / steps.len() as f64,
                ends: (i + 1 == steps.len()).then_some(epoch + 1),
            })
        });
        steps.take(self.total as usize)
    }
}

/// Computes gradients and applies them.
pub struct Trainer<'a> {
    llama: &'a Llama,
    vars: Vec<Var>,
    optimizer: AdamW,
    batch_size: usize,
    max_norm: f64,
    seed: u64,
    /// Forward passes so far: each has dropout masks of its own.
    passes: u64,
}

/// What one step's rows gave.
pub struct Pass {
    /// Mean cross-entropy over the step's supervised tokens, in nats.
    pub loss: f64,
    /// One for each variable.
    pub gradients: Vec<Tensor>,
    /// L2 norm of all gradients.
    pub norm: f64,
    /// Tokens that are not padding.
    pub tokens: u64,
    /// Tokens that are learned.
    pub supervised: u64,
}

impl<'a> Trainer<'a> {
    /// A trainer of `vars`, which are parameters of `llama` or of its adapter.
    pub fn new(llama: &'a Llama, vars: &[(String, Var)], config: &Train, seed: u64) -> Self {
        Self {
            llama,
            optimizer: AdamW::new(vars, config.into()),
            vars: vars.iter().map(|(_, var)| var.clone()).collect(),
            batch_size: config.batch_size,
            max_norm: config.max_gradient_norm,
            seed,
            passes: 0,
        }
    }

    fn outcome(&self) -> Outcome {
        let trainable = self.vars.iter().map(|var| var.elem_count() as u64).sum();
        let adapters = self.llama.linears().filter_map(|(_, linear)| linear.lora());
        let added: usize = adapters.map(Lora::elem_count).sum();
        let total = self.llama.parameter_count() + added as u64;
        Outcome { steps: 0, final_loss: f64::NAN, trainable, total, tokens: 0 }
    }

    /// The gradients of the mean loss over all supervised tokens of `rows`: how the rows are cut into batches makes no
    /// difference beyond rounding.
    pub fn gradients(&mut self, examples: &[Example], rows: &[usize]) -> Result<Pass> {
        let supervised: usize = rows.iter().map(|row| batch::supervised(&examples[*row])).sum();
        let mut pass = Pass { loss: 0.0, gradients: Vec::new(), norm: 0.0, tokens: 0, supervised: supervised as u64 };
        for rows in rows.chunks(self.batch_size) {
            let rows: Vec<&Example> = rows.iter().map(|row| &examples[*row]).collect();
            self.add_batch(&mut pass, &rows, supervised).map_err(failed)?;
        }
        pass.norm = global_norm(&pass.gradients).map_err(failed)?;
        Ok(pass)
    }

    fn add_batch(&mut self, pass: &mut Pass, rows: &[&Example], supervised: usize) -> candle_core::Result<()> {
        self.passes += 1;
        let mode = Mode::Training { seed: self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(self.passes) };
        let batch = Batch::new(rows, &Device::Cpu)?;
        let hidden = self.llama.forward_hidden(&batch.ids, &batch.spans, None, &mode)?;
        let loss = cross_entropy(&hidden, self.llama.head_weight(), &batch.targets, supervised as f64)?;
        pass.loss += f64::from(loss.to_scalar::<f32>()?);
        pass.tokens += batch.tokens as u64;
        let mut store = loss.backward()?;
        let mut gradient =
            |var: &Var| store.remove(var).map_or_else(|| var.zeros_like(), |gradient| gradient.contiguous());
        let new = self.vars.iter().map(&mut gradient);
        pass.gradients = match pass.gradients.is_empty() {
            true => new.collect::<candle_core::Result<_>>()?,
            false => pass.gradients.iter().zip(new).map(|(sum, new)| sum + new?).collect::<candle_core::Result<_>>()?,
        };
        Ok(())
    }

    /// Clips the gradients and takes an AdamW step.
    pub fn update(&mut self, pass: &Pass, learning_rate: f64) -> Result<()> {
        let scale = clip_scale(pass.norm, self.max_norm);
        self.optimizer.step(&pass.gradients, scale, learning_rate).map_err(failed)
    }
}

fn failed(source: candle_core::Error) -> Error {
    Error::run("failed to compute a training step").because(source)
}
