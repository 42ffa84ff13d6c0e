//! Products with the weight of a linear layer, computed in the type of the activations.

use super::array::{Array, read};
use super::gemm::{Into, Matrix, product};
use candle_core::{Result, Tensor};

/// A weight [out, in] on a GPU.
pub(super) enum Weight<'a> {
    /// In f32 or bf16, with the length of its rows.
    Dense(Array<'a>, usize),
}

impl Weight<'_> {
    /// Calls `body` with the weight that a layer has.
    pub(super) fn with<R>(weight: &Tensor, body: impl FnOnce(Weight) -> Result<R>) -> Result<R> {
        let (_, input) = weight.dims2()?;
        read([weight], |[weight]| body(Weight::Dense(weight, input)))
    }

    /// `x·Wᵀ` [rows, out] of `x` [rows, in].
    pub(super) fn project(self, x: &Array) -> Result<Array<'static>> {
        let Self::Dense(weight, input) = self;
        let (out, weight) = (weight.len() / input, weight.cast(x.dtype())?);
        let y = Array::new(x.device(), x.len() / input * out, x.dtype())?;
        let (x_rows, columns) = (Matrix::dense(x, input), Matrix::dense(&weight, input).t());
        product(x.device(), Matrix::dense(&y, out), Into::Replace, 1.0, x_rows, columns)?;
        Ok(y)
    }

    /// Puts `g·W` into `dx` [rows, in], or adds it, for `g` [rows, out].
    pub(super) fn pull(self, g: &Array, dx: &Array, into: Into) -> Result<()> {
        let Self::Dense(weight, input) = self;
        let (out, weight) = (weight.len() / input, weight.cast(g.dtype())?);
        let (g_rows, weight) = (Matrix::dense(g, out), Matrix::dense(&weight, input));
        product(g.device(), Matrix::dense(dx, input), into, 1.0, g_rows, weight)
    }
}
