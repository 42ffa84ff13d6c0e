//! Matrix products by cuBLAS on matrices stored row by row, many of the same shape at a time.

use super::array::Array;
use candle_core::cuda_backend::cudarc::cublas::{result, sys};
use candle_core::{CudaDevice, DType, Error, Result, bail};

/// A matrix, or one of several that start `batch` numbers apart: element (i, j) is at `i * stride + j`, of the transpose
/// at `j * stride + i`.
#[derive(Clone, Copy)]
pub(super) struct Matrix {
    pointer: u64,
    dtype: DType,
    rows: usize,
    columns: usize,
    stride: usize,
    batch: usize,
    transposed: bool,
}

impl Matrix {
    /// A matrix stored without gaps, as many rows as `array` has numbers for.
    pub(super) fn dense(array: &Array, columns: usize) -> Self {
        Self::strided(array, 0, [array.len() / columns.max(1), columns], columns)
    }

    /// The matrix [rows, columns] from number `start` of `array` on, whose rows start `stride` apart.
    pub(super) fn strided(array: &Array, start: usize, [rows, columns]: [usize; 2], stride: usize) -> Self {
        Self { pointer: array.at(start), dtype: array.dtype(), rows, columns, stride, batch: 0, transposed: false }
    }

    /// The first of several such matrices, which start `numbers` apart.
    pub(super) fn every(self, numbers: usize) -> Self {
        Self { batch: numbers, ..self }
    }

    /// The transpose, without moving anything.
    pub(super) fn t(self) -> Self {
        Self { rows: self.columns, columns: self.rows, transposed: !self.transposed, ..self }
    }

    fn operation(&self) -> sys::cublasOperation_t {
        if self.transposed { sys::cublasOperation_t::CUBLAS_OP_T } else { sys::cublasOperation_t::CUBLAS_OP_N }
    }
}

/// What happens to what the output held before.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Into {
    /// It is forgotten.
    Replace,
    /// The product is added to it.
    Add,
}

/// `out = scale · left · right` (or `out += …`), summed in f32.
pub(super) fn product(
    device: &CudaDevice,
    out: Matrix,
    into: Into,
    scale: f32,
    left: Matrix,
    right: Matrix,
) -> Result<()> {
    batched(device, 1, out, into, scale, left, right)
}

/// [`product`] of `count` matrices each.
pub(super) fn batched(
    device: &CudaDevice,
    count: usize,
    out: Matrix,
    into: Into,
    scale: f32,
    left: Matrix,
    right: Matrix,
) -> Result<()> {
    let (m, k, n) = (left.rows, left.columns, right.columns);
    if right.rows != k || (out.rows, out.columns) != (m, n) || out.transposed || left.dtype != right.dtype {
        bail!("a product of [{m}, {k}] and [{}, {n}] into [{}, {}]", right.rows, out.rows, out.columns);
    }
    if m * n * count == 0 {
        return Ok(());
    }
    let beta: f32 = if into == Into::Add { 1.0 } else { 0.0 };
    let blas = device.cublas_handle();
    // cuBLAS takes matrices to be stored column by column: what it sees are the transposes of ours, so it is asked for
    // outᵀ = rightᵀ · leftᵀ.
    // SAFETY: the checks above make the shapes fit each other; that matrices lie within their arrays is for the caller to
    // see to, who is in this folder.
    unsafe {
        result::gemm_strided_batched_ex(
            *blas.handle(),
            right.operation(),
            left.operation(),
            n as i32,
            m as i32,
            k as i32,
            (&raw const scale).cast(),
            right.pointer as *const _,
            kind(right.dtype)?,
            right.stride as i32,
            right.batch as i64,
            left.pointer as *const _,
            kind(left.dtype)?,
            left.stride as i32,
            left.batch as i64,
            (&raw const beta).cast(),
            out.pointer as *mut _,
            kind(out.dtype)?,
            out.stride as i32,
            out.batch as i64,
            count as i32,
            sys::cublasComputeType_t::CUBLAS_COMPUTE_32F,
            sys::cublasGemmAlgo_t::CUBLAS_GEMM_DEFAULT_TENSOR_OP,
        )
    }
    .map_err(Error::wrap)
}

fn kind(dtype: DType) -> Result<sys::cudaDataType_t> {
    match dtype {
        DType::F32 => Ok(sys::cudaDataType_t::CUDA_R_32F),
        DType::BF16 => Ok(sys::cudaDataType_t::CUDA_R_16BF),
        other => bail!("products of {other:?} are not supported, only of f32 and bf16"),
    }
}
