//! Causal attention with grouped queries (Ainslie et al. 2023, <https://arxiv.org/abs/2305.13245>), in the manner of
//! FlashAttention (Dao et al. 2022, <https://arxiv.org/abs/2205.14135>): only one tile of scores for each thread exists.
//!
//! For each row of the batch and each query head j, with key/value head j / (h / kv) and scale s = 1/√d:
//! `p = softmax(s·q·kᵀ)` over the keys at or before the query's own position, `y = p·v`. The logarithm of each softmax's
//! denominator, `lse`, is kept.
//! Backward, g = dL/dy: `p = exp(s·q·kᵀ − lse)`, `dv = pᵀ·g`, `dS = p ∘ (g·vᵀ − Σ(g∘y))·s`, `dq = dS·k`, `dk = dSᵀ·q`.

mod backward;

use super::description::Heads;
use super::gemm::{Into, Matrix, product_here};
use super::simd::{self, sum, vectorised};
use super::{cuda, storage};
use crate::layout::{Row, Sequences};
use crate::tape;
use candle_core::{CpuStorage, CudaStorage, CustomOp3, Device, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;
use std::sync::OnceLock;

/// Queries of a tile.
const TILE: usize = 64;

/// Attention of `q` [b, t, h, d] over `k` and `v` [b, s, kv, d]; gives [b, t, h, d].
pub fn attention(q: &Tensor, k: &Tensor, v: &Tensor, sequences: &Sequences) -> Result<Tensor> {
    let (b, t, h, d) = q.dims4()?;
    let (_, s, kv, _) = k.dims4()?;
    if k.dims() != [b, s, kv, d] || v.dims() != k.dims() || h % kv != 0 {
        bail!("attention of {:?} over {:?} and {:?}", q.shape(), k.shape(), v.shape());
    }
    let op = Attention { shape: Heads { h, kv, d }, rows: sequences.rows((b, t), s)?, lse: OnceLock::new() };
    tape::apply3(&q.contiguous()?, &k.contiguous()?, &v.contiguous()?, op)
}

/// The vectors of one head: those of `data` [rows, heads, d] from `first` on.
fn of_head(data: &[f32], d: usize, heads: usize, head: usize, first: usize, rows: usize) -> Matrix<'_> {
    Matrix::strided(&data[(first * heads + head) * d..], rows, d, heads * d)
}

struct Attention {
    shape: Heads,
    /// In the order of their tokens, which they leave no gaps between.
    rows: Vec<Row>,
    /// [b, t, h], kept by the forward pass.
    lse: OnceLock<Tensor>,
}

/// A tile of queries of one row, and where its results go.
struct Tile<'a> {
    row: Row,
    /// Number of the first query within its row.
    first: usize,
    /// [queries, h, d]
    y: &'a mut [f32],
    /// [queries, h]
    lse: &'a mut [f32],
}

impl Attention {
    fn tiles<'a>(&self, y: &'a mut [f32], lse: &'a mut [f32]) -> Vec<Tile<'a>> {
        let Heads { h, d, .. } = self.shape;
        let (mut y, mut lse) = (y, lse);
        let mut tiles = Vec::new();
        for row in &self.rows {
            let (own_y, own_lse) = (
                y.split_off_mut(..row.t * h * d).unwrap_or_default(),
                lse.split_off_mut(..row.t * h).unwrap_or_default(),
            );
            let own = own_y.chunks_mut(TILE * h * d).zip(own_lse.chunks_mut(TILE * h)).enumerate();
            tiles.extend(own.map(|(i, (y, lse))| Tile { row: *row, first: i * TILE, y, lse }));
        }
        tiles
    }

    /// An operation is applied once; a second result would be the same anyway.
    fn keep(&self, lse: Tensor) {
        let _ = self.lse.set(lse);
    }

    fn forward(&self, q: &[f32], k: &[f32], v: &[f32], tile: Tile) {
        let Heads { h, kv, d } = self.shape;
        let Row { first, first_key, span, .. } = tile.row;
        let queries = tile.lse.len() / h;
        let keys = (tile.first..tile.first + queries).map(|i| span.visible(i)).max().unwrap_or_default();
        if keys == 0 {
            return;
        }
        let (q, k, v) = (&q[first * h * d..], &k[first_key * kv * d..], &v[first_key * kv * d..]);
        let mut scores = vec![0.0; queries * keys];
        for head in 0..h {
            let group = head / (h / kv);
            let (keys_of, values_of) =
                (of_head(k, self.shape.d, kv, group, 0, keys), of_head(v, self.shape.d, kv, group, 0, keys));
            let queries_of = of_head(q, self.shape.d, h, head, tile.first, queries);
            product_here(&mut scores, keys, Into::Replace, self.shape.scale(), queries_of, keys_of.t());
            for (i, row) in scores.chunks_exact_mut(keys).enumerate() {
                tile.lse[i * h + head] = softmax(row, span.visible(tile.first + i));
            }
            product_here(&mut tile.y[head * d..], h * d, Into::Replace, 1.0, Matrix::dense(&scores, keys), values_of);
        }
    }
}

vectorised! {
    /// Softmax over the first `n` scores, zeros after; gives the logarithm of the denominator.
    fn softmax(scores: &mut [f32], n: usize) -> f32 {
        let (seen, unseen) = scores.split_at_mut(n);
        unseen.fill(0.0);
        let max = simd::max(seen);
        simd::exp_minus(seen, max);
        let total = sum(n, |i| seen[i]);
        let scale = 1.0 / total;
        simd::multiply(seen, scale);
        max + total.ln()
    }
}

impl CustomOp3 for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (q, k, v) = (storage::slice(s1, l1)?, storage::slice(s2, l2)?, storage::slice(s3, l3)?);
        let mut y = vec![0.0; q.len()];
        let mut lse = vec![0.0; q.len() / self.shape.d];
        self.tiles(&mut y, &mut lse).into_par_iter().for_each(|tile| self.forward(q, k, v, tile));
        self.keep(Tensor::new(lse, &Device::Cpu)?);
        Ok((CpuStorage::F32(y), l1.shape().clone()))
    }

    fn cuda_fwd(
        &self,
        s1: &CudaStorage,
        l1: &Layout,
        s2: &CudaStorage,
        l2: &Layout,
        s3: &CudaStorage,
        l3: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let (y, lse) = cuda::attention::forward((self.shape, &self.rows), (s1, l1), (s2, l2), (s3, l3))?;
        self.keep(lse);
        Ok((y, l1.shape().clone()))
    }

    fn bwd(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        y: &Tensor,
        g: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let Some(lse) = self.lse.get() else { bail!("backward of an attention before its forward") };
        let g = g.contiguous()?;
        if g.device().is_cuda() {
            return cuda::attention::backward((self.shape, &self.rows), [q, k, v], [y, lse, &g]);
        }
        let (dq, dk, dv) = storage::read([q, k, v, y, &g, lse], |[q, k, v, y, g, lse]| {
            Ok(backward::gradients(self.shape, &self.rows, &backward::Saved { q, k, v, y, g, lse }))
        })?;
        let tensor = |values: Vec<f32>, like: &Tensor| Tensor::from_vec(values, like.shape(), like.device()).map(Some);
        Ok((tensor(dq, q)?, tensor(dk, k)?, tensor(dv, v)?))
    }
}

#[cfg(test)]
mod tests;
