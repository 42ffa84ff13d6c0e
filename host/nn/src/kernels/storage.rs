//! Reading tensors as slices inside operations.

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor, bail};

/// The numbers of an operation's argument; an error if it is not contiguous f32.
pub(crate) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("a kernel was given a tensor that is not contiguous")
    };
    Ok(&storage.as_slice::<f32>()?[start..end])
}

/// Calls `body` with the numbers of contiguous f32 tensors on the CPU.
pub(crate) fn read<const N: usize, R>(tensors: [&Tensor; N], body: impl FnOnce([&[f32]; N]) -> Result<R>) -> Result<R> {
    let guards = tensors.map(Tensor::storage_and_layout);
    let mut slices: [&[f32]; N] = [&[]; N];
    for ((storage, layout), slot) in guards.iter().zip(&mut slices) {
        *slot = match &**storage {
            Storage::Cpu(storage) => slice(storage, layout)?,
            _ => bail!("this kernel runs on the CPU only"),
        };
    }
    body(slices)
}
