//! A linear layer with a low-rank adapter, composed of products and masks; the CPU's `lora.rs` states the maths.

use super::Operand;
use super::array::{Array, read};
use super::gemm::{Into, Matrix, product};
use super::rows::{add_bias, mask};
use super::weight::Weight;
use crate::kernels::description::Lora;
use candle_core::{CudaStorage, DType, Result, Tensor};

/// y [.., out], and h = (m ∘ x)·Aᵀ [rows, r] for the backward pass; `a` [r, in], `b` [out, r].
pub(crate) fn forward(layer: &Lora, x: Operand, a: Operand, b: Operand) -> Result<(CudaStorage, Tensor)> {
    let (rank, input) = a.1.shape().dims2()?;
    let x = Array::of(x)?;
    let (device, dtype, rows) = (x.device(), x.dtype(), x.len() / input);
    let (a, b) = (Array::of(a)?.cast(dtype)?, Array::of(b)?.cast(dtype)?);
    let h = Array::new(device, rows * rank, dtype)?;
    let masked = dropped(layer, &x)?;
    let seen = Matrix::dense(masked.as_ref().unwrap_or(&x), input);
    product(device, Matrix::dense(&h, rank), Into::Replace, 1.0, seen, Matrix::dense(&a, input).t())?;
    let y = Weight::with(&layer.weight, device, |weight| weight.project(&x))?;
    let out = Matrix::dense(&y, b.len() / rank);
    product(device, out, Into::Add, layer.scale, Matrix::dense(&h, rank), Matrix::dense(&b, rank).t())?;
    if let Some(bias) = &layer.bias {
        read([bias], |[bias]| add_bias(&y, &bias.cast(DType::F32)?))?;
    }
    Ok((y.into_storage()?, h.into_tensor(&(rows, rank).into())?))
}

/// The gradients of `x` where it is tracked, of `a` and of `b`.
pub(crate) fn backward(
    layer: &Lora,
    [x, a, b]: [&Tensor; 3],
    h: &Tensor,
    g: &Tensor,
) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
    let ((rank, input), (out, _)) = (a.dims2()?, b.dims2()?);
    read([x, a, b, h, g], |[xs, a_values, b_values, h, gs]| {
        let (device, dtype) = (xs.device().clone(), xs.dtype());
        let (a_values, b_values) = (a_values.cast(dtype)?, b_values.cast(dtype)?);
        let g = Matrix::dense(&gs, out);
        let db = Array::new(&device, out * rank, DType::F32)?;
        let h = Matrix::dense(&h, rank);
        product(&device, Matrix::dense(&db, rank), Into::Replace, layer.scale, g.t(), h)?;
        let dh = Array::new(&device, xs.len() / input * rank, dtype)?;
        product(&device, Matrix::dense(&dh, rank), Into::Replace, layer.scale, g, Matrix::dense(&b_values, rank))?;
        let dh = Matrix::dense(&dh, rank);
        let da = Array::new(&device, rank * input, DType::F32)?;
        let masked = dropped(layer, &xs)?;
        let seen = Matrix::dense(masked.as_ref().unwrap_or(&xs), input);
        product(&device, Matrix::dense(&da, input), Into::Replace, 1.0, dh.t(), seen)?;
        let dx = x.track_op().then(|| {
            let dx = Array::new(&device, xs.len(), dtype)?;
            product(&device, Matrix::dense(&dx, input), Into::Replace, 1.0, dh, Matrix::dense(&a_values, input))?;
            if let Some(dropout) = layer.dropout {
                mask(&dx, &dx, dropout)?;
            }
            Weight::with(&layer.weight, &device, |weight| weight.pull(&gs, &dx, Into::Add))?;
            dx.into_tensor(x.shape())
        });
        let da = da.into_tensor(a.shape())?.to_dtype(a.dtype())?;
        let db = db.into_tensor(b.shape())?.to_dtype(b.dtype())?;
        Ok((dx.transpose()?, Some(da), Some(db)))
    })
}

/// m ∘ x; `None` where nothing is dropped.
fn dropped(layer: &Lora, x: &Array) -> Result<Option<Array<'static>>> {
    let Some(dropout) = layer.dropout else { return Ok(None) };
    let masked = Array::new(x.device(), x.len(), x.dtype())?;
    mask(x, &masked, dropout)?;
    Ok(Some(masked))
}
