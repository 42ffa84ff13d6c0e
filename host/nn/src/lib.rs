//! Devices, quantised weights, and fused operations with their gradients, each beside the reference it is tested against.
//! The only crate with kernels, for the CPU and with the feature `cuda` for NVIDIA GPUs.

pub mod compare;
pub mod device;
mod dtype;
pub mod kernels;
pub mod layout;
pub mod optim;
pub mod quant;
pub mod tape;

pub use dtype::SaveType;
