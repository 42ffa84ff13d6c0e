//! Training of one shape by one method, through the loop that trains everything else.

use super::method::Method;
use super::{cost, gibibytes, shape::Shape};
use anyhow::{Context, Result, ensure};
use diapason_core::config::Train;
use diapason_core::event::Event;
use diapason_models::Model;
use diapason_models::decoder::Llama;
use diapason_models::formats::Format;
use diapason_nn::device;
use diapason_train::encode::Example;
use diapason_train::run::{self, Run};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Mutex;
use std::time::Instant;
use tokenizers::Tokenizer;
use tokenizers::models::bpe::BPE;

pub(super) use diapason_nn::device::Device;

/// Steps that are not counted: buffers are allocated and kernels loaded in them.
const WARM_UP: usize = 2;

/// Adapters' rank, of all linear layers.
pub(super) const RANK: usize = 16;

/// One training to measure.
pub(super) struct Plan {
    pub(super) shape: Shape,
    pub(super) method: Method,
    /// Tokens of a row.
    pub(super) sequence: usize,
    /// Rows of a step.
    pub(super) rows: usize,
    /// Steps to measure.
    pub(super) steps: usize,
    pub(super) gradient_checkpointing: bool,
}

/// What a training cost.
pub(super) struct Measured {
    pub(super) tokens_per_second: f64,
    /// Most memory of tensors on the GPU, in bytes; `None` where there is none.
    pub(super) peak: Option<u64>,
    /// Mean loss of the last step.
    pub(super) loss: f64,
    /// Parameters of the adapter, or all.
    pub(super) trainable: u64,
}

impl Plan {
    /// Steps in all.
    pub(super) fn all_steps(&self) -> usize {
        WARM_UP + self.steps
    }

    /// Draws a model and trains it.
    pub(super) fn measure(&self, device: &Device) -> Result<Measured> {
        device::forget_peak(device)?;
        let (settings, gpu) = (self.settings(), device::gpu(device)?.is_some());
        let llama = Llama::random(self.shape.config()?, Format::of_run(&settings, gpu), device)?;
        let mut model = Model::of(llama, "random", Tokenizer::new(BPE::default()), None)?;
        let examples = self.examples()?;
        let ends = Mutex::new(Vec::new());
        let sink = |event: &Event| {
            if let (Event::Step(step), Ok(mut ends)) = (event, ends.lock()) {
                ends.push((Instant::now(), step.tokens));
            }
        };
        let folder = tempfile::tempdir()?;
        let outcome = run::train(&mut model, Run::new(&examples, &settings, 1, folder.path(), &sink))?;
        let peak = device::peak(device)?;
        let ends = ends.into_inner().unwrap_or_default();
        ensure!(ends.len() == self.all_steps(), "{} steps were taken, expected {}", ends.len(), self.all_steps());
        let (start, counted) = (ends[WARM_UP - 1].0, &ends[WARM_UP..]);
        let tokens: u64 = counted.iter().map(|(_, tokens)| tokens).sum();
        let (end, _) = counted.last().context("no step was measured")?;
        let tokens_per_second = tokens as f64 / end.duration_since(start).as_secs_f64();
        Ok(Measured { tokens_per_second, peak, loss: outcome.final_loss, trainable: outcome.trainable })
    }

    fn settings(&self) -> Train {
        Train {
            method: self.method.trained(),
            rank: RANK,
            dropout: 0.0,
            batch_size: self.rows,
            gradient_accumulation: 1,
            gradient_checkpointing: self.gradient_checkpointing,
            epochs: 1,
            max_steps: Some(self.all_steps()),
            logging_steps: 1,
            save_steps: usize::MAX,
            save_per_epoch: false,
            max_sequence_length: self.sequence + 1,
            ..Train::default()
        }
    }

    /// Random tokens, all learned; one step more than is taken, since the state is saved where an epoch ends.
    fn examples(&self) -> Result<Vec<Example>> {
        let (mut rng, vocabulary) = (ChaCha8Rng::seed_from_u64(1), self.shape.config()?.vocab_size as u32);
        // Nothing is learned at the last token, and so it does not go through the model.
        let mut row = || Example {
            ids: (0..=self.sequence).map(|_| rng.random_range(0..vocabulary)).collect(),
            learn: vec![true; self.sequence + 1],
        };
        Ok((0..self.rows * (self.all_steps() + 1)).map(|_| row()).collect())
    }
}

impl Measured {
    /// The columns of [`Measured::line`].
    pub(super) fn header() -> String {
        "| program | shape | method | rows × sequence | trainable | tokens/s | MFU | peak memory | last loss |\n\
         |---|---|---|---|---|---|---|---|---|"
            .to_owned()
    }

    /// One row of the table; `peak` is the device's, in FLOP/s.
    pub(super) fn line(&self, program: &str, plan: &Plan, peak: Option<f64>) -> String {
        let flop = plan.shape.config().map(|config| {
            let adapter = if plan.method == Method::Full { 0 } else { self.trainable };
            cost::flop_per_token(&config, plan.method, adapter, plan.sequence)
        });
        let mfu = flop.ok().zip(peak).map(|(flop, peak)| 100.0 * flop * self.tokens_per_second / peak);
        let mfu = mfu.map_or_else(|| "–".to_owned(), |mfu| format!("{mfu:.1} %"));
        let memory = self.peak.map_or_else(|| "–".to_owned(), |bytes| format!("{:.2} GiB", gibibytes(bytes)));
        let (rows, sequence, recomputed) = (plan.rows, plan.sequence, plan.gradient_checkpointing);
        let recomputed = if recomputed { ", checkpointing" } else { "" };
        format!(
            "| {program} | {} | {}{recomputed} | {rows} × {sequence} | {} | {:.0} | {mfu} | {memory} | {:.4} |",
            plan.shape, plan.method, self.trainable, self.tokens_per_second, self.loss
        )
    }
}
