//! The weight of a linear layer, and its products with activations on the CPU.
//!
//! A weight in 16 or 4 bits is widened to f32 tile by tile, some rows at a time: never the whole of it.

use super::decode;
use super::gemm::{Into, Matrix, fresh, product};
use super::resident::Resident;
use crate::quant;
use candle_core::{DType, Result, Storage, Tensor, bail};
use half::bf16;
use rayon::prelude::*;
use std::ops::Deref;
use std::sync::Arc;

/// A weight [out, in].
#[derive(Debug, Clone)]
pub enum Weight {
    /// In 32 bits, or frozen in 16 (bf16).
    Dense(Tensor),
    /// Frozen in 4 bits.
    Nf4(Arc<Nf4>),
}

/// A weight in 4 bits, with its copy in a GPU's memory once it was needed there.
#[derive(Debug)]
pub struct Nf4 {
    values: quant::Nf4,
    #[cfg_attr(not(feature = "cuda"), expect(dead_code, reason = "only a GPU's launchers ask"))]
    pub(super) resident: Resident,
}

impl Deref for Nf4 {
    type Target = quant::Nf4;

    fn deref(&self) -> &quant::Nf4 {
        &self.values
    }
}

/// Numbers of a tile; in f32 they fit into a core's cache.
const TILE: usize = 256 * 1024;

/// Rows that a product takes at once with the widest vectors: a tile has a multiple of them.
const PANEL: usize = 64;

impl Weight {
    /// Out and in.
    pub fn dims(&self) -> Result<(usize, usize)> {
        match self {
            Self::Dense(weight) => weight.dims2(),
            Self::Nf4(weight) => Ok(weight.shape().into()),
        }
    }

    /// The number of parameters.
    pub fn elem_count(&self) -> usize {
        match self {
            Self::Dense(weight) => weight.elem_count(),
            Self::Nf4(weight) => weight.shape().iter().product(),
        }
    }

    /// Memory that the weight takes, in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Dense(weight) => weight.elem_count() * weight.dtype().size_in_bytes(),
            Self::Nf4(weight) => weight.bytes(),
        }
    }

    /// The tensor in 32 bits that could be trained; `None` of a weight that is frozen in fewer.
    pub fn trainable(&self) -> Option<&Tensor> {
        match self {
            Self::Dense(weight) if weight.dtype() == DType::F32 => Some(weight),
            _ => None,
        }
    }

    /// The same weight without gradients, contiguous.
    pub(crate) fn frozen(&self) -> Result<Self> {
        Ok(match self {
            Self::Dense(weight) => Self::Dense(weight.detach().contiguous()?),
            Self::Nf4(weight) => Self::Nf4(weight.clone()),
        })
    }

    /// The same weight in memory of its own where it is in 4 bits.
    pub fn copied(&self) -> Self {
        match self {
            Self::Dense(weight) => Self::Dense(weight.clone()),
            Self::Nf4(weight) => weight.values.clone().into(),
        }
    }

    /// All of it in f32, for merging and saving.
    pub fn to_f32(&self) -> Result<Tensor> {
        match self {
            Self::Dense(weight) => weight.to_dtype(DType::F32),
            Self::Nf4(weight) => {
                let [out, input] = weight.shape();
                let mut values = vec![0.0; out * input];
                widen(values.par_chunks_mut(input).enumerate(), input, |start, row| weight.dequantize(start, row));
                Tensor::from_vec(values, (out, input), &candle_core::Device::Cpu)
            }
        }
    }

    /// Calls `body` with the first row and the numbers of one tile after the other.
    pub(crate) fn tiles(&self, mut body: impl FnMut(usize, &[f32])) -> Result<()> {
        let (out, input) = self.dims()?;
        let rows = (TILE / input.max(1) / PANEL * PANEL).max(PANEL).min(out.max(1));
        let mut scratch = vec![0.0; rows * input];
        let mut each = |fill: &(dyn Fn(usize, &mut [f32]) + Sync)| {
            for first in (0..out).step_by(rows) {
                let tile = &mut scratch[..rows.min(out - first) * input];
                widen(tile.par_chunks_mut(input).enumerate(), input, |start, row| fill(first * input + start, row));
                body(first, tile);
            }
        };
        match self {
            Self::Nf4(weight) => each(&|start, row| weight.dequantize(start, row)),
            Self::Dense(weight) => {
                let (storage, layout) = weight.storage_and_layout();
                let (Storage::Cpu(storage), Some((from, _))) = (&*storage, layout.contiguous_offsets()) else {
                    bail!("this kernel reads contiguous weights on the CPU")
                };
                match weight.dtype() {
                    DType::F32 => body(0, &storage.as_slice::<f32>()?[from..from + out * input]),
                    DType::BF16 => {
                        let values = &storage.as_slice::<bf16>()?[from..];
                        each(&|start, row| {
                            row.iter_mut().zip(&values[start..]).for_each(|(row, value)| *row = value.to_f32());
                        });
                    }
                    other => bail!("weights of type {other:?} are not supported"),
                }
            }
        }
        Ok(())
    }

    /// `x·Wᵀ` [rows, out] of `x` [rows, in].
    pub(crate) fn project(&self, x: &[f32]) -> Result<Vec<f32>> {
        let (out, input) = self.dims()?;
        let rows = x.len() / input;
        let mut y = Vec::new();
        self.tiles(|first, tile| {
            let n = tile.len() / input;
            if n == out {
                y = project(x, tile, input);
                return;
            }
            y.resize(rows * out, 0.0);
            if rows <= decode::ROWS {
                place(&mut y[first..], out, &decode::project(x, tile, input), n);
            } else {
                let (x, tile) = (Matrix::dense(x, input), Matrix::dense(tile, input).t());
                product(&mut y[first..], out, Into::Replace, 1.0, x, tile);
            }
        })?;
        Ok(y)
    }

    /// Adds `g·W` to `dx` [rows, in], for `g` [rows, out].
    pub(crate) fn pull(&self, g: &[f32], dx: &mut [f32]) -> Result<()> {
        let (out, input) = self.dims()?;
        let rows = g.len() / out;
        self.tiles(|first, tile| {
            let g = Matrix::strided(&g[first..], rows, tile.len() / input, out);
            product(dx, input, Into::Add, 1.0, g, Matrix::dense(tile, input));
        })
    }
}

/// Fills rows of `input` numbers, in parallel; `fill` is told at which number of the tile a row starts.
fn widen<'a>(
    rows: impl IndexedParallelIterator<Item = (usize, &'a mut [f32])>,
    input: usize,
    fill: impl Fn(usize, &mut [f32]) + Sync,
) {
    rows.with_min_len((16 * 1024 / input.max(1)).max(1)).for_each(|(row, values)| fill(row * input, values));
}

/// Copies rows of `n` numbers to rows that start `stride` apart.
fn place(to: &mut [f32], stride: usize, from: &[f32], n: usize) {
    for (to, from) in to.chunks_mut(stride).zip(from.chunks_exact(n)) {
        to[..n].copy_from_slice(from);
    }
}

/// `x·Wᵀ` [rows, out] of `x` [rows, input] and `weight` [out, input].
pub(super) fn project(x: &[f32], weight: &[f32], input: usize) -> Vec<f32> {
    match x.len() / input {
        rows if rows <= decode::ROWS => decode::project(x, weight, input),
        _ => fresh(Matrix::dense(x, input), Matrix::dense(weight, input).t()),
    }
}

impl From<quant::Nf4> for Weight {
    fn from(values: quant::Nf4) -> Self {
        Self::Nf4(Arc::new(Nf4 { values, resident: Resident::default() }))
    }
}

impl From<Tensor> for Weight {
    fn from(weight: Tensor) -> Self {
        Self::Dense(weight)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;
    use crate::SaveType;
    use crate::kernels::check::{assert_close, random};
    use candle_core::Device;

    /// The same weight in three formats, each with the dense weight that it means. Several tiles, rows of odd length.
    pub(crate) fn weights() -> Vec<(Weight, Tensor)> {
        let (out, input) = (700, 401);
        let dense = random(&[out, input], 3);
        let values: Vec<f32> = dense.flatten_all().unwrap().to_vec1().unwrap();
        let half = dense.to_dtype(DType::BF16).unwrap();
        let quantised = Weight::from(quant::Nf4::quantize(&values, [out, input], SaveType::Bf16, true));
        let meant = quantised.to_f32().unwrap();
        vec![
            (dense.clone().into(), dense),
            (half.clone().into(), half.to_dtype(DType::F32).unwrap()),
            (quantised, meant),
        ]
    }

    #[test]
    fn products_are_those_of_the_dense_weight() {
        for (weight, dense) in weights() {
            for rows in [1, 5, 40] {
                let (x, g) = (random(&[rows, 401], 4), random(&[rows, 700], 5));
                let values = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
                let y = Tensor::from_vec(weight.project(&values(&x)).unwrap(), (rows, 700), &Device::Cpu).unwrap();
                assert_close(&y, &x.matmul(&dense.t().unwrap()).unwrap(), 1e-4);
                let mut dx = vec![0.0; rows * 401];
                weight.pull(&values(&g), &mut dx).unwrap();
                let dx = Tensor::from_vec(dx, (rows, 401), &Device::Cpu).unwrap();
                assert_close(&dx, &g.matmul(&dense).unwrap(), 1e-4);
            }
        }
    }
}
