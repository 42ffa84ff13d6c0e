//! Rotary position embedding in the rotate-half order of the transformers library
//! (Su et al. 2021, <https://arxiv.org/abs/2104.09864>).
//!
//! For each head's vector (a, b) of two halves of d/2: `(a·cos − b·sin, b·cos + a·sin)`. Backward is the rotation by
//! the opposite angles.

use super::simd::vectorised;
use super::{cuda, storage};
use crate::tape;
use candle_core::{CpuStorage, CudaStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

/// Rotates `x` [b, t, h, d] by the angles whose `cos` and `sin` [b, t, d/2] or [t, d/2] are given for its positions.
pub fn rope(x: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
    let (b, t, _, d) = x.dims4()?;
    let fits = |angles: &Tensor| angles.dims() == [t, d / 2] || angles.dims() == [b, t, d / 2];
    if !fits(cos) || sin.dims() != cos.dims() {
        bail!("angles of {:?} and {:?} do not fit vectors of {:?}", cos.shape(), sin.shape(), x.shape());
    }
    let op = Rope { cos: cos.detach().contiguous()?, sin: sin.detach().contiguous()?, direction: 1.0 };
    tape::apply1(&x.contiguous()?, op)
}

struct Rope {
    cos: Tensor,
    sin: Tensor,
    /// 1 forward, −1 backward.
    direction: f32,
}

vectorised! {
    /// Rotates the h heads of one token.
    fn rotate(x: &[f32], y: &mut [f32], cos: &[f32], sin: &[f32], direction: f32) {
        let half = cos.len();
        let sin = &sin[..half];
        for (x, y) in x.chunks_exact(2 * half).zip(y.chunks_exact_mut(2 * half)) {
            let ((a, b), (first, second)) = (x.split_at(half), y.split_at_mut(half));
            for i in 0..half {
                let sin = sin[i] * direction;
                first[i] = a[i] * cos[i] - b[i] * sin;
                second[i] = b[i] * cos[i] + a[i] * sin;
            }
        }
    }
}

impl CustomOp1 for Rope {
    fn name(&self) -> &'static str {
        "rope"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = storage::slice(s1, l1)?;
        let (_, _, h, d) = l1.shape().dims4()?;
        let mut y = vec![0.0; x.len()];
        storage::read([&self.cos, &self.sin], |[cos, sin]| {
            // Angles that are the same for all rows of the batch start over with each row.
            let angles = |token: usize| token * (d / 2) % cos.len();
            let tokens = y.par_chunks_mut(h * d).zip(x.par_chunks(h * d)).enumerate().with_min_len(16);
            tokens.for_each(|(token, (y, x))| {
                let (cos, sin) = (&cos[angles(token)..][..d / 2], &sin[angles(token)..][..d / 2]);
                rotate(x, y, cos, sin, self.direction);
            });
            Ok(())
        })?;
        Ok((CpuStorage::F32(y), l1.shape().clone()))
    }

    fn cuda_fwd(&self, s1: &CudaStorage, l1: &Layout) -> Result<(CudaStorage, Shape)> {
        cuda::rope::rotate((s1, l1), &self.cos, &self.sin, self.direction)
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, g: &Tensor) -> Result<Option<Tensor>> {
        let back = Self { cos: self.cos.clone(), sin: self.sin.clone(), direction: -self.direction };
        Ok(Some(g.contiguous()?.apply_op1_no_bwd(&back)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::check::{assert_same, random};
    use crate::kernels::reference;

    fn check(angles: &[usize]) {
        let (cos, sin) = (random(angles, 7), random(angles, 8));
        assert_same(&[&[3, 5, 2, 12]], 1e-6, |t| rope(&t[0], &cos, &sin), |t| reference::rope(&t[0], &cos, &sin));
    }

    #[test]
    fn equals_the_reference_with_shared_angles_and_with_angles_for_each_row() {
        check(&[5, 6]);
        check(&[3, 5, 6]);
    }
}
