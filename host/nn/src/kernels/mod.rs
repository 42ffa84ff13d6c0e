//! The operations that a Llama spends its time in, each with its own backward.
//!
//! Every file states its maths and its shapes on top and carries the plain version that it is tested against
//! (`reference`, composed of candle operations). All tensors are f32; they are made contiguous where they are not. Sums
//! run in an order that does not depend on the number of threads. On a GPU the same operations run what `cuda` holds.

mod attention;
#[cfg(test)]
pub(crate) mod check;
mod cross_entropy;
#[cfg(feature = "cuda")]
pub(crate) mod cuda;
#[cfg(not(feature = "cuda"))]
#[path = "cuda_disabled.rs"]
pub(crate) mod cuda;
mod decode;
pub(crate) mod description;
mod dropout;
pub mod gemm;
mod linear;
mod lora;
pub(crate) mod reference;
mod resident;
mod residual;
mod rms_norm;
mod rope;
mod row_norms;
mod rows;
pub(crate) mod simd;
pub(crate) mod storage;
mod swiglu;
mod weight;

pub use attention::attention;
pub use cross_entropy::{CHUNK as LOGIT_ROWS, cross_entropy};
pub use dropout::Dropout;
pub use dropout::noise;
pub use linear::linear;
pub use lora::lora;
pub use residual::{add_residual, release};
pub use rms_norm::rms_norm;
pub use rope::rope;
pub use row_norms::row_norms;
pub use rows::{add_to_rows, scale_rows};
pub use swiglu::swiglu;
pub use weight::Weight;
