//! Causal attention with grouped queries (Ainslie et al. 2023, <https://arxiv.org/abs/2305.13245>).
//!
//! For each row of the batch and each query head j, with key/value head j / (h / kv) and scale 1/√d:
//! `p = softmax(q·kᵀ / √d)` over the keys at or before the query's own position, `y = p·v`.

use candle_core::{D, Result, Tensor};

/// Where the queries of one row of the batch stand among its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Position of query 0 among the keys.
    pub offset: usize,
    /// Number of valid keys; those after are padding. A query that stands after them is padding too and yields zeros.
    pub keys: usize,
}

/// Attention of `q` [b, t, h, d] over `k` and `v` [b, s, kv, d], one span for each of the b rows; gives [b, t, h, d].
pub fn attention(q: &Tensor, k: &Tensor, v: &Tensor, spans: &[Span]) -> Result<Tensor> {
    reference(q, k, v, spans)
}

fn reference(q: &Tensor, k: &Tensor, v: &Tensor, spans: &[Span]) -> Result<Tensor> {
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
