//! Every optimizer step of a run.

use crate::batch;
use crate::encode::Example;
use diapason_core::config::Train;

/// The steps, known before the first one.
pub(super) struct Plan {
    epochs: Vec<Vec<Vec<usize>>>,
    /// Steps in all.
    pub(super) total: u64,
}

/// One step of the plan.
pub(super) struct StepRows<'a> {
    pub(super) rows: &'a [usize],
    /// Passes over the data after this step.
    pub(super) epoch: f64,
    /// The epoch, from 1, that this step ends.
    pub(super) ends: Option<usize>,
}

impl Plan {
    pub(super) fn new(examples: &[Example], config: &Train, seed: u64) -> Self {
        let lengths: Vec<usize> = examples.iter().map(batch::input_length).collect();
        let rows_per_step = config.batch_size * config.gradient_accumulation;
        let epoch = |epoch: usize| batch::steps(&lengths, rows_per_step, seed, epoch as u64);
        let epochs: Vec<_> = (0..config.epochs).map(epoch).collect();
        let all = epochs.iter().map(Vec::len).sum::<usize>();
        Self { epochs, total: all.min(config.max_steps.unwrap_or(all)) as u64 }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = StepRows<'_>> {
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
