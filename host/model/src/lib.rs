//! Training and inference of Llama-family models on candle. The only crate that names candle.

pub mod arch;
pub mod device;
mod generate;
pub mod kernels;
pub mod linear;
mod model;
mod sampling;
mod score;
pub mod tokenizer;
pub mod weights;

pub use model::{Digests, Model};
