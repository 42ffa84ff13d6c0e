//! The output head with its cross-entropy: launches `cross_entropy.cu` between the products.

use super::Operand;
use super::array::Array;
use super::gemm::{Into, Matrix, product};
use super::launch::{Module, arguments, blocks, each, module};
use crate::kernels::description::CrossEntropy;
use candle_core::{CudaStorage, DType, Result, Tensor};

const MODULE: Module = module!("cross_entropy");

/// Rows of logits that exist at the same time: as many as fill a GPU.
const CHUNK: usize = 1024;

/// Threads that share a row of logits.
const THREADS: usize = 1024;

/// The gradients of hidden states and of the weight, where they are wanted.
type Gradients = (Option<Tensor>, Option<Tensor>);

/// The loss of `hidden` [rows, d] under `weight` [vocab, d], and for an upstream gradient of 1 those gradients that are
/// wanted. Products are computed in the type of `hidden`; logits and the sum of dweight are f32.
pub(crate) fn forward(op: &CrossEntropy, hidden: Operand, weight: Operand) -> Result<(CudaStorage, Gradients)> {
    let (hidden_shape, weight_shape) = (hidden.1.shape(), weight.1.shape());
    let (hidden, weight) = (Array::of(hidden)?, Array::of(weight)?);
    let (device, dtype, weight_type) = (hidden.device().clone(), hidden.dtype(), weight.dtype());
    let dhidden = op.wanted.0.then(|| Array::zeros(&device, hidden.len(), dtype)).transpose()?;
    let dweight = op.wanted.1.then(|| Array::zeros(&device, weight.len(), DType::F32)).transpose()?;
    let losses = Array::zeros(&device, op.trained.len(), DType::F32)?;
    let head = Head { vocab: weight_shape.dims2()?.0, d: weight_shape.dims2()?.1, weight: weight.cast(dtype)? };
    for (i, chunk) in op.trained.chunks(CHUNK).enumerate() {
        let (rows, gradient) = head.gradient(&hidden, chunk, losses.at(i * CHUNK), op.divisor)?;
        head.pull(&rows, &gradient, dhidden.as_ref(), dweight.as_ref())?;
    }
    let loss = losses.download::<f32>()?.into_iter().map(f64::from).sum::<f64>() / f64::from(op.divisor);
    let dhidden = dhidden.map(|gradient| gradient.into_tensor(hidden_shape)).transpose()?;
    let dweight = dweight.map(|gradient| gradient.into_tensor(weight_shape)?.to_dtype(weight_type)).transpose()?;
    Ok((Array::upload(&device, &[loss as f32])?.into_storage()?, (dhidden, dweight)))
}

struct Head<'a> {
    vocab: usize,
    d: usize,
    weight: Array<'a>,
}

/// The rows of a chunk: their numbers, and their hidden states [rows, d].
struct Rows {
    numbers: Array<'static>,
    hidden: Array<'static>,
}

impl Head<'_> {
    /// Writes the chunk's losses to the address `losses`; gives its rows and the gradient of their logits.
    fn gradient(
        &self,
        hidden: &Array,
        chunk: &[(usize, usize)],
        losses: u64,
        divisor: f32,
    ) -> Result<(Rows, Array<'static>)> {
        let (device, dtype, n) = (hidden.device(), hidden.dtype(), chunk.len() * self.d);
        let numbers = Array::upload(device, &chunk.iter().map(|(row, _)| *row as u32).collect::<Vec<_>>())?;
        let targets = Array::upload(device, &chunk.iter().map(|(_, target)| *target as u32).collect::<Vec<_>>())?;
        let rows = Rows { numbers, hidden: Array::new(device, n, dtype)? };
        each(device, &MODULE, "gather", dtype, n, arguments![hidden, &rows.numbers, &rows.hidden, n, self.d])?;
        let logits = Array::new(device, chunk.len() * self.vocab, DType::F32)?;
        let (x, weight) = (Matrix::dense(&rows.hidden, self.d), Matrix::dense(&self.weight, self.d));
        product(device, Matrix::dense(&logits, self.vocab), Into::Replace, 1.0, x, weight.t())?;
        let beside = (dtype != DType::F32).then(|| Array::new(device, logits.len(), dtype)).transpose()?;
        let gradient = beside.as_ref().unwrap_or(&logits);
        let arguments = arguments![&logits, gradient, &targets, losses, self.vocab, divisor];
        blocks(device, &MODULE, "cross_entropy", dtype, (chunk.len(), 1), THREADS, arguments)?;
        Ok((rows, beside.unwrap_or(logits)))
    }

    /// Adds to dweight and writes the rows of dhidden.
    fn pull(&self, rows: &Rows, gradient: &Array, dhidden: Option<&Array>, dweight: Option<&Array>) -> Result<()> {
        let (device, dtype, n) = (gradient.device(), gradient.dtype(), rows.hidden.len());
        let gradient = Matrix::dense(gradient, self.vocab);
        if let Some(dweight) = dweight {
            let (out, x) = (Matrix::dense(dweight, self.d), Matrix::dense(&rows.hidden, self.d));
            product(device, out, Into::Add, 1.0, gradient.t(), x)?;
        }
        let Some(dhidden) = dhidden else { return Ok(()) };
        let pulled = Array::new(device, n, dtype)?;
        let weight = Matrix::dense(&self.weight, self.d);
        product(device, Matrix::dense(&pulled, self.d), Into::Replace, 1.0, gradient, weight)?;
        each(device, &MODULE, "scatter", dtype, n, arguments![&pulled, &rows.numbers, dhidden, n, self.d])
    }
}
