//! Launches `optim.cu`: one launch for all parameters.

use super::array::{Array, read};
use super::launch::{Module, arguments, blocks, module};
use crate::optim::moments::{BETA1, BETA2, EPSILON, Update};
use candle_core::{CudaDevice, DType, Result, Tensor, bail};

const MODULE: Module = module!("optim");

/// Numbers that one block takes.
const CHUNK: usize = 1 << 16;

const THREADS: usize = 512;

/// One step of AdamW, in place: for each parameter `[weight, m, v, gradient]`, the moments in f32, and its update, which
/// differ in nothing but decay and learning rate.
pub(crate) fn adamw(parameters: &[([&Tensor; 4], Update)]) -> Result<()> {
    let Some(([weight, ..], Update { scale, correction, .. })) = parameters.first() else { return Ok(()) };
    let table = Table::new(weight, parameters.iter().map(|(tensors, update)| Row::of(*tensors, update)))?;
    let (rows, chunks, [beta1, beta2]) = (&table.rows, &table.chunks, [BETA1 as f32, BETA2 as f32]);
    let (rest1, rest2, epsilon) = ((1.0 - BETA1) as f32, (1.0 - BETA2) as f32, EPSILON as f32);
    let arguments = arguments![rows, chunks, CHUNK, beta1, beta2, rest1, rest2, epsilon, *scale, *correction];
    blocks(&table.device, &MODULE, "adamw", table.dtype, (chunks.len(), 1), THREADS, arguments)
}

/// L2 norm of all gradients together: squares are summed in f64, chunk by chunk and then the chunks' sums in order.
pub(crate) fn global_norm(gradients: &[Tensor]) -> Result<f64> {
    let Some(first) = gradients.first() else { return Ok(0.0) };
    let table = Table::new(first, gradients.iter().map(|gradient| Row::of([gradient; 4], &Update::default())))?;
    let (device, n) = (&table.device, table.chunks.len());
    let (squares, total) = (Array::new(device, n, DType::F64)?, Array::zeros(device, 1, DType::F64)?);
    let arguments = arguments![&table.rows, &table.chunks, CHUNK, &squares];
    blocks(device, &MODULE, "squares", table.dtype, (n, 1), THREADS, arguments)?;
    blocks(device, &MODULE, "sum_squares", DType::F32, (1, 1), THREADS, arguments![&squares, &total, n])?;
    Ok(total.download::<f64>()?[0].sqrt())
}

/// `struct Parameter` of `optim.cu` as numbers of 64 bits, with its gradient's type.
struct Row {
    fields: [i64; 6],
    dtype: DType,
}

impl Row {
    /// Of `[weight, m, v, gradient]`, which are contiguous and of one size.
    fn of(tensors: [&Tensor; 4], update: &Update) -> Result<Self> {
        let [weight, _, _, gradient] = tensors;
        let (n, dtype) = (weight.elem_count(), gradient.dtype());
        if tensors.iter().any(|tensor| tensor.elem_count() != n) || weight.dtype() != dtype {
            bail!("a {dtype:?} gradient of {:?} for {:?} {:?}", gradient.shape(), weight.dtype(), weight.shape());
        }
        let [weight, m, v, gradient] = read(tensors, |arrays| Ok(arrays.map(|array| array.pointer() as i64)))?;
        let floats = i64::from(update.keep.to_bits()) | i64::from(update.rate.to_bits()) << 32;
        Ok(Self { fields: [weight, m, v, gradient, n as i64, floats], dtype })
    }
}

/// The tables of a launch.
struct Table {
    device: CudaDevice,
    dtype: DType,
    rows: Array<'static>,
    /// `struct Chunk` of `optim.cu`, each one number of 64 bits.
    chunks: Array<'static>,
}

impl Table {
    fn new(first: &Tensor, rows: impl Iterator<Item = Result<Row>>) -> Result<Self> {
        let (device, dtype) = (first.device().as_cuda_device()?.clone(), first.dtype());
        let (mut numbers, mut chunks) = (Vec::new(), Vec::new());
        for (number, row) in rows.enumerate() {
            let Row { fields, dtype: other } = row?;
            if other != dtype {
                bail!("parameters of {dtype:?} and of {other:?} cannot be trained together");
            }
            let n = fields[4] as usize;
            numbers.extend(fields);
            chunks.extend((0..n.div_ceil(CHUNK)).map(|chunk| (chunk as i64) << 32 | number as i64));
        }
        Ok(Self { rows: Array::upload(&device, &numbers)?, chunks: Array::upload(&device, &chunks)?, device, dtype })
    }
}
