//! RMSNorm (Zhang and Sennrich 2019, <https://arxiv.org/abs/1910.07467>).
//!
//! For each row x of d numbers: `y = x·r·w` with `r = 1 / √(mean(x²) + eps)`.
//! Backward, g = dL/dy: `dx = r·(g∘w) − x·r³·Σ(g∘w∘x) / d`, `dw = Σ_rows g∘x·r`.

use super::simd::{PIECE, sum, vectorised};
use super::{cuda, storage};
use crate::tape;
use candle_core::{CpuStorage, CudaStorage, CustomOp2, D, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// Normalises the last dimension of `x` [.., d] and scales it by `weight` `[d]`.
pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    if weight.dims() != [x.dim(D::Minus1)?] {
        candle_core::bail!("a norm of {:?} does not fit an input of {:?}", weight.shape(), x.shape());
    }
    tape::apply2(&x.contiguous()?, &weight.contiguous()?, RmsNorm { eps: eps as f32 })
}

struct RmsNorm {
    eps: f32,
}

vectorised! {
    /// Some rows of x, the weight, and as many rows of y.
    fn forward(eps: f32, x: &[f32], w: &[f32], y: &mut [f32]) {
        let d = w.len();
        for (x, y) in x.chunks_exact(d).zip(y.chunks_exact_mut(d)) {
            let r = reciprocal(x, eps);
            for ((y, x), w) in y.iter_mut().zip(x).zip(w) {
                *y = x * r * w;
            }
        }
    }

    /// Some rows of x, the weight, and as many rows of g and dx; adds to dw.
    fn backward(eps: f32, x: &[f32], w: &[f32], g: &[f32], dx: &mut [f32], dw: &mut [f32]) {
        let d = w.len();
        for ((x, g), dx) in x.chunks_exact(d).zip(g.chunks_exact(d)).zip(dx.chunks_exact_mut(d)) {
            let r = reciprocal(x, eps);
            let pull = r * r * r * sum(d, |i| g[i] * w[i] * x[i]) / d as f32;
            for ((((x, w), g), dx), dw) in x.iter().zip(w).zip(g).zip(dx).zip(dw.iter_mut()) {
                *dx = r * g * w - x * pull;
                *dw += g * x * r;
            }
        }
    }
}

#[inline(always)]
fn reciprocal(x: &[f32], eps: f32) -> f32 {
    1.0 / (sum(x.len(), |i| x[i] * x[i]) / x.len() as f32 + eps).sqrt()
}

impl CustomOp2 for RmsNorm {
    fn name(&self) -> &'static str {
        "rms-norm"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, w) = (storage::slice(s1, l1)?, storage::slice(s2, l2)?);
        let d = w.len();
        let mut y = vec![0.0; x.len()];
        let piece = (PIECE / d).max(1) * d;
        y.par_chunks_mut(piece).zip(x.par_chunks(piece)).for_each(|(y, x)| {
            forward(self.eps, x, w, y);
        });
        Ok((CpuStorage::F32(y), l1.shape().clone()))
    }

    fn cuda_fwd(&self, s1: &CudaStorage, l1: &Layout, s2: &CudaStorage, l2: &Layout) -> Result<(CudaStorage, Shape)> {
        cuda::rms_norm::forward((s1, l1), (s2, l2), self.eps)
    }

    fn bwd(&self, x: &Tensor, weight: &Tensor, _: &Tensor, g: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let d = weight.elem_count();
        let g = g.contiguous()?;
        if g.device().is_cuda() {
            return cuda::rms_norm::backward(x, weight, &g, self.eps);
        }
        let piece = (PIECE / d).max(1) * d;
        storage::read([x, weight, &g], |[xs, w, gs]| {
            let mut dx = vec![0.0; xs.len()];
            let rows = dx.par_chunks_mut(piece).zip(xs.par_chunks(piece)).zip(gs.par_chunks(piece));
            let parts: Vec<Vec<f32>> = rows
                .map(|((dx, x), g)| {
                    let mut dw = vec![0.0; d];
                    backward(self.eps, x, w, g, dx, &mut dw);
                    dw
                })
                .collect();
            let mut dw = vec![0.0; d];
            parts.iter().for_each(|part| dw.iter_mut().zip(part).for_each(|(total, part)| *total += part));
            let dw = weight.track_op().then(|| Tensor::from_vec(dw, weight.shape(), x.device())).transpose()?;
            let dx = x.track_op().then(|| Tensor::from_vec(dx, x.shape(), x.device())).transpose()?;
            Ok((dx, dw))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::check::assert_same;
    use crate::kernels::reference;

    fn check(rows: usize, d: usize) {
        let tolerance = 2e-6 * (rows as f32).sqrt().max(1.0);
        assert_same(
            &[&[1, rows, d], &[d]],
            tolerance,
            |t| rms_norm(&t[0], &t[1], 1e-5),
            |t| reference::rms_norm(&t[0], &t[1], 1e-5),
        );
    }

    #[test]
    fn equals_the_reference() {
        check(1, 16);
        check(3, 37);
        check(2000, 64);
    }
}
