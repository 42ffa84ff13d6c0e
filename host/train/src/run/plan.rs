//! Every optimizer step of a run.

use crate::batch;
use crate::encode::Example;
use diapason_core::config::Train;

/// The steps, known before the first one.
pub(crate) struct Plan {
    lengths: Vec<usize>,
    rows_per_step: usize,
    seed: u64,
    /// Steps in all.
    pub(crate) total: u64,
}

/// One step of the plan.
pub(crate) struct StepRows {
    pub(crate) rows: Vec<usize>,
    /// Passes over the data after this step.
    pub(crate) epoch: f64,
    /// The epoch, from 1, that this step ends.
    pub(crate) ends: Option<usize>,
}

impl Plan {
    pub(crate) fn new(examples: &[Example], config: &Train, seed: u64) -> Self {
        let lengths: Vec<usize> = examples.iter().map(batch::input_length).collect();
        let rows_per_step = config.batch_size.saturating_mul(config.gradient_accumulation).max(1);
        let total = total_steps(lengths.len(), config);
        Self { lengths, rows_per_step, seed, total }
    }

    /// The steps, an epoch at a time: there may be more of them than memory for their rows.
    pub(crate) fn rows(&self) -> impl Iterator<Item = StepRows> + '_ {
        let steps = (0..).flat_map(|epoch: usize| {
            let steps = batch::steps(&self.lengths, self.rows_per_step, self.seed, epoch as u64);
            let count = steps.len();
            steps.into_iter().enumerate().map(move |(i, rows)| StepRows {
                rows,
                epoch: epoch as f64 + (i + 1) as f64 / count as f64,
                ends: (i + 1 == count).then_some(epoch + 1),
            })
        });
        steps.take(self.total as usize)
    }
}

/// Optimizer steps of a run on `rows` rows.
pub fn total_steps(rows: usize, config: &Train) -> u64 {
    let rows_per_step = config.batch_size.saturating_mul(config.gradient_accumulation).max(1);
    let all = rows.div_ceil(rows_per_step).saturating_mul(config.epochs);
    all.min(config.max_steps.unwrap_or(all)) as u64
}

/// The rows of one step, cut into forward passes.
pub(crate) fn passes(examples: &[Example], rows: &[usize], config: &Train) -> Vec<Vec<usize>> {
    let lengths: Vec<usize> = rows.iter().map(|row| batch::input_length(&examples[*row])).collect();
    let places: Vec<usize> = (0..rows.len()).collect();
    let room = config.packing.then_some(config.max_sequence_length);
    let passes = batch::passes(&places, &lengths, config.batch_size, room);
    passes.into_iter().map(|pass| pass.into_iter().map(|place| rows[place]).collect()).collect()
}
