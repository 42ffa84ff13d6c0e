//! The Llama family: one decoder, whose members (Llama, SmolLM2, Mistral, Qwen2, Qwen3) differ in biases, in norms of
//! queries and keys, and in how positions are scaled.

mod block;
mod cache;
mod init;
mod llama;
mod random;
mod rotary;

pub use block::{Attention, Block, Mlp, Pass};
pub use cache::Cache;
pub use llama::{Llama, Parameters};
pub use rotary::Rotary;

/// The index of the largest value, of equals the first; not-a-number is never the largest.
pub fn argmax(values: &[f32]) -> usize {
    let best = |best: (usize, f32), (i, value): (usize, &f32)| if *value > best.1 { (i, *value) } else { best };
    values.iter().enumerate().fold((0, f32::NEG_INFINITY), best).0
}
