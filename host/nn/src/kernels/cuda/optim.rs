//! Launches `optim.cu`: one launch for all parameters whose averages are in f32, and one for all whose are in 8 bits.

use super::array::{Array, read};
use super::launch::{Argument, Module, arguments, blocks, module};
use crate::kernels::description::{BETA1, BETA2, EPSILON, Parameter, State, Update};
use crate::quant::dynamic::{BLOCK, SIGNED, UNSIGNED};
use candle_core::{CudaDevice, DType, Result, Tensor, bail};

const MODULE: Module = module!("optim");

/// Numbers that one block takes: a multiple of [`BLOCK`].
const CHUNK: usize = 1 << 16;

const THREADS: usize = 512;

/// One step of AdamW, in place. The updates differ in nothing but decay and learning rate.
pub(crate) fn adamw(parameters: &[Parameter]) -> Result<()> {
    let Some((weight, _, _, Update { scale, correction, .. })) = parameters.first() else { return Ok(()) };
    let rows = parameters.iter().map(Row::of).collect::<Result<Vec<_>>>()?;
    let (eight, whole): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.fields.len() == EIGHT);
    let rest = |table: &Table| {
        let [beta1, beta2] = [BETA1 as f32, BETA2 as f32];
        let (rest1, rest2, epsilon) = ((1.0 - BETA1) as f32, (1.0 - BETA2) as f32, EPSILON as f32);
        let more = arguments![beta1, beta2, rest1, rest2, epsilon, *scale, *correction];
        (arguments![&table.rows, &table.chunks, CHUNK], more)
    };
    if !whole.is_empty() {
        let table = Table::new(weight, &whole)?;
        let (mut arguments, more) = rest(&table);
        arguments.extend(more);
        table.launch("adamw", THREADS, arguments)?;
    }
    if !eight.is_empty() {
        let table = Table::new(weight, &eight)?;
        let maps = [SIGNED.as_slice(), UNSIGNED.as_slice()].map(|map| Array::upload(&table.device, map));
        let [signed, unsigned] = maps;
        let (signed, unsigned) = (signed?, unsigned?);
        let (mut arguments, more) = rest(&table);
        arguments.extend(arguments![&signed, &unsigned]);
        arguments.extend(more);
        // A thread for each number of a block that shares a magnitude.
        table.launch("adamw8", BLOCK, arguments)?;
    }
    Ok(())
}

/// L2 norm of all gradients together: squares are summed in f64, chunk by chunk and then the chunks' sums in order.
pub(crate) fn global_norm(gradients: &[Tensor]) -> Result<f64> {
    let Some(first) = gradients.first() else { return Ok(0.0) };
    // The kernel looks at nothing but the gradient.
    let row = |gradient| Row::new([gradient; 4], gradient, &Update::default());
    let table = Table::new(first, &gradients.iter().map(row).collect::<Result<Vec<_>>>()?)?;
    let (device, n) = (&table.device, table.chunks.len());
    let (squares, total) = (Array::new(device, n, DType::F64)?, Array::zeros(device, 1, DType::F64)?);
    table.launch("squares", THREADS, arguments![&table.rows, &table.chunks, CHUNK, &squares])?;
    blocks(device, &MODULE, "sum_squares", DType::F32, (1, 1), THREADS, arguments![&squares, &total, n])?;
    Ok(total.download::<f64>()?[0].sqrt())
}

/// Fields of `struct Parameter8`; `struct Parameter` has two fewer.
const EIGHT: usize = 8;

/// `struct Parameter` or `struct Parameter8` of `optim.cu` as numbers of 64 bits, with its gradient's type and length.
struct Row {
    fields: Vec<i64>,
    dtype: DType,
    n: usize,
}

impl Row {
    fn of((weight, state, gradient, update): &Parameter) -> Result<Self> {
        match state {
            State::F32([m, v]) => Self::new([weight, m, v, gradient], gradient, update),
            State::Eight { codes: [m, v], absmax: [m_top, v_top] } => {
                Self::new([weight, m, v, m_top, v_top, gradient], gradient, update)
            }
        }
    }

    /// Of these contiguous tensors' addresses, in the order of the fields.
    fn new<const N: usize>(tensors: [&Tensor; N], gradient: &Tensor, update: &Update) -> Result<Self> {
        let (weight, n, dtype) = (tensors[0], gradient.elem_count(), gradient.dtype());
        // Weight, averages and gradient; magnitudes are fewer.
        if [0, 1, 2, N - 1].iter().any(|i| tensors[*i].elem_count() != n) || weight.dtype() != dtype {
            bail!("a {dtype:?} gradient of {:?} for {:?} {:?}", gradient.shape(), weight.dtype(), weight.shape());
        }
        let mut fields = read(tensors, |arrays| Ok(arrays.map(|array| array.pointer() as i64)))?.to_vec();
        let floats = i64::from(update.keep.to_bits()) | i64::from(update.rate.to_bits()) << 32;
        fields.extend([n as i64, floats]);
        Ok(Self { fields, dtype, n })
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
    fn new(first: &Tensor, rows: &[Row]) -> Result<Self> {
        let (device, dtype) = (first.device().as_cuda_device()?.clone(), first.dtype());
        let (mut numbers, mut chunks) = (Vec::<i64>::new(), Vec::<i64>::new());
        for (number, row) in rows.iter().enumerate() {
            if row.dtype != dtype {
                bail!("parameters of {dtype:?} and of {:?} cannot be trained together", row.dtype);
            }
            numbers.extend(&row.fields);
            chunks.extend((0..row.n.div_ceil(CHUNK)).map(|chunk| (chunk as i64) << 32 | number as i64));
        }
        Ok(Self { rows: Array::upload(&device, &numbers)?, chunks: Array::upload(&device, &chunks)?, device, dtype })
    }

    /// Starts a block for each chunk.
    fn launch(&self, name: &str, threads: usize, arguments: Vec<Argument>) -> Result<()> {
        blocks(&self.device, &MODULE, name, self.dtype, (self.chunks.len(), 1), threads, arguments)
    }
}
