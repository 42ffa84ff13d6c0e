//! Starts a backward pass at a tensor that is no loss: candle's `backward` begins with a gradient of ones.

use candle_core::{CpuStorage, CudaStorage, CustomOp2, Layout, Result, Shape, Tensor, backprop::GradStore, bail};

/// The gradients of `Σ y ∘ dy`, that is of a loss whose gradient at `y` is `dy`.
pub fn pull_back(y: &Tensor, dy: &Tensor) -> Result<GradStore> {
    if y.shape() != dy.shape() {
        bail!("a gradient of {:?} does not fit {:?}", dy.shape(), y.shape());
    }
    y.apply_op2(&dy.detach(), PullBack)?.backward()
}

struct PullBack;

impl CustomOp2 for PullBack {
    fn name(&self) -> &'static str {
        "pull-back"
    }

    /// The value is nobody's: only the gradient counts.
    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((CpuStorage::F32(vec![0.0]), Shape::from(())))
    }

    fn cuda_fwd(&self, s1: &CudaStorage, _: &Layout, _: &CudaStorage, _: &Layout) -> Result<(CudaStorage, Shape)> {
        use candle_core::backend::{BackendDevice, BackendStorage};
        let shape = Shape::from(());
        Ok((s1.device().zeros_impl(&shape, s1.dtype())?, shape))
    }

    fn bwd(&self, _: &Tensor, dy: &Tensor, _: &Tensor, _: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((Some(dy.clone()), None))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::kernels::check::{assert_close, random};
    use candle_core::Var;

    #[test]
    fn equals_the_gradient_of_the_weighted_sum() {
        let (x, dy) = (Var::from_tensor(&random(&[3, 4], 1)).unwrap(), random(&[3, 4], 2));
        let y = x.sqr().unwrap();
        let theirs = (&y * &dy).unwrap().sum_all().unwrap().backward().unwrap();
        assert_close(pull_back(&y, &dy).unwrap().get(&x).unwrap(), theirs.get(&x).unwrap(), 1e-6);
        assert!(pull_back(&y, &random(&[4], 1)).is_err());
    }
}
