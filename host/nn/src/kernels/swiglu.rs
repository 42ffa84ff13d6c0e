//! SwiGLU (Shazeer 2020, <https://arxiv.org/abs/2002.05202>): `y = z·σ(z)·u` for gate z and up u.
//!
//! Backward, g = dL/dy: `du = g·z·σ`, `dz = g·u·σ·(1 + z·(1 − σ))`.

use super::simd::{PIECE, exp, vectorised};
use super::{cuda, storage};
use crate::tape;
use candle_core::{CpuStorage, CudaStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

/// `silu(gate) * up`, element by element.
pub fn swiglu(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    if gate.shape() != up.shape() {
        bail!("a gate of {:?} does not fit {:?}", gate.shape(), up.shape());
    }
    tape::apply2(&gate.contiguous()?, &up.contiguous()?, SwiGlu)
}

struct SwiGlu;

#[inline(always)]
fn sigmoid(z: f32) -> f32 {
    1.0 / (1.0 + exp(-z))
}

vectorised! {
    fn forward(z: &[f32], u: &[f32], y: &mut [f32]) {
        for ((y, z), u) in y.iter_mut().zip(z).zip(u) {
            *y = z * sigmoid(*z) * u;
        }
    }

    fn backward(z: &[f32], u: &[f32], g: &[f32], dz: &mut [f32], du: &mut [f32]) {
        for ((((z, u), g), dz), du) in z.iter().zip(u).zip(g).zip(dz).zip(du) {
            let s = sigmoid(*z);
            *du = g * z * s;
            *dz = g * u * s * (1.0 + z * (1.0 - s));
        }
    }
}

impl CustomOp2 for SwiGlu {
    fn name(&self) -> &'static str {
        "swiglu"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (z, u) = (storage::slice(s1, l1)?, storage::slice(s2, l2)?);
        let mut y = vec![0.0; z.len()];
        let pieces = y.par_chunks_mut(PIECE).zip(z.par_chunks(PIECE)).zip(u.par_chunks(PIECE));
        pieces.for_each(|((y, z), u)| forward(z, u, y));
        Ok((CpuStorage::F32(y), l1.shape().clone()))
    }

    fn cuda_fwd(&self, s1: &CudaStorage, l1: &Layout, s2: &CudaStorage, l2: &Layout) -> Result<(CudaStorage, Shape)> {
        cuda::swiglu::forward((s1, l1), (s2, l2))
    }

    fn bwd(&self, gate: &Tensor, up: &Tensor, _: &Tensor, g: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let g = g.contiguous()?;
        if g.device().is_cuda() {
            return cuda::swiglu::backward(gate, up, &g);
        }
        storage::read([gate, up, &g], |[z, u, g]| {
            let (mut dz, mut du) = (vec![0.0; z.len()], vec![0.0; z.len()]);
            let inputs = z.par_chunks(PIECE).zip(u.par_chunks(PIECE)).zip(g.par_chunks(PIECE));
            let outputs = dz.par_chunks_mut(PIECE).zip(du.par_chunks_mut(PIECE));
            inputs.zip(outputs).for_each(|(((z, u), g), (dz, du))| backward(z, u, g, dz, du));
            let tensor = |values| Tensor::from_vec(values, gate.shape(), gate.device());
            Ok((Some(tensor(dz)?), Some(tensor(du)?)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::check::assert_same;
    use crate::kernels::reference;

    #[test]
    fn equals_the_reference() {
        let reference = |t: &[Tensor]| reference::swiglu(&(&t[0] * 9.0)?, &t[1]);
        assert_same(&[&[3, 7001], &[3, 7001]], 1e-5, |t| swiglu(&(&t[0] * 9.0)?, &t[1]), reference);
    }
}
