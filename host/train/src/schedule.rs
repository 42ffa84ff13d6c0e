//! The learning rate over a run, as in transformers (`optimization.py`).

use diapason_core::config::Schedule;
use std::f64::consts::PI;

/// A schedule over a known number of steps.
#[derive(Debug, Clone, Copy)]
pub struct LearningRate {
    peak: f64,
    shape: Schedule,
    warmup: u64,
    decay: u64,
    steps: u64,
}

impl LearningRate {
    /// Rises from 0 to `peak` in the first `warmup` (a fraction) of `steps`, rounded up, then goes as `shape` says.
    /// `decay` is the fraction, rounded up, of the steps in which the schedule `wsd` falls.
    pub fn new(peak: f64, shape: Schedule, warmup: f64, decay: f64, steps: u64) -> Self {
        let part = |fraction: f64| (fraction * steps as f64).ceil() as u64;
        Self { peak, shape, warmup: part(warmup), decay: part(decay), steps }
    }

    /// The rate of a step, counted from 1. With a warm-up, step 1 has the rate 0, as in transformers.
    pub fn at(&self, step: u64) -> f64 {
        let done = step - 1;
        if done < self.warmup {
            return self.peak * done as f64 / self.warmup as f64;
        }
        let rest = (self.steps - self.warmup).max(1) as f64;
        let progress = (done - self.warmup) as f64 / rest;
        let factor = match self.shape {
            Schedule::Constant => 1.0,
            Schedule::Linear => 1.0 - progress,
            Schedule::Cosine => 0.5 * (1.0 + (PI * progress).cos()),
            Schedule::Wsd => ((self.steps.saturating_sub(done)) as f64 / self.decay.max(1) as f64).min(1.0),
        };
        self.peak * factor.max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(shape: Schedule, expected: [f64; 10]) {
        let rate = LearningRate::new(1.0, shape, 0.2, 0.3, 10);
        for (step, expected) in (1..).zip(expected) {
            assert!((rate.at(step) - expected).abs() < 1e-9, "{shape:?}, step {step}: {}", rate.at(step));
        }
    }

    /// Expected values printed by `get_{constant_schedule_with_warmup,linear_…,cosine_…,wsd_…}` of transformers 5.
    #[test]
    fn equals_transformers() {
        check(Schedule::Constant, [0.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
        check(Schedule::Linear, [0.0, 0.5, 1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]);
        let cosine = [0.0, 0.5, 1.0, 0.961939766256, 0.853553390593, 0.691341716183, 0.5, 0.308658283817];
        check(Schedule::Wsd, [0.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.666666666667, 0.333333333333]);
        check(Schedule::Cosine, [&cosine[..], &[0.146446609407, 0.038060233744]].concat().try_into().expect("ten"));
    }

    #[test]
    fn without_warmup_the_first_step_has_the_peak() {
        assert_eq!(LearningRate::new(3e-4, Schedule::Cosine, 0.0, 0.1, 7).at(1), 3e-4);
    }
}
