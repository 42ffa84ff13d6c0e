//! RMSNorm (Zhang and Sennrich 2019, <https://arxiv.org/abs/1910.07467>).
//!
//! For each row x of d numbers: `y = x * r * w` with `r = 1 / sqrt(mean(x²) + eps)`.

use candle_core::{D, Result, Tensor};

/// Normalises the last dimension of `x` [.., d] and scales it by `weight` [d].
pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    reference(x, weight, eps)
}

fn reference(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    let mean_square = x.sqr()?.mean_keepdim(D::Minus1)?;
    x.broadcast_div(&(mean_square + eps)?.sqrt()?)?.broadcast_mul(weight)
}
