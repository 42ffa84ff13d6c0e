//! A linear layer with a low-rank adapter as one operation:
//! `y = x·Wᵀ + bias + s·h·Bᵀ` with `h = (m ∘ x)·Aᵀ`, for x [.., in], W [out, in], A [r, in], B [out, r] and a dropout
//! mask m that is computed anew wherever it is needed. W and bias are frozen.
//!
//! Backward, g = dL/dy: `dB = s·gᵀ·h`, `dh = s·g·B`, `dA = dhᵀ·(m ∘ x)`, `dx = g·W + m ∘ (dh·A)`. Only h [.., r] is kept.

use super::description;
use super::dropout::Dropout;
use super::gemm::{Into, Matrix, fresh, product};
use super::linear::{add_bias, output_shape};
use super::simd::{PIECE, vectorised};
use super::weight::{Weight, project};
use super::{cuda, storage};
use crate::tape;
use candle_core::{CpuStorage, CudaStorage, CustomOp3, Device, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;
use std::borrow::Cow;
use std::sync::OnceLock;

/// Maps `x` [.., in] to [.., out]; gradients flow to those of `x`, `a` and `b` that are tracked.
pub fn lora(
    x: &Tensor,
    weight: &Weight,
    bias: Option<&Tensor>,
    a: &Tensor,
    b: &Tensor,
    scale: f32,
    dropout: Option<Dropout>,
) -> Result<Tensor> {
    let bias = bias.map(|bias| bias.detach().contiguous()).transpose()?;
    let layer = description::Lora { weight: weight.frozen()?, bias, scale, dropout };
    let op = Lora { layer, h: OnceLock::new() };
    tape::apply3(&x.contiguous()?, a, b, op)
}

struct Lora {
    layer: description::Lora,
    /// (m ∘ x)·Aᵀ [rows, r], kept by the forward pass.
    h: OnceLock<Tensor>,
}

impl Lora {
    /// The shape of the output for x, A and B of these shapes.
    fn check(&self, x: &Shape, a: &Shape, b: &Shape) -> Result<Shape> {
        let ((out, input), (rank, _)) = (self.layer.weight.dims()?, a.dims2()?);
        if a.dims() != [rank, input] || b.dims() != [out, rank] {
            bail!("an adapter of {a:?} and {b:?} does not fit a layer of [{out}, {input}]");
        }
        output_shape(x, (out, input))
    }

    /// An operation is applied once; a second result would be the same anyway.
    fn keep(&self, h: Tensor) {
        let _ = self.h.set(h);
    }

    /// m ∘ x
    fn dropped<'a>(&self, x: &'a [f32]) -> Cow<'a, [f32]> {
        match self.layer.dropout {
            None => Cow::Borrowed(x),
            Some(dropout) => {
                let mut masked = x.to_vec();
                mask(&mut masked, dropout);
                Cow::Owned(masked)
            }
        }
    }

    fn dx(&self, g: &[f32], dh: Matrix, a: Matrix) -> Result<Vec<f32>> {
        let mut dx = fresh(dh, a);
        if let Some(dropout) = self.layer.dropout {
            mask(&mut dx, dropout);
        }
        self.layer.weight.pull(g, &mut dx)?;
        Ok(dx)
    }
}

/// Multiplies by the mask, in place.
fn mask(values: &mut [f32], dropout: Dropout) {
    let pieces = values.par_chunks_mut(PIECE).enumerate();
    pieces.for_each(|(piece, values)| mask_piece(values, piece * PIECE, dropout));
}

vectorised! {
    fn mask_piece(values: &mut [f32], first: usize, dropout: Dropout) {
        for (i, value) in values.iter_mut().enumerate() {
            *value *= dropout.factor(first + i);
        }
    }
}

impl CustomOp3 for Lora {
    fn name(&self) -> &'static str {
        "lora"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let shape = self.check(l1.shape(), l2.shape(), l3.shape())?;
        let ((out, input), (rank, _)) = (self.layer.weight.dims()?, l2.shape().dims2()?);
        let (x, a, b) = (storage::slice(s1, l1)?, storage::slice(s2, l2)?, storage::slice(s3, l3)?);
        let h = project(&self.dropped(x), a, input);
        let mut y = self.layer.weight.project(x)?;
        product(&mut y, out, Into::Add, self.layer.scale, Matrix::dense(&h, rank), Matrix::dense(b, rank).t());
        if let Some(bias) = &self.layer.bias {
            storage::read([bias], |[bias]| {
                add_bias(&mut y, bias);
                Ok(())
            })?;
        }
        self.keep(Tensor::from_vec(h, (x.len() / input, rank), &Device::Cpu)?);
        Ok((CpuStorage::F32(y), shape))
    }

    fn cuda_fwd(
        &self,
        s1: &CudaStorage,
        l1: &Layout,
        s2: &CudaStorage,
        l2: &Layout,
        s3: &CudaStorage,
        l3: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let shape = self.check(l1.shape(), l2.shape(), l3.shape())?;
        let (y, h) = cuda::lora::forward(&self.layer, (s1, l1), (s2, l2), (s3, l3))?;
        self.keep(h);
        Ok((y, shape))
    }

    fn bwd(
        &self,
        x: &Tensor,
        a: &Tensor,
        b: &Tensor,
        _: &Tensor,
        g: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let ((out, input), (rank, _)) = (self.layer.weight.dims()?, a.dims2()?);
        let (g, device) = (g.contiguous()?, x.device());
        let Some(h) = self.h.get() else { bail!("backward of an adapter before its forward") };
        if g.device().is_cuda() {
            return cuda::lora::backward(&self.layer, [x, a, b], h, &g);
        }
        storage::read([x, a, b, h, &g], |[xs, a_values, b_values, h, gs]| {
            let rows = xs.len() / input;
            let g = Matrix::dense(gs, out);
            let (a_matrix, b_matrix) = (Matrix::dense(a_values, input), Matrix::dense(b_values, rank));
            let mut db = vec![0.0; out * rank];
            product(&mut db, rank, Into::Replace, self.layer.scale, g.t(), Matrix::dense(h, rank));
            let mut dh = vec![0.0; rows * rank];
            product(&mut dh, rank, Into::Replace, self.layer.scale, g, b_matrix);
            let dh = Matrix::dense(&dh, rank);
            let da = fresh(dh.t(), Matrix::dense(&self.dropped(xs), input));
            let dx = x.track_op().then(|| self.dx(gs, dh, a_matrix)).transpose()?;
            let dx = dx.map(|dx| Tensor::from_vec(dx, x.shape(), device)).transpose()?;
            let da = Tensor::from_vec(da, a.shape(), device)?;
            Ok((dx, Some(da), Some(Tensor::from_vec(db, b.shape(), device)?)))
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::kernels::check::{assert_same, random};
    use crate::kernels::reference::linear;

    fn check(dropout: Option<Dropout>) {
        let (weight, bias) = (random(&[11, 7], 50), random(&[11], 51));
        let factors = (0..70).map(|i| dropout.map_or(1.0, |dropout| dropout.factor(i))).collect();
        let factors = Tensor::from_vec(factors, (2, 5, 7), weight.device()).unwrap();
        let fused = |t: &[Tensor]| lora(&t[0], &weight.clone().into(), Some(&bias), &t[1], &t[2], 0.7, dropout);
        let reference = |t: &[Tensor]| {
            let update = linear(&linear(&(&t[0] * &factors)?, &t[1])?, &t[2])?;
            linear(&t[0], &weight)?.broadcast_add(&bias)? + (update * 0.7)?
        };
        assert_same(&[&[2, 5, 7], &[3, 7], &[11, 3]], 2e-5, fused, reference);
    }

    #[test]
    fn equals_the_reference() {
        check(None);
    }

    #[test]
    fn equals_the_reference_under_the_same_mask() {
        check(Dropout::new(0.4, 3, 5));
    }
}
