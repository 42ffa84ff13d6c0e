//! Local inference: a model on this machine continues prompts, and says how likely continuations are.

mod generate;
mod local;
mod loglikelihood;
mod sampler;

pub use local::Local;
