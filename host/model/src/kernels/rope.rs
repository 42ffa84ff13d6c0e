//! Rotary position embedding in the rotate-half order of the transformers library
//! (Su et al. 2021, <https://arxiv.org/abs/2104.09864>).
//!
//! For each head's vector (a, b) of two halves of d/2: `(a·cos − b·sin, b·cos + a·sin)`.

use candle_core::{D, Result, Tensor};

/// Rotates `x` [b, t, h, d] by the angles whose `cos` and `sin` [b, t, d/2] or [t, d/2] are given for its positions.
pub fn rope(x: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
    reference(x, cos, sin)
}

fn reference(x: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
    let half = x.dim(D::Minus1)? / 2;
    let (a, b) = (x.narrow(D::Minus1, 0, half)?, x.narrow(D::Minus1, half, half)?);
    let (cos, sin) = (cos.unsqueeze(D::Minus2)?, sin.unsqueeze(D::Minus2)?);
    let first = (a.broadcast_mul(&cos)? - b.broadcast_mul(&sin)?)?;
    let second = (b.broadcast_mul(&cos)? + a.broadcast_mul(&sin)?)?;
    Tensor::cat(&[first, second], D::Minus1)
}
