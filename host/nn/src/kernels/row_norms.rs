//! What DoRA divides by: the length of each row of an adapted weight.

use super::gemm::{Into, Matrix, product};
use super::weight::Weight;
use super::{cuda, storage};
use candle_core::{Result, Tensor};
use rayon::prelude::*;

/// The length of each row of `W + scale·B·A` [out, in].
pub fn row_norms(weight: &Weight, a: &Tensor, b: &Tensor, scale: f32) -> Result<Vec<f32>> {
    if a.device().is_cuda() {
        return cuda::weight::row_norms(weight, a, b, scale);
    }
    let (_, input) = weight.dims()?;
    let rank = a.dim(0)?;
    let mut norms = Vec::new();
    storage::read([a, b], |[a, b]| {
        weight.tiles(|first, tile| {
            let mut sum = tile.to_vec();
            let b = Matrix::dense(&b[first * rank..][..tile.len() / input * rank], rank);
            product(&mut sum, input, Into::Add, scale, b, Matrix::dense(a, input));
            let norm =
                |row: &[f32]| row.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>().sqrt() as f32;
            norms.par_extend(sum.par_chunks(input).map(norm));
        })
    })?;
    Ok(norms)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::kernels::check::{assert_close, random};
    use crate::kernels::weight::tests::weights;
    use candle_core::Device;

    #[test]
    fn row_norms_are_those_of_the_sum() {
        let (a, b) = (random(&[3, 401], 6), random(&[700, 3], 7));
        for (weight, dense) in weights() {
            let norms = Tensor::new(row_norms(&weight, &a, &b, 0.5).unwrap(), &Device::Cpu).unwrap();
            let sum = (dense + (b.matmul(&a).unwrap() * 0.5).unwrap()).unwrap();
            assert_close(&norms, &sum.sqr().unwrap().sum(1).unwrap().sqrt().unwrap(), 1e-4);
        }
    }
}
