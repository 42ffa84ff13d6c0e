//! `y = x·Wᵀ + bias` for x [.., in], W [out, in], bias [out].
//!
//! Backward, g = dL/dy: `dx = g·W`; `dW = gᵀ·x` only if W is trained (candle's own matmul always computes both).

use super::gemm::{Matrix, fresh};
use super::rows::add_to_rows;
use super::weight::{Weight, project};
use super::{cuda, simd, storage};
use crate::tape;
use candle_core::{CpuStorage, CudaStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// Maps `x` [.., in] to [.., out]; gradients flow to those of `x`, `weight` and `bias` that are tracked.
pub fn linear(x: &Tensor, weight: &Weight, bias: Option<&Tensor>) -> Result<Tensor> {
    let y = match weight.trainable() {
        Some(weight) => tape::apply2(&x.contiguous()?, &weight.contiguous()?, Linear)?,
        None => tape::apply1(&x.contiguous()?, Frozen { weight: weight.frozen()? })?,
    };
    match bias {
        Some(bias) => add_to_rows(y, bias),
        None => Ok(y),
    }
}

struct Linear;

/// Adds `bias` to every row of `y`.
pub(super) fn add_bias(y: &mut [f32], bias: &[f32]) {
    let add = |row: &mut [f32]| row.iter_mut().zip(bias).for_each(|(y, bias)| *y += bias);
    let piece = (simd::PIECE / bias.len()).max(1) * bias.len();
    y.par_chunks_mut(piece).for_each(|rows| rows.chunks_mut(bias.len()).for_each(add));
}

/// The shape of the output for an input of `shape`.
pub(super) fn output_shape(shape: &Shape, (out, input): (usize, usize)) -> Result<Shape> {
    let mut dims = shape.dims().to_vec();
    match dims.last_mut() {
        Some(last) if *last == input => *last = out,
        _ => candle_core::bail!("an input of shape {shape:?} does not fit a linear layer of [{out}, {input}]"),
    }
    Ok(dims.into())
}

impl CustomOp2 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let shape = output_shape(l1.shape(), l2.shape().dims2()?)?;
        let (_, input) = l2.shape().dims2()?;
        let (x, weight) = (storage::slice(s1, l1)?, storage::slice(s2, l2)?);
        let y = project(x, weight, input);
        Ok((CpuStorage::F32(y), shape))
    }

    fn cuda_fwd(&self, s1: &CudaStorage, l1: &Layout, s2: &CudaStorage, l2: &Layout) -> Result<(CudaStorage, Shape)> {
        let shape = output_shape(l1.shape(), l2.shape().dims2()?)?;
        cuda::linear::forward((s1, l1), (s2, l2), shape)
    }

    fn bwd(&self, x: &Tensor, weight: &Tensor, _: &Tensor, g: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (out, input) = weight.dims2()?;
        let g = g.contiguous()?;
        if g.device().is_cuda() {
            return cuda::linear::backward(x, weight, &g);
        }
        storage::read([x, weight, &g], |[xs, w, gs]| {
            let (g, w, xs) = (Matrix::dense(gs, out), Matrix::dense(w, input), Matrix::dense(xs, input));
            let dx = x.track_op().then(|| Tensor::from_vec(fresh(g, w), x.shape(), x.device()));
            let dw = weight.track_op().then(|| Tensor::from_vec(fresh(g.t(), xs), weight.shape(), x.device()));
            Ok((dx.transpose()?, dw.transpose()?))
        })
    }
}

/// A weight in fewer than 32 bits.
struct Frozen {
    weight: Weight,
}

impl CustomOp1 for Frozen {
    fn name(&self) -> &'static str {
        "frozen-linear"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout) -> Result<(CpuStorage, Shape)> {
        let shape = output_shape(l1.shape(), self.weight.dims()?)?;
        Ok((CpuStorage::F32(self.weight.project(storage::slice(s1, l1)?)?), shape))
    }

    fn cuda_fwd(&self, s1: &CudaStorage, l1: &Layout) -> Result<(CudaStorage, Shape)> {
        let shape = output_shape(l1.shape(), self.weight.dims()?)?;
        cuda::linear::frozen_forward((s1, l1), &self.weight, shape)
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, g: &Tensor) -> Result<Option<Tensor>> {
        let g = g.contiguous()?;
        if g.device().is_cuda() {
            return cuda::linear::frozen_backward(x, &self.weight, &g).map(Some);
        }
        storage::read([&g], |[g]| {
            let mut dx = vec![0.0; x.elem_count()];
            self.weight.pull(g, &mut dx)?;
            Tensor::from_vec(dx, x.shape(), x.device()).map(Some)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::kernels::check::{assert_close, assert_same, random};
    use crate::kernels::reference::linear as reference;
    use candle_core::{DType, Var};

    #[test]
    fn equals_the_reference() {
        assert_same(
            &[&[2, 5, 7], &[11, 7]],
            1e-5,
            |t| linear(&t[0], &t[1].clone().into(), None),
            |t| reference(&t[0], &t[1]),
        );
        let biased = |t: &[Tensor]| reference(&t[0], &t[1])?.broadcast_add(&t[2]);
        assert_same(&[&[2, 5, 7], &[11, 7], &[11]], 1e-5, |t| linear(&t[0], &t[1].clone().into(), Some(&t[2])), biased);
    }

    #[test]
    fn a_frozen_weight_gets_no_gradient() {
        let (x, weight) = (Var::from_tensor(&random(&[3, 4], 1)).unwrap(), random(&[5, 4], 2));
        let gradients = linear(&x, &weight.clone().into(), None).unwrap().sum_all().unwrap().backward().unwrap();
        assert!(gradients.get(&weight).is_none());
        assert_close(gradients.get(&x).unwrap(), &weight.sum_keepdim(0).unwrap().broadcast_as((3, 4)).unwrap(), 1e-5);
    }

    #[test]
    fn a_weight_in_16_bits_passes_gradients_on() {
        let half = random(&[11, 7], 2).to_dtype(DType::BF16).unwrap();
        let dense = half.to_dtype(DType::F32).unwrap();
        assert_same(&[&[2, 5, 7]], 1e-5, |t| linear(&t[0], &half.clone().into(), None), |t| reference(&t[0], &dense));
    }

    #[test]
    fn a_shape_that_does_not_fit_is_an_error() {
        let error = linear(&random(&[3, 4], 1), &random(&[5, 6], 2).into(), None).unwrap_err();
        assert!(error.to_string().contains("does not fit"), "{error}");
    }
}
