//! The operations composed of candle's own, whose gradients candle derives: plain, slow, and what the kernels are tested
//! against on every device. On the CPU, in f32.

use super::linear::output_shape;
use crate::layout::Span;
use candle_core::{D, DType, Result, Tensor};

/// `x·Wᵀ`
pub(crate) fn linear(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let shape = output_shape(x.shape(), weight.dims2()?)?;
    x.reshape(((), x.dim(D::Minus1)?))?.matmul(&weight.t()?)?.reshape(shape)
}

/// See `rms_norm.rs`.
pub(crate) fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    let mean_square = x.sqr()?.mean_keepdim(D::Minus1)?;
    x.broadcast_div(&(mean_square + eps)?.sqrt()?)?.broadcast_mul(weight)
}

/// See `rope.rs`.
pub(crate) fn rope(x: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
    let half = x.dim(D::Minus1)? / 2;
    let (a, b) = (x.narrow(D::Minus1, 0, half)?, x.narrow(D::Minus1, half, half)?);
    let (cos, sin) = (cos.unsqueeze(D::Minus2)?, sin.unsqueeze(D::Minus2)?);
    let first = (a.broadcast_mul(&cos)? - b.broadcast_mul(&sin)?)?;
    let second = (b.broadcast_mul(&cos)? + a.broadcast_mul(&sin)?)?;
    Tensor::cat(&[first, second], D::Minus1)
}

/// See `swiglu.rs`.
pub(crate) fn swiglu(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    gate.silu()? * up
}

/// See `attention.rs`.
pub(crate) fn attention(q: &Tensor, k: &Tensor, v: &Tensor, spans: &[Span]) -> Result<Tensor> {
    let (b, t, h, d) = q.dims4()?;
    let (_, s, kv, _) = k.dims4()?;
    let expand = |x: &Tensor| -> Result<Tensor> {
        let groups = (b, s, kv, h / kv, d);
        x.unsqueeze(3)?.broadcast_as(groups)?.reshape((b, s, h, d))?.transpose(1, 2)?.contiguous()
    };
    let (q, k, v) = (q.transpose(1, 2)?.contiguous()?, expand(k)?, expand(v)?);
    let scores = (q.matmul(&k.transpose(2, 3)?.contiguous()?)? / (d as f64).sqrt())?;
    let (mask, live) = masks(spans, t, s);
    let mask = Tensor::from_vec(mask, (b, 1, t, s), q.device())?;
    let live = Tensor::from_vec(live, (b, 1, t, 1), q.device())?;
    let scores = scores.broadcast_add(&mask)?;
    let weights = scores.broadcast_sub(&scores.max_keepdim(D::Minus1)?.detach())?.exp()?;
    let weights = weights.broadcast_div(&weights.sum_keepdim(D::Minus1)?)?.broadcast_mul(&live)?;
    weights.matmul(&v)?.transpose(1, 2)?.contiguous()
}

/// What is added to the scores [b, t, s], and 1 or 0 for each query [b, t].
fn masks(spans: &[Span], t: usize, s: usize) -> (Vec<f32>, Vec<f32>) {
    let queries = || spans.iter().flat_map(|span| (0..t).map(move |i| (span, span.offset + i)));
    let score = |span: &Span, query: usize, key: usize| if key <= query && key < span.keys { 0.0 } else { -1e30 };
    let mask = queries().flat_map(|(span, query)| (0..s).map(move |key| score(span, query, key))).collect();
    let live = queries().map(|(span, query)| if query < span.keys { 1.0 } else { 0.0 }).collect();
    (mask, live)
}

/// See `cross_entropy.rs`.
pub(crate) fn cross_entropy(hidden: &Tensor, weight: &Tensor, targets: &[Option<u32>], divisor: f64) -> Result<Tensor> {
    let (vocab, _) = weight.dims2()?;
    let logits = hidden.matmul(&weight.t()?)?;
    let logits = logits.broadcast_sub(&logits.max_keepdim(D::Minus1)?.detach())?;
    let logprobs = logits.broadcast_sub(&logits.exp()?.sum_keepdim(D::Minus1)?.log()?)?;
    let chosen: Vec<f32> = targets
        .iter()
        .flat_map(|target| (0..vocab as u32).map(move |token| if Some(token) == *target { 1.0 } else { 0.0 }))
        .collect();
    let chosen = Tensor::from_vec(chosen, logits.dims(), hidden.device())?;
    (logprobs * chosen)?.sum_all()?.to_dtype(DType::F32)? * (-1.0 / divisor)
}
