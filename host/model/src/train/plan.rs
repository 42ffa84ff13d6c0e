//! Every optimizer step of a run.

use crate::batch;
use crate::encode::Example;
use diapason_core::config::Train;

/// The steps, known before the first one.
pub(crate) struct Plan {
    epochs: Vec<Vec<Vec<usize>>>,
    /// Steps in all.
    pub(crate) total: u64,
}

/// One step of the plan.
pub(crate) struct StepRows<'a> {
    pub(crate) rows: &'a [usize],
    /// Passes over the data after this step.
    pub(crate) epoch: f64,
    /// The epoch, from 1, that this step ends.
    pub(crate) ends: Option<usize>,
}

impl Plan {
    pub(crate) fn new(examples: &[Example], config: &Train, seed: u64) -> Self {
        let lengths: Vec<usize> = examples.iter().map(batch::input_length).collect();
        let rows_per_step = config.batch_size * config.gradient_accumulation;
        let epoch = |epoch: usize| batch::steps(&lengths, rows_per_step, seed, epoch as u64);
        let epochs: Vec<_> = (0..config.epochs).map(epoch).collect();
        let all = epochs.iter().map(Vec::len).sum::<usize>();
        Self { epochs, total: all.min(config.max_steps.unwrap_or(all)) as u64 }
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = StepRows<'_>> {
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

/// The rows of one step, cut into forward passes.
pub(crate) fn passes(examples: &[Example], rows: &[usize], config: &Train) -> Vec<Vec<usize>> {
    let lengths: Vec<usize> = rows.iter().map(|row| batch::input_length(&examples[*row])).collect();
    let places: Vec<usize> = (0..rows.len()).collect();
    let room = config.packing.then_some(config.max_sequence_length);
    let passes = batch::passes(&places, &lengths, config.batch_size, room);
    passes.into_iter().map(|pass| pass.into_iter().map(|place| rows[place]).collect()).collect()
}
