//! What a training run will take, before it starts and without its weights: memory, arithmetic, tokens and steps.

mod memory;
mod work;

pub use memory::{Machine, Memory, memory};
pub use work::{CpuRate, flops, measured_rate};

use crate::batch;
use crate::encode::Example;
use crate::run::plan::{self, Plan};
use diapason_core::config::Train;

/// How much goes through the model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Load {
    /// Optimizer steps.
    pub steps: u64,
    /// Forward passes.
    pub passes: u64,
    /// Tokens that go through the model.
    pub tokens: u64,
    /// Trained tokens.
    pub trained: u64,
    /// Pairs of a query and a key that it sees, for one head of one layer.
    pub pairs: u64,
    /// The pass with the most tokens.
    pub largest: Pass,
}

/// One forward pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Pass {
    /// Tokens that go through the model.
    pub tokens: u64,
    /// Trained tokens.
    pub trained: u64,
}

impl Load {
    /// What a run over these rows amounts to: the very passes that training will make.
    pub fn of(examples: &[Example], config: &Train, seed: u64) -> Self {
        let plan = Plan::new(examples, config, seed);
        let mut load = Self { steps: plan.total, ..Self::default() };
        for rows in plan.rows() {
            for rows in plan::passes(examples, &rows.rows, config) {
                load.add(rows.iter().map(|row| &examples[*row]));
            }
        }
        load
    }

    fn add<'a>(&mut self, rows: impl Iterator<Item = &'a Example>) {
        let mut pass = Pass::default();
        for row in rows {
            let tokens = batch::input_length(row) as u64;
            pass.tokens += tokens;
            pass.trained += batch::trained_tokens(row) as u64;
            self.pairs += tokens * (tokens + 1) / 2;
        }
        self.passes += 1;
        self.tokens += pass.tokens;
        self.trained += pass.trained;
        if pass.tokens > self.largest.tokens {
            self.largest = pass;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_counts_what_training_will_see() {
        let row = |n: usize| Example { ids: vec![1; n], learn: (0..n).map(|i| i >= n / 2).collect() };
        let examples = [row(5), row(9), row(3)];
        let config = Train { batch_size: 2, gradient_accumulation: 1, epochs: 2, ..Train::default() };
        let load = Load::of(&examples, &config, 1);
        assert_eq!((load.steps, load.passes), (4, 4));
        assert_eq!((load.tokens, load.trained), (2 * (4 + 8 + 2), 2 * (3 + 5 + 2)));
        assert_eq!(load.pairs, 2 * (10 + 36 + 3));
        assert!((8..=12).contains(&load.largest.tokens));
        let short = Load::of(&examples, &Train { max_steps: Some(1), ..config }, 1);
        assert_eq!((short.steps, short.passes), (1, 1));
    }
}
