//! The Llama family: one decoder, whose members (Llama, SmolLM2, Mistral, Qwen2, Qwen3) differ in biases, in norms of
//! queries and keys, and in how positions are scaled.

mod block;
mod cache;
mod config;
mod init;
mod llama;
mod random;
mod rotary;

pub use block::{Attention, Block, Mlp};
pub use cache::Cache;
pub(crate) use config::DROPOUT;
pub use config::{Architecture, Config, Scaling};
pub use llama::{Llama, Parameters};
pub use rotary::Rotary;
