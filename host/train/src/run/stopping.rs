//! Early stopping: a metric is looked at now and then, and the best state is what is kept.

use super::failed;
use super::resume::Progress;
use candle_core::{Tensor, Var};
use diapason_core::Result;
use diapason_core::config::EarlyStopping;

/// Watches the metric of one run.
pub(super) struct Watch<'a> {
    settings: &'a EarlyStopping,
    higher_is_better: bool,
    vars: &'a [(String, Var)],
    best: Option<f64>,
    without_gain: usize,
    /// The variables at the best look.
    pub(super) kept: Vec<Tensor>,
}

impl<'a> Watch<'a> {
    /// A watch that goes on from what an earlier one saw.
    pub(super) fn new(
        settings: &'a EarlyStopping,
        higher_is_better: bool,
        vars: &'a [(String, Var)],
        progress: &Progress,
        kept: Vec<Tensor>,
    ) -> Self {
        Self { settings, higher_is_better, vars, best: progress.best, without_gain: progress.without_gain, kept }
    }

    /// Whether the metric is the held-out loss.
    pub(super) fn is_loss(settings: &EarlyStopping) -> bool {
        settings.metric == "loss"
    }

    /// Takes note of the metric's value; says whether it is time to stop.
    pub(super) fn look(&mut self, value: f64) -> Result<bool> {
        let gain = |best: f64| if self.higher_is_better { value - best } else { best - value };
        if self.best.is_none_or(|best| gain(best) > self.settings.min_delta) {
            self.best = Some(value);
            self.without_gain = 0;
            let copies = self.vars.iter().map(|(_, var)| var.as_detached_tensor().copy());
            self.kept = copies.collect::<candle_core::Result<_>>().map_err(failed)?;
        } else {
            self.without_gain += 1;
        }
        Ok(self.without_gain >= self.settings.patience)
    }

    pub(super) fn note(&self, progress: &mut Progress) {
        (progress.best, progress.without_gain) = (self.best, self.without_gain);
    }

    /// Puts the best state back.
    pub(super) fn restore(&self) -> Result<()> {
        let mut pairs = self.vars.iter().zip(&self.kept);
        pairs.try_for_each(|((_, var), kept)| var.set(kept)).map_err(failed)
    }
}
