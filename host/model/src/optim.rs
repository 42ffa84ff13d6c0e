//! AdamW (Loshchilov and Hutter 2019, <https://arxiv.org/abs/1711.05101>) and clipping by the global norm, as in PyTorch.

use crate::kernels::simd::{PIECE, vectorised};
use crate::kernels::storage;
use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Tensor, Var, bail};
use rayon::prelude::*;
use std::sync::Mutex;

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// The optimizer with its state in f32.
#[derive(Debug)]
pub struct AdamW {
    slots: Vec<Slot>,
    step: i32,
}

#[derive(Debug)]
struct Slot {
    var: Var,
    weight_decay: f64,
    /// Moving average of the gradient and of its square.
    moments: Mutex<(Vec<f32>, Vec<f32>)>,
}

impl AdamW {
    /// An optimizer of `vars` with fresh state. Decay is for matrices only: biases and norms are left out, as
    /// transformers' trainer does.
    pub fn new(vars: impl IntoIterator<Item = Var>, weight_decay: f64) -> Self {
        let slot = |var: Var| {
            let n = var.elem_count();
            let weight_decay = if var.rank() > 1 { weight_decay } else { 0.0 };
            Slot { var, weight_decay, moments: Mutex::new((vec![0.0; n], vec![0.0; n])) }
        };
        Self { slots: vars.into_iter().map(slot).collect(), step: 0 }
    }

    /// Takes one step with a gradient for each variable, in their order, multiplied by `scale` (see [`clip_scale`]).
    pub fn step(&mut self, gradients: &[Tensor], scale: f64, learning_rate: f64) -> Result<()> {
        self.step += 1;
        for (slot, gradient) in self.slots.iter().zip(gradients) {
            let update = Update {
                gradient,
                moments: &slot.moments,
                scale: scale as f32,
                keep: (1.0 - learning_rate * slot.weight_decay) as f32,
                rate: (learning_rate / (1.0 - BETA1.powi(self.step))) as f32,
                correction: (1.0 - BETA2.powi(self.step)).sqrt() as f32,
            };
            slot.var.inplace_op1(&update)?;
        }
        Ok(())
    }
}

/// L2 norm of all gradients together, in f64 and in a fixed order.
pub fn global_norm(gradients: &[Tensor]) -> Result<f64> {
    let square = |gradient: &Tensor| {
        storage::read([gradient], |[values]| {
            let pieces: Vec<f64> = values.par_chunks(PIECE).map(|piece| vectorised(piece, square_sum)).collect();
            Ok(pieces.iter().sum::<f64>())
        })
    };
    Ok(gradients.iter().map(square).sum::<Result<f64>>()?.sqrt())
}

/// What `torch.nn.utils.clip_grad_norm_` multiplies gradients of this norm by; 0 as the limit switches it off.
pub fn clip_scale(norm: f64, limit: f64) -> f64 {
    if limit > 0.0 { (limit / (norm + 1e-6)).min(1.0) } else { 1.0 }
}

#[inline(always)]
fn square_sum(values: &[f32]) -> f64 {
    let mut lanes = [0.0_f64; 8];
    let (whole, rest) = values.as_chunks::<8>();
    for values in whole {
        lanes.iter_mut().zip(values).for_each(|(lane, value)| *lane += f64::from(*value) * f64::from(*value));
    }
    lanes.iter().sum::<f64>() + rest.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>()
}

/// One variable's update, in one pass over its memory.
struct Update<'a> {
    gradient: &'a Tensor,
    moments: &'a Mutex<(Vec<f32>, Vec<f32>)>,
    scale: f32,
    keep: f32,
    rate: f32,
    correction: f32,
}

impl Update<'_> {
    #[inline(always)]
    fn apply((update, weights, first, second, gradient): (&Self, &mut [f32], &mut [f32], &mut [f32], &[f32])) {
        let (beta1, beta2, epsilon) = (BETA1 as f32, BETA2 as f32, EPSILON as f32);
        let (rest1, rest2) = ((1.0 - BETA1) as f32, (1.0 - BETA2) as f32);
        for (((weight, m), v), g) in weights.iter_mut().zip(first).zip(second).zip(gradient) {
            let g = g * update.scale;
            *m = *m * beta1 + g * rest1;
            *v = *v * beta2 + g * g * rest2;
            *weight = *weight * update.keep - update.rate * *m / (v.sqrt() / update.correction + epsilon);
        }
    }
}

impl InplaceOp1 for Update<'_> {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn cpu_fwd(&self, weights: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let CpuStorage::F32(weights) = weights else { bail!("AdamW updates f32 only") };
        let Some((start, end)) = layout.contiguous_offsets() else { bail!("AdamW updates contiguous tensors only") };
        let Ok(mut moments) = self.moments.lock() else { bail!("an earlier AdamW step panicked") };
        let (first, second) = &mut *moments;
        storage::read([self.gradient], |[gradient]| {
            weights[start..end]
                .par_chunks_mut(PIECE)
                .zip(first.par_chunks_mut(PIECE))
                .zip(second.par_chunks_mut(PIECE))
                .zip(gradient.par_chunks(PIECE))
                .for_each(|(((w, m), v), g)| vectorised((self, w, m, v, g), Self::apply));
            Ok(())
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// PyTorch 2.11: `AdamW([p], lr=0.1, weight_decay=0.01)`, p = [[1, -2, 3]], gradients [[0.5, -1, 0]] then
    /// [[0.25, 0.5, 1e-4]].
    #[test]
    fn equals_pytorch() {
        let var = Var::new(&[[1.0_f32, -2.0, 3.0]], &Device::Cpu).unwrap();
        let mut optimizer = AdamW::new([var.clone()], 0.01);
        for gradient in [[0.5_f32, -1.0, 0.0], [0.25, 0.5, 1e-4]] {
            optimizer.step(&[Tensor::new(&[gradient], &Device::Cpu).unwrap()], 1.0, 0.1).unwrap();
        }

        for (ours, theirs) in var.to_vec2::<f32>().unwrap()[0].iter().zip(PYTORCH) {
            assert!((ours - theirs).abs() < 1e-6, "{ours} against {theirs}");
        }
    }

    const PYTORCH: [f32; 3] = [0.804_883_06, -1.869_468_3, 2.919_6];

    #[test]
    fn clips_like_pytorch() {
        let gradients =
            [Tensor::new(&[3.0_f32], &Device::Cpu).unwrap(), Tensor::new(&[[4.0_f32]], &Device::Cpu).unwrap()];
        let norm = global_norm(&gradients).unwrap();
        assert_eq!(norm, 5.0);
        assert!((clip_scale(norm, 1.0) - 0.2).abs() < 1e-6);
        assert_eq!((clip_scale(norm, 10.0), clip_scale(norm, 0.0)), (1.0, 1.0));
    }
}
