//! Starting the kernels of the `.cu` files.

use super::array::Array;
use candle_core::cuda_backend::cudarc::driver::{LaunchConfig, PushKernelArg};
use candle_core::{CudaDevice, DType, Error, Result, bail};

/// A compiled `.cu` file.
pub(super) struct Module {
    pub name: &'static str,
    pub ptx: &'static str,
}

/// The module compiled from `<name>.cu`.
macro_rules! module {
    ($name:literal) => {
        $crate::kernels::cuda::launch::Module {
            name: $name,
            ptx: include_str!(concat!(env!("OUT_DIR"), "/", $name, ".ptx")),
        }
    };
}
pub(super) use module;

/// An argument of a kernel, of the type that its declaration has.
pub(super) enum Argument {
    /// `size_t`, or a pointer
    Size(u64),
    /// `unsigned`
    Unsigned(u32),
    /// `float`
    Float(f32),
}

impl From<&Array<'_>> for Argument {
    fn from(array: &Array) -> Self {
        Self::Size(array.pointer())
    }
}

impl From<usize> for Argument {
    fn from(size: usize) -> Self {
        Self::Size(size as u64)
    }
}

impl From<u64> for Argument {
    fn from(pointer: u64) -> Self {
        Self::Size(pointer)
    }
}

impl From<u32> for Argument {
    fn from(value: u32) -> Self {
        Self::Unsigned(value)
    }
}

impl From<f32> for Argument {
    fn from(value: f32) -> Self {
        Self::Float(value)
    }
}

/// `[a, b, c]` as kernel arguments.
macro_rules! arguments {
    ($($value:expr),* $(,)?) => { vec![$($crate::kernels::cuda::launch::Argument::from($value)),*] };
}
pub(super) use arguments;

/// Threads of a block where each handles one number.
const THREADS: usize = 256;

/// Starts the kernel `name` for numbers of type `dtype` with a thread for each of `n` elements.
pub(super) fn each(
    device: &CudaDevice,
    module: &Module,
    name: &str,
    dtype: DType,
    n: usize,
    arguments: Vec<Argument>,
) -> Result<()> {
    blocks(device, module, name, dtype, (n.div_ceil(THREADS), 1), THREADS, arguments)
}

/// Starts the kernel `name` for numbers of type `dtype` with a block for each cell of `grid`.
///
/// It is for this folder only, where each call stands beside the declaration of its kernel: `arguments` must be what the
/// kernel declares, and its pointers must hold as much as it touches.
pub(super) fn blocks(
    device: &CudaDevice,
    module: &Module,
    name: &str,
    dtype: DType,
    grid: (usize, usize),
    threads: usize,
    arguments: Vec<Argument>,
) -> Result<()> {
    if grid.0 * grid.1 == 0 {
        return Ok(());
    }
    let suffix = match dtype {
        DType::F32 => "f32",
        DType::BF16 => "bf16",
        other => bail!("{name} has no kernel for {other:?}; f32 and bf16 have one"),
    };
    let function = device.get_or_load_custom_func(&format!("{name}_{suffix}"), module.name, module.ptx)?;
    let mut builder = function.builder();
    for argument in &arguments {
        match argument {
            Argument::Size(value) => builder.arg(value),
            Argument::Unsigned(value) => builder.arg(value),
            Argument::Float(value) => builder.arg(value),
        };
    }
    let config = LaunchConfig {
        grid_dim: (grid.0 as u32, grid.1 as u32, 1),
        block_dim: (threads as u32, 1, 1),
        shared_mem_bytes: 0,
    };
    // SAFETY: see this function's description.
    unsafe { builder.launch(config) }.map_err(Error::wrap)?;
    Ok(())
}

/// Threads for a block that goes over rows of `n` numbers: whole warps, 256 at most.
pub(super) fn threads_for(n: usize) -> usize {
    n.clamp(1, THREADS).next_multiple_of(32)
}
