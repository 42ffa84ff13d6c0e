//! Output head and cross-entropy as one operation that never holds all logits.
//!
//! For trained tokens i with hidden state h_i and target t_i:
//! `loss = Σ_i (logsumexp(W·h_i) − (W·h_i)[t_i]) / divisor`. The forward pass computes the gradients as well, chunk by
//! chunk: with `g_i = (softmax(W·h_i) − onehot(t_i)) / divisor`, `dh_i = Wᵀ·g_i` and `dW = Σ_i g_i·h_iᵀ`.

use super::description;
use super::gemm::{Into, Matrix, product};
use super::simd::{self, vectorised};
use super::{cuda, storage};
use crate::tape;
use candle_core::{CpuStorage, CudaStorage, CustomOp2, Device, Error, Layout, Result, Shape, Tensor};
use rayon::prelude::*;
use std::sync::Mutex;

/// Rows of logits that exist at the same time: enough that the products run at full speed.
pub const CHUNK: usize = 256;

/// Cross-entropy of `hidden` [.., d] under the output head `weight` [vocab, d], summed and divided by `divisor`.
///
/// `targets` holds a token for each row of `hidden`, `None` where the loss mask leaves it out.
///
/// # Errors
/// A target outside the vocabulary, or shapes that do not fit.
pub fn cross_entropy(hidden: &Tensor, weight: &Tensor, targets: &[Option<u32>], divisor: f64) -> Result<Tensor> {
    let (vocab, d) = weight.dims2()?;
    let hidden = tape::reshape(hidden, (hidden.elem_count() / d, d))?.contiguous()?;
    if hidden.dim(0)? != targets.len() {
        candle_core::bail!("{} targets for {} positions", targets.len(), hidden.dim(0)?);
    }
    let trained: Vec<(usize, usize)> =
        targets.iter().enumerate().filter_map(|(row, target)| Some((row, (*target)? as usize))).collect();
    if let Some((_, target)) = trained.iter().find(|(_, target)| *target >= vocab) {
        candle_core::bail!("token {target} is outside the vocabulary of {vocab}");
    }
    let wanted = (hidden.track_op(), weight.track_op());
    let task = description::CrossEntropy { trained, divisor: divisor as f32, wanted };
    tape::apply2(&hidden, &weight.contiguous()?, CrossEntropy { task, gradients: Mutex::default() })
}

/// The gradients of hidden states and of the weight, where they are wanted.
type Gradients = (Option<Tensor>, Option<Tensor>);

struct CrossEntropy {
    task: description::CrossEntropy,
    /// Of hidden states and of the weight, as the forward pass left them.
    gradients: Mutex<Gradients>,
}

impl CrossEntropy {
    /// Loss of one chunk; `logits` [rows, vocab] become their gradient.
    fn chunk(&self, logits: &mut [f32], vocab: usize, chunk: &[(usize, usize)]) -> f64 {
        let divisor = self.task.divisor;
        let rows = logits.par_chunks_mut(vocab).zip(chunk);
        let losses: Vec<f32> = rows.map(|(row, (_, target))| row_gradient(row, *target, divisor)).collect();
        losses.iter().map(|loss| f64::from(*loss)).sum()
    }

    fn keep(&self, gradients: Gradients) -> Result<()> {
        *self.gradients.lock().map_err(poisoned)? = gradients;
        Ok(())
    }

    fn kept(&self) -> Result<Gradients> {
        Ok(std::mem::take(&mut *self.gradients.lock().map_err(poisoned)?))
    }
}

/// This very operation panicked while it held the lock.
fn poisoned(error: impl std::fmt::Display) -> Error {
    Error::Msg(error.to_string())
}

vectorised! {
    /// Turns a row of logits into its gradient; gives the row's loss before the division.
    fn row_gradient(row: &mut [f32], target: usize, divisor: f32) -> f32 {
        let max = simd::max(row);
        let chosen = row[target];
        simd::exp_minus(row, max);
        let total = simd::sum(row.len(), |i| row[i]);
        let scale = 1.0 / (total * divisor);
        simd::multiply(row, scale);
        row[target] -= 1.0 / divisor;
        max + total.ln() - chosen
    }
}

impl CustomOp2 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (hidden, weight) = (storage::slice(s1, l1)?, storage::slice(s2, l2)?);
        let (vocab, d) = l2.shape().dims2()?;
        let (want_hidden, want_weight) = self.task.wanted;
        let mut dhidden = vec![0.0; if want_hidden { hidden.len() } else { 0 }];
        let mut dweight = vec![0.0; if want_weight { weight.len() } else { 0 }];
        let mut logits = vec![0.0; CHUNK.min(self.task.trained.len()) * vocab];
        let weight = Matrix::dense(weight, d);
        let mut loss = 0.0;
        for chunk in self.task.trained.chunks(CHUNK) {
            let rows: Vec<f32> = chunk.iter().flat_map(|(row, _)| &hidden[row * d..][..d]).copied().collect();
            let logits = &mut logits[..chunk.len() * vocab];
            product(logits, vocab, Into::Replace, 1.0, Matrix::dense(&rows, d), weight.t());
            loss += self.chunk(logits, vocab, chunk);
            let gradient = Matrix::dense(logits, vocab);
            if want_weight {
                product(&mut dweight, d, Into::Add, 1.0, gradient.t(), Matrix::dense(&rows, d));
            }
            if want_hidden {
                let mut drows = rows;
                product(&mut drows, d, Into::Replace, 1.0, gradient, weight);
                for ((row, _), drow) in chunk.iter().zip(drows.chunks_exact(d)) {
                    dhidden[row * d..][..d].copy_from_slice(drow);
                }
            }
        }
        let tensor = |values: Vec<f32>, layout: &Layout| Tensor::from_vec(values, layout.shape(), &Device::Cpu);
        let dhidden = want_hidden.then(|| tensor(dhidden, l1)).transpose()?;
        self.keep((dhidden, want_weight.then(|| tensor(dweight, l2)).transpose()?))?;
        Ok((CpuStorage::F32(vec![(loss / f64::from(self.task.divisor)) as f32]), Shape::from(())))
    }

    fn cuda_fwd(&self, s1: &CudaStorage, l1: &Layout, s2: &CudaStorage, l2: &Layout) -> Result<(CudaStorage, Shape)> {
        let (loss, gradients) = cuda::cross_entropy::forward(&self.task, (s1, l1), (s2, l2))?;
        self.keep(gradients)?;
        Ok((loss, Shape::from(())))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Gradients> {
        let seed = f64::from(gradient.to_scalar::<f32>()?);
        let (dhidden, dweight) = self.kept()?;
        let scaled = |tensor: Tensor| if seed == 1.0 { Ok(tensor) } else { tensor * seed };
        Ok((dhidden.map(scaled).transpose()?, dweight.map(scaled).transpose()?))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::kernels::check::{assert_close, random};
    use crate::kernels::reference::cross_entropy as reference;
    use candle_core::Var;

    #[test]
    fn equals_the_reference_in_value_and_gradient_over_several_chunks() {
        let (rows, d, vocab) = (2 * CHUNK + 77, 8, 37);
        let targets: Vec<Option<u32>> =
            (0..rows as u32).map(|i| (i % 11 != 3).then_some(i.wrapping_mul(2_654_435_761) % vocab)).collect();
        let hidden = Var::from_tensor(&random(&[rows, d], 1)).unwrap();
        let weight = Var::from_tensor(&random(&[vocab as usize, d], 2)).unwrap();
        let ours = cross_entropy(&hidden, &weight, &targets, 100.0).unwrap();
        let theirs = reference(&hidden, &weight, &targets, 100.0).unwrap();
        assert_close(&ours, &theirs, 1e-5);
        let (ours, theirs) = (ours.backward().unwrap(), theirs.backward().unwrap());
        assert_close(ours.get(&hidden).unwrap(), theirs.get(&hidden).unwrap(), 1e-6);
        assert_close(ours.get(&weight).unwrap(), theirs.get(&weight).unwrap(), 1e-5);
    }

    #[test]
    fn a_token_outside_the_vocabulary_is_refused() {
        let error = cross_entropy(&random(&[1, 4], 1), &random(&[5, 4], 2), &[Some(5)], 1.0).unwrap_err();
        assert!(error.to_string().contains("token 5 is outside the vocabulary of 5"), "{error}");
    }
}
