//! Linear layers: cuBLAS's products, computed in the type of x.

use super::array::{Array, read};
use super::gemm::{Into, Matrix, product};
use super::weight::Weight;
use super::{Operand, Output};
use crate::kernels::weight;
use candle_core::{DType, Result, Shape, Tensor};

/// `x·Wᵀ` for `weight` [out, in]; `shape` is that of the result.
pub(crate) fn forward(x: Operand, weight: Operand, shape: Shape) -> Output {
    let (_, input) = weight.1.shape().dims2()?;
    let weight = Weight::Dense(Array::of(weight)?, input);
    Ok((weight.project(&Array::of(x)?)?.into_storage()?, shape))
}

/// The gradients of `x` and of `weight`, where they are tracked.
pub(crate) fn backward(x: &Tensor, weight: &Tensor, g: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
    let (out, input) = weight.dims2()?;
    read([x, weight, g], |[xs, w, g]| {
        let device = xs.device().clone();
        let dw = weight.track_op().then(|| {
            let dw = Array::new(&device, out * input, DType::F32)?;
            let (g, xs) = (Matrix::dense(&g, out), Matrix::dense(&xs, input));
            product(&device, Matrix::dense(&dw, input), Into::Replace, 1.0, g.t(), xs)?;
            dw.into_tensor(weight.shape())?.to_dtype(weight.dtype())
        });
        let dx = x.track_op().then(|| pulled(&Weight::Dense(w, input), x, &g));
        Ok((dx.transpose()?, dw.transpose()?))
    })
}

/// `x·Wᵀ` for a weight that is not trained.
pub(crate) fn frozen_forward(x: Operand, weight: &weight::Weight, shape: Shape) -> Output {
    let x = Array::of(x)?;
    let y = Weight::with(weight, x.device(), |weight| weight.project(&x))?;
    Ok((y.into_storage()?, shape))
}

/// The gradient of `x`.
pub(crate) fn frozen_backward(x: &Tensor, weight: &weight::Weight, g: &Tensor) -> Result<Tensor> {
    read([g], |[g]| Weight::with(weight, g.device(), |weight| pulled(weight, x, &g)))
}

fn pulled(weight: &Weight, x: &Tensor, g: &Array) -> Result<Tensor> {
    let dx = Array::new(g.device(), x.elem_count(), x.dtype())?;
    weight.pull(g, &dx, Into::Replace)?;
    dx.into_tensor(x.shape())
}
