//! Launches `rms_norm.cu`.

use super::array::{Array, read};
use super::launch::{Module, arguments, blocks, each, module, threads_for};
use super::{Operand, Output};
use candle_core::{DType, Result, Tensor};

const MODULE: Module = module!("rms_norm");

/// Blocks of the backward pass, each with a partial sum of dw: about two for each multiprocessor of a large GPU.
const PARTS: usize = 256;

pub(crate) fn forward(x: Operand, weight: Operand, eps: f32) -> Output {
    let shape = x.1.shape().clone();
    let (x, w) = (Array::of(x)?, Array::of(weight)?.cast(DType::F32)?);
    let d = w.len();
    let y = Array::new(x.device(), x.len(), x.dtype())?;
    let (rows, threads) = (x.len() / d, threads_for(d));
    blocks(x.device(), &MODULE, "rms_norm_forward", x.dtype(), (rows, 1), threads, arguments![&x, &w, &y, d, eps])?;
    Ok((y.into_storage()?, shape))
}

/// The gradients of `x` and `weight`, where they are tracked.
pub(crate) fn backward(x: &Tensor, weight: &Tensor, g: &Tensor, eps: f32) -> Result<(Option<Tensor>, Option<Tensor>)> {
    read([x, weight, g], |[xs, w, g]| {
        let (device, w) = (xs.device().clone(), w.cast(DType::F32)?);
        let d = w.len();
        let (rows, threads) = (xs.len() / d, threads_for(d));
        let grid = rows.min(PARTS);
        let parts = weight.track_op().then(|| Array::new(&device, grid * d, DType::F32)).transpose()?;
        let null_or_parts = parts.as_ref().map_or(0, Array::pointer);
        let dx = Array::new(&device, xs.len(), xs.dtype())?;
        let arguments = arguments![&xs, &w, &g, &dx, null_or_parts, rows, d, eps];
        blocks(&device, &MODULE, "rms_norm_backward", xs.dtype(), (grid, 1), threads, arguments)?;
        let sum = |parts: Array| -> Result<Tensor> {
            let dw = Array::new(&device, d, DType::F32)?;
            each(&device, &MODULE, "rms_norm_columns", DType::F32, d, arguments![&parts, &dw, grid, d])?;
            dw.into_tensor(weight.shape())?.to_dtype(weight.dtype())
        };
        let dx = x.track_op().then(|| dx.into_tensor(x.shape())).transpose()?;
        Ok((dx, parts.map(sum).transpose()?))
    })
}
