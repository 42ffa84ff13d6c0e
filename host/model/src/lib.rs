//! Training and inference of Llama-family models on candle. The only crate that names candle.

pub mod adapter;
pub mod arch;
pub mod batch;
mod checkpoint;
pub mod device;
pub mod encode;
mod generate;
pub mod kernels;
pub mod linear;
pub mod loss;
pub mod merge;
mod model;
mod open;
pub mod optim;
pub mod quant;
mod sampling;
pub mod schedule;
mod score;
pub mod tokenizer;
pub mod tokens;
pub mod train;
pub mod weights;

pub use model::{Digests, Model};
pub use weights::SaveType;
