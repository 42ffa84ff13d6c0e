//! The operations that a Llama spends its time in, each with its own backward.
//!
//! Every file states its maths and its shapes on top and carries the plain version that it is tested against
//! (`reference`, composed of candle operations). All tensors are f32; they are made contiguous where they are not. Sums
//! run in an order that does not depend on the number of threads. On a GPU the same operations run what [`cuda`] holds.

mod attention;
#[cfg(test)]
pub(crate) mod check;
pub mod compare;
#[cfg(feature = "cuda")]
pub(crate) mod cuda;
#[cfg(not(feature = "cuda"))]
#[path = "cuda_disabled.rs"]
pub(crate) mod cuda;
mod decode;
mod dropout;
pub(crate) mod gemm;
mod linear;
mod lora;
mod pull_back;
pub(crate) mod reference;
mod residual;
mod rms_norm;
mod rope;
mod rows;
pub(crate) mod simd;
pub(crate) mod storage;
mod swiglu;
pub mod tape;
mod weight;

pub use attention::{Sequences, Span, attention};
pub use dropout::Dropout;
pub(crate) use dropout::noise;
pub use linear::linear;
pub use lora::lora;
pub use pull_back::pull_back;
pub use residual::{add_residual, release};
pub use rms_norm::rms_norm;
pub use rope::rope;
pub use rows::{add_to_rows, scale_rows};
pub use swiglu::swiglu;
pub use weight::{Weight, row_norms};
