//! Products with the weight of a linear layer, computed in the type of the activations. A weight in 4 bits is widened tile
//! by tile, some rows at a time, into a buffer that cuBLAS reads.

use super::array::{Array, read};
use super::gemm::{Into, Matrix, product};
use super::nf4::Nf4;
use super::rows::row_dots;
use crate::kernels::weight;
use candle_core::{CudaDevice, DType, Result, Tensor};

/// Numbers of a tile: 128 MiB in bf16.
const TILE: usize = 1 << 26;

/// A weight [out, in] on a GPU.
pub(super) enum Weight<'a> {
    /// In f32 or bf16, with the length of its rows.
    Dense(Array<'a>, usize),
    Nf4(&'a Nf4, [usize; 2]),
}

impl Weight<'_> {
    /// Calls `body` with the weight that a layer has. One in 4 bits is copied to the GPU the first time.
    pub(super) fn with<R>(
        weight: &weight::Weight,
        device: &CudaDevice,
        body: impl FnOnce(&Weight) -> Result<R>,
    ) -> Result<R> {
        match weight {
            weight::Weight::Dense(weight) => {
                let (_, input) = weight.dims2()?;
                read([weight], |[weight]| body(&Weight::Dense(weight, input)))
            }
            weight::Weight::Nf4(weight) => {
                let shape = weight.shape();
                body(&Weight::Nf4(Nf4::of(weight, device)?, shape))
            }
        }
    }

    /// `x·Wᵀ` [rows, out] of `x` [rows, in].
    pub(super) fn project(&self, x: &Array) -> Result<Array<'static>> {
        let [out, input] = self.shape();
        let y = Array::new(x.device(), x.len() / input * out, x.dtype())?;
        self.tiles(x.device(), x.dtype(), |first, tile| {
            let target = Matrix::strided(&y, first, [x.len() / input, tile.len() / input], out);
            let (x_rows, columns) = (Matrix::dense(x, input), Matrix::dense(tile, input).t());
            product(x.device(), target, Into::Replace, 1.0, x_rows, columns)
        })?;
        Ok(y)
    }

    /// Puts `g·W` into `dx` [rows, in], or adds it, for `g` [rows, out].
    pub(super) fn pull(&self, g: &Array, dx: &Array, into: Into) -> Result<()> {
        let [out, input] = self.shape();
        self.tiles(g.device(), g.dtype(), |first, tile| {
            let into = if first == 0 { into } else { Into::Add };
            let g_columns = Matrix::strided(g, first, [g.len() / out, tile.len() / input], out);
            product(g.device(), Matrix::dense(dx, input), into, 1.0, g_columns, Matrix::dense(tile, input))
        })
    }

    fn shape(&self) -> [usize; 2] {
        match self {
            Self::Dense(weight, input) => [weight.len() / input, *input],
            Self::Nf4(_, shape) => *shape,
        }
    }

    /// Calls `body` with the first row and the numbers, in type `dtype`, of one tile after the other.
    fn tiles(
        &self,
        device: &CudaDevice,
        dtype: DType,
        mut body: impl FnMut(usize, &Array) -> Result<()>,
    ) -> Result<()> {
        let [out, input] = self.shape();
        match self {
            Self::Dense(weight, _) if weight.dtype() == dtype => body(0, weight),
            Self::Dense(weight, _) => body(0, &weight.copied(dtype)?),
            Self::Nf4(weight, _) => {
                let rows = (TILE / input.max(1)).clamp(1, out.max(1));
                let scratch = Array::new(device, rows * input, dtype)?;
                for first in (0..out).step_by(rows) {
                    let n = rows.min(out - first) * input;
                    weight.dequantize(first * input, n, &scratch)?;
                    body(first, &scratch.first(n))?;
                }
                Ok(())
            }
        }
    }
}

/// The length of each row of `W + scale·B·A` [out, in]: what DoRA divides by.
pub(crate) fn row_norms(weight: &weight::Weight, a: &Tensor, b: &Tensor, scale: f32) -> Result<Vec<f32>> {
    let (rank, mut norms) = (a.dim(0)?, Vec::new());
    read([a, b], |[a, b]| {
        let (a, b) = (a.cast(DType::F32)?, b.cast(DType::F32)?);
        Weight::with(weight, a.device(), |weight| {
            let [_, input] = weight.shape();
            weight.tiles(a.device(), DType::F32, |first, tile| {
                let rows = tile.len() / input;
                let sum = tile.copied(DType::F32)?;
                let b = Matrix::strided(&b, first * rank, [rows, rank], rank);
                product(a.device(), Matrix::dense(&sum, input), Into::Add, scale, b, Matrix::dense(&a, input))?;
                let squares = row_dots(&sum, &sum, input)?.download::<f32>()?;
                norms.extend(squares.into_iter().map(f32::sqrt));
                Ok(())
            })
        })
    })?;
    Ok(norms)
}
