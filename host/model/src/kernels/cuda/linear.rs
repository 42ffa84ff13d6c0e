//! Linear layers: cuBLAS's products, and `linear.cu` for what surrounds them. Computed in the type of x.

use super::array::{Array, read};
use super::gemm::{Into, Matrix, product};
use super::launch::{Module, arguments, each, module};
use super::weight::Weight;
use super::{Operand, Output};
use crate::kernels::dropout::Dropout;
use candle_core::{DType, Result, Shape, Tensor};

const MODULE: Module = module!("linear");

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
        let dx = x.track_op().then(|| {
            let dx = Array::new(&device, xs.len(), xs.dtype())?;
            Weight::Dense(w, input).pull(&g, &dx, Into::Replace)?;
            dx.into_tensor(x.shape())
        });
        Ok((dx.transpose()?, dw.transpose()?))
    })
}

/// Adds `bias` [out] in f32 to every row of `y` [.., out].
pub(super) fn add_bias(y: &Array, bias: &Array) -> Result<()> {
    each(y.device(), &MODULE, "add_bias", y.dtype(), y.len(), arguments![y, bias, y.len(), bias.len()])
}

/// m ∘ x into `to`, which may be `x` itself.
pub(super) fn mask(x: &Array, to: &Array, dropout: Dropout) -> Result<()> {
    let (key, threshold, scale) = dropout.parts();
    let arguments = arguments![x, to, x.len(), key, threshold, scale];
    each(x.device(), &MODULE, "dropout", x.dtype(), x.len(), arguments)
}
