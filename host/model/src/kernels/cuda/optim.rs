//! Launches `optim.cu`: one launch for all parameters.

use super::array::{Array, read};
use super::launch::{Module, arguments, blocks, module};
use candle_core::{CudaDevice, DType, Result, Tensor, bail};

const MODULE: Module = module!("optim");

/// Numbers that one block takes.
const CHUNK: usize = 1 << 16;

const THREADS: usize = 512;

/// A parameter with its state, both moments in f32.
pub(crate) struct Parameter<'a> {
    pub weight: &'a Tensor,
    pub moments: [&'a Tensor; 2],
    pub gradient: &'a Tensor,
    /// What decay leaves of a weight.
    pub keep: f32,
}

/// What is the same for all parameters of a step.
pub(crate) struct Numbers {
    pub beta: [f32; 2],
    /// 1 − β, rounded once.
    pub rest: [f32; 2],
    pub epsilon: f32,
    pub scale: f32,
    pub rate: f32,
    pub correction: f32,
}

/// One step of AdamW over all parameters, in place.
pub(crate) fn adamw(parameters: &[Parameter], numbers: &Numbers) -> Result<()> {
    let Some(first) = parameters.first() else { return Ok(()) };
    let row = |parameter: &Parameter| {
        let [m, v] = parameter.moments;
        row([parameter.weight, m, v, parameter.gradient], parameter.keep)
    };
    let table = Table::new(first.weight, parameters.iter().map(row))?;
    let Numbers { beta, rest, epsilon, scale, rate, correction } = *numbers;
    let [beta1, beta2, rest1, rest2] = [beta[0], beta[1], rest[0], rest[1]];
    let (rows, chunks) = (&table.rows, &table.chunks);
    let arguments = arguments![rows, chunks, CHUNK, beta1, beta2, rest1, rest2, epsilon, scale, rate, correction];
    blocks(&table.device, &MODULE, "adamw", table.dtype, (chunks.len(), 1), THREADS, arguments)
}

/// L2 norm of all gradients together: squares are summed in f64, chunk by chunk and then the chunks' sums in order.
pub(crate) fn global_norm(gradients: &[Tensor]) -> Result<f64> {
    let Some(first) = gradients.first() else { return Ok(0.0) };
    let table = Table::new(first, gradients.iter().map(|gradient| row([gradient; 4], 1.0)))?;
    let (device, n) = (&table.device, table.chunks.len());
    let (squares, total) = (Array::new(device, n, DType::F64)?, Array::zeros(device, 1, DType::F64)?);
    let arguments = arguments![&table.rows, &table.chunks, CHUNK, &squares];
    blocks(device, &MODULE, "squares", table.dtype, (n, 1), THREADS, arguments)?;
    blocks(device, &MODULE, "sum_squares", DType::F32, (1, 1), THREADS, arguments![&squares, &total, n])?;
    Ok(total.download::<f64>()?[0].sqrt())
}

/// `struct Parameter` of `optim.cu`, as 6 numbers of 64 bits, with the type and the size of its weight.
struct Row([i64; 6], DType, usize);

/// A row of `[weight, m, v, gradient]`, which are contiguous and of one size.
fn row(tensors: [&Tensor; 4], keep: f32) -> Result<Row> {
    let [weight, m, v, gradient] = tensors;
    let n = weight.elem_count();
    if tensors.iter().any(|tensor| tensor.elem_count() != n) || weight.dtype() != gradient.dtype() {
        bail!("a {:?} gradient of {:?} for {:?} {:?}", gradient.dtype(), gradient.shape(), weight.dtype(), weight.shape());
    }
    read([weight, m, v, gradient], |arrays| {
        let [weight, m, v, gradient] = arrays.map(|array| array.pointer() as i64);
        Ok(Row([weight, m, v, gradient, n as i64, i64::from(keep.to_bits())], tensors[0].dtype(), n))
    })
}

/// The tables of a launch.
struct Table {
    device: CudaDevice,
    dtype: DType,
    rows: Array<'static>,
    /// Pairs of a row's number and a chunk's, each pair one number of 64 bits.
    chunks: Array<'static>,
}

impl Table {
    fn new(first: &Tensor, rows: impl Iterator<Item = Result<Row>>) -> Result<Self> {
        let (device, dtype) = (first.device().as_cuda_device()?.clone(), first.dtype());
        let (mut numbers, mut chunks) = (Vec::new(), Vec::new());
        for (number, row) in rows.enumerate() {
            let Row(row, of, n) = row?;
            if of != dtype {
                bail!("parameters of {dtype:?} and of {of:?} cannot be trained together");
            }
            numbers.extend(row);
            chunks.extend((0..n.div_ceil(CHUNK)).map(|chunk| (chunk as i64) << 32 | number as i64));
        }
        Ok(Self { rows: Array::upload(&device, &numbers)?, chunks: Array::upload(&device, &chunks)?, device, dtype })
    }
}
