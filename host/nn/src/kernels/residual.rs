//! The residual stream's addition, and giving back memory that no backward pass reads.
//!
//! candle keeps every argument of an operation until the backward pass. Of a sum that needs only shapes, of a rotation
//! nothing: what went into them can go as soon as they are computed.

use super::simd::{PIECE, vectorised};
use super::storage;
use crate::tape;
use candle_core::{CpuStorage, CustomOp2, InplaceOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

/// `x + y` for tensors of one shape. On the CPU `y` is empty afterwards: it must be an operation's result that nobody
/// reads, its own operation's backward pass included.
pub fn add_residual(x: &Tensor, y: Tensor) -> Result<Tensor> {
    if x.shape() != y.shape() {
        bail!("a residual stream of {:?} does not fit {:?}", x.shape(), y.shape());
    }
    if !x.device().is_cpu() {
        return tape::add(x, &y);
    }
    let sum = tape::apply2(&x.contiguous()?, &y.contiguous()?, Add)?;
    release(y)?;
    Ok(sum)
}

/// Gives back the memory of a tensor on the CPU, and of all that share it. It must be an operation's result that nobody
/// reads any more; its shape stays.
pub fn release(tensor: Tensor) -> Result<()> {
    if tensor.device().is_cpu() { tensor.inplace_op1(&Release) } else { Ok(()) }
}

struct Release;

impl InplaceOp1 for Release {
    fn name(&self) -> &'static str {
        "release"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, _: &Layout) -> Result<()> {
        *storage = CpuStorage::F32(Vec::new());
        Ok(())
    }
}

struct Add;

vectorised! {
    fn sum(x: &[f32], y: &[f32], out: &mut [f32]) {
        for ((out, x), y) in out.iter_mut().zip(x).zip(y) {
            *out = x + y;
        }
    }
}

impl CustomOp2 for Add {
    fn name(&self) -> &'static str {
        "add-residual"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, y) = (storage::slice(s1, l1)?, storage::slice(s2, l2)?);
        let mut out = vec![0.0; x.len()];
        let pieces = out.par_chunks_mut(PIECE).zip(x.par_chunks(PIECE)).zip(y.par_chunks(PIECE));
        pieces.for_each(|((out, x), y)| sum(x, y, out));
        Ok((CpuStorage::F32(out), l1.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, _: &Tensor, g: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((Some(g.clone()), Some(g.clone())))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::kernels::check::{assert_same, random};
    use std::panic::AssertUnwindSafe;

    #[test]
    fn equals_the_reference() {
        let fused = |t: &[Tensor]| add_residual(&t[0], (&t[1] * 2.0)?);
        assert_same(&[&[3, 7001], &[3, 7001]], 1e-6, fused, |t| &t[0] + (&t[1] * 2.0)?);
    }

    #[test]
    fn what_was_added_is_gone_and_says_so() {
        let (x, y) = (random(&[2, 3], 1), random(&[2, 3], 2));
        add_residual(&x, y.clone()).unwrap();
        assert_eq!(x.dims(), y.dims());
        assert!(std::panic::catch_unwind(AssertUnwindSafe(|| y.to_vec2::<f32>().unwrap())).is_err());
        assert!(x.to_vec2::<f32>().is_ok());
    }
}
