//! Contiguous numbers in a GPU's memory.

use super::Operand;
use candle_core::backend::{BackendDevice, BackendStorage};
use candle_core::cuda_backend::CudaStorageSlice;
use candle_core::cuda_backend::cudarc::driver::DevicePtr;
use candle_core::op::BackpropOp;
use candle_core::{CudaDevice, CudaStorage, DType, Layout, Result, Shape, Storage, Tensor, bail};
use std::ops::Deref;

/// Numbers one after the other: a tensor's, or a buffer of its own.
#[derive(Debug)]
pub(crate) struct Array<'a> {
    storage: Held<'a>,
    start: usize,
    len: usize,
}

#[derive(Debug)]
enum Held<'a> {
    Borrowed(&'a CudaStorage),
    Owned(CudaStorage),
}

impl Deref for Held<'_> {
    type Target = CudaStorage;

    fn deref(&self) -> &CudaStorage {
        match self {
            Held::Borrowed(storage) => storage,
            Held::Owned(storage) => storage,
        }
    }
}

impl<'a> Array<'a> {
    /// An operation's argument, which must be contiguous.
    pub(super) fn of((storage, layout): Operand<'a>) -> Result<Self> {
        match layout.contiguous_offsets() {
            Some((start, end)) => Ok(Self { storage: Held::Borrowed(storage), start, len: end - start }),
            None => bail!("a kernel was given a tensor that is not contiguous"),
        }
    }

    /// Room for `len` numbers, not yet written: whoever asks for it launches what writes all of it. The driver gives no
    /// memory of length 0, so there is always one.
    pub(super) fn new(device: &CudaDevice, len: usize, dtype: DType) -> Result<Array<'static>> {
        // SAFETY: GPU memory without a value is not undefined behaviour of this program, and it is written before it is
        // read, as the work of a stream is done in order.
        let storage = unsafe { device.alloc_uninit(&Shape::from(len.max(1)), dtype)? };
        Ok(Array { storage: Held::Owned(storage), start: 0, len })
    }

    pub(super) fn zeros(device: &CudaDevice, len: usize, dtype: DType) -> Result<Array<'static>> {
        let storage = device.zeros_impl(&Shape::from(len.max(1)), dtype)?;
        Ok(Array { storage: Held::Owned(storage), start: 0, len })
    }

    /// Numbers from the CPU's memory.
    pub(super) fn upload<T: candle_core::WithDType>(device: &CudaDevice, values: &[T]) -> Result<Array<'static>> {
        Ok(Array { storage: Held::Owned(device.storage_from_slice(values)?), start: 0, len: values.len() })
    }

    /// The same numbers in another type; itself where that is its type.
    pub(super) fn cast(self, dtype: DType) -> Result<Self> {
        if self.dtype() == dtype { Ok(self) } else { self.copied(dtype) }
    }

    /// The same numbers in memory of their own.
    pub(super) fn copied(&self, dtype: DType) -> Result<Array<'static>> {
        let layout = Layout::contiguous_with_offset(self.len, self.start);
        let storage = if self.dtype() == dtype {
            self.storage.try_clone(&layout)?
        } else {
            self.storage.to_dtype(&layout, dtype)?
        };
        // A clone is of the whole buffer.
        let start = if self.dtype() == dtype { self.start } else { 0 };
        Ok(Array { storage: Held::Owned(storage), start, len: self.len })
    }

    /// The first `n` numbers.
    pub(super) fn first(&self, n: usize) -> Array<'_> {
        Array { storage: Held::Borrowed(&self.storage), start: self.start, len: n }
    }

    pub(super) fn device(&self) -> &CudaDevice {
        &self.storage.device
    }

    pub(super) fn dtype(&self) -> DType {
        self.storage.dtype()
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The address of the first number.
    pub(super) fn pointer(&self) -> u64 {
        self.at(0)
    }

    /// The address of number `i`.
    pub(super) fn at(&self, i: usize) -> u64 {
        address(&self.storage.slice) + ((self.start + i) * self.dtype().size_in_bytes()) as u64
    }

    /// The numbers in the CPU's memory.
    pub(super) fn download<T: candle_core::WithDType>(&self) -> Result<Vec<T>> {
        let values = self.storage.to_cpu_storage()?;
        Ok(values.as_slice::<T>()?[self.start..self.start + self.len].to_vec())
    }
}

impl Array<'static> {
    /// The result of a forward pass.
    pub(super) fn into_storage(self) -> Result<CudaStorage> {
        match self.storage {
            Held::Owned(storage) => Ok(storage),
            Held::Borrowed(_) => bail!("a result is memory of its own"),
        }
    }

    /// The result of a backward pass.
    pub(super) fn into_tensor(self, shape: &Shape) -> Result<Tensor> {
        Ok(Tensor::from_storage(Storage::Cuda(self.into_storage()?), shape, BackpropOp::none(), false))
    }
}

/// Calls `body` with the numbers of contiguous tensors on a GPU.
pub(super) fn read<const N: usize, R>(tensors: [&Tensor; N], body: impl FnOnce([Array; N]) -> Result<R>) -> Result<R> {
    let guards = tensors.map(Tensor::storage_and_layout);
    let mut arrays = Vec::with_capacity(N);
    for (storage, layout) in &guards {
        match &**storage {
            Storage::Cuda(storage) => arrays.push(Array::of((storage, layout))?),
            _ => bail!("a tensor of this operation is not on its GPU"),
        }
    }
    match <[Array; N]>::try_from(arrays) {
        Ok(arrays) => body(arrays),
        Err(_) => bail!("as many arrays as tensors"),
    }
}

/// Where a buffer starts. One stream does all work on a device, in order, so nothing has to wait for anything.
fn address(slice: &CudaStorageSlice) -> u64 {
    macro_rules! start {
        ($($kind:ident),*) => {
            match slice {
                $(CudaStorageSlice::$kind(slice) => slice.device_ptr(slice.stream()).0,)*
                _ => unreachable!("no kernel takes numbers of other types"),
            }
        };
    }
    start!(U8, U32, I64, F16, BF16, F32, F64)
}
