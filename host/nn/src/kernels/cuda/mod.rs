//! The kernels on NVIDIA GPUs: each file launches the `.cu` beside it, or composes cuBLAS's products.
//!
//! The `.cu` files are compiled to PTX when the crate is built (`build.rs`), and not by NVRTC when it runs: candle's own
//! kernels need nvcc at build time anyway, errors show up there, and a user's machine needs one library less. The driver
//! makes machine code of the PTX for whatever GPU it finds.
//!
//! Activations are f32 or bf16, and the products of a layer are computed in the type of its input; the weights of norms,
//! biases, angles and statistics are f32. Nothing adds up in an order that varies: the same run gives the same bytes.

mod array;
pub(crate) mod attention;
pub(crate) mod cross_entropy;
mod gemm;
mod launch;
pub(crate) mod linear;
pub(crate) mod lora;
mod nf4;
pub(crate) mod optim;
pub(crate) mod rms_norm;
pub(crate) mod rope;
mod rows;
pub(crate) mod swiglu;
pub(crate) mod weight;

use candle_core::{CudaStorage, Layout, Shape};

/// An argument of an operation.
pub(crate) type Operand<'a> = (&'a CudaStorage, &'a Layout);

/// What an operation's forward pass gives.
pub(crate) type Output = candle_core::Result<(CudaStorage, Shape)>;
