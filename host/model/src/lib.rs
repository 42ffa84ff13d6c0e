//! Training and inference of Llama-family models on candle. The only crate that names candle.

pub mod arch;
pub mod kernels;
pub mod linear;
