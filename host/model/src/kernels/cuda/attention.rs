//! Attention composed of products and of `attention.cu`: for each row of the batch, chunk by chunk of its queries, so that
//! never more than [`SCORES`] scores exist. The query heads of a key/value head take turns; each product covers all
//! key/value heads.

use super::Operand;
use super::array::{Array, read};
use super::gemm::{Into, Matrix, batched};
use super::launch::{Argument, Module, arguments, blocks, module, threads_for};
use crate::kernels::attention::{Heads, Span, visible};
use candle_core::{CudaDevice, CudaStorage, DType, Result, Tensor};

const MODULE: Module = module!("attention");

/// Scores that exist at the same time, about: 128 MiB in f32.
const SCORES: usize = 1 << 25;

/// y [b, t, h, d], and lse [b, t, h] for the backward pass.
pub(crate) fn forward(heads: Heads, spans: &[Span], q: Operand, k: Operand, v: Operand) -> Result<(CudaStorage, Tensor)> {
    let (q, k, v) = (Array::of(q)?, Array::of(k)?, Array::of(v)?);
    let (device, dtype) = (q.device(), q.dtype());
    // Queries that are padding are in no product: zeros, as on the CPU.
    let y = Array::zeros(device, q.len(), dtype)?;
    let lse = Array::zeros(device, q.len() / heads.d, DType::F32)?;
    for chunk in chunks(heads, spans) {
        let scores = chunk.scores(device, &q, &k)?;
        let beside = chunk.beside(device, dtype)?;
        let p = beside.as_ref().unwrap_or(&scores);
        let lse = lse.at(chunk.row * heads.t * heads.h);
        chunk.launch("attention_softmax", dtype, device, arguments![&scores, p, lse])?;
        for local in 0..heads.group() {
            let out = chunk.queries(&y, local);
            batched(device, heads.kv, out, Into::Replace, 1.0, chunk.matrix(p, local), chunk.keys(&v))?;
        }
    }
    let shape = (spans.len(), heads.t, heads.h).into();
    Ok((y.into_storage()?, lse.into_tensor(&shape)?))
}

/// The gradients of q, k and v.
pub(crate) fn backward(
    heads: Heads,
    spans: &[Span],
    [q, k, v]: [&Tensor; 3],
    [y, lse, g]: [&Tensor; 3],
) -> Result<(Tensor, Tensor, Tensor)> {
    read([q, k, v, y, lse, g], |[qs, ks, vs, y, lse, g]| {
        let (device, dtype) = (qs.device(), qs.dtype());
        let dot = Array::new(device, lse.len(), DType::F32)?;
        blocks(device, &MODULE, "attention_dots", dtype, (lse.len(), 1), 32, arguments![&y, &g, &dot, heads.d])?;
        let dq = Array::zeros(device, qs.len(), dtype)?;
        let [dk, dv] = [Array::zeros(device, ks.len(), DType::F32)?, Array::zeros(device, vs.len(), DType::F32)?];
        for chunk in chunks(heads, spans) {
            let scores = chunk.scores(device, &qs, &ks)?;
            let dp = chunk.scores(device, &g, &vs)?;
            let (p, ds) = (chunk.beside(device, dtype)?, chunk.beside(device, dtype)?);
            let (p, ds) = (p.as_ref().unwrap_or(&scores), ds.as_ref().unwrap_or(&dp));
            let at = chunk.row * heads.t * heads.h;
            chunk.launch("attention_backward", dtype, device, arguments![&scores, &dp, p, ds, lse.at(at), dot.at(at)])?;
            for local in 0..heads.group() {
                let (p, ds) = (chunk.matrix(p, local), chunk.matrix(ds, local));
                let [dk, dv] = [chunk.keys(&dk), chunk.keys(&dv)];
                batched(device, heads.kv, chunk.queries(&dq, local), Into::Replace, 1.0, ds, chunk.keys(&ks))?;
                batched(device, heads.kv, dk, Into::Add, 1.0, ds.t(), chunk.queries(&qs, local))?;
                batched(device, heads.kv, dv, Into::Add, 1.0, p.t(), chunk.queries(&g, local))?;
            }
        }
        let summed = |array: Array<'static>, like: &Tensor| array.into_tensor(like.shape())?.to_dtype(dtype);
        Ok((dq.into_tensor(q.shape())?, summed(dk, k)?, summed(dv, v)?))
    })
}

/// Some queries of one row, with the keys that they see.
struct Chunk {
    heads: Heads,
    span: Span,
    row: usize,
    first: usize,
    queries: usize,
    keys: usize,
}

/// The chunks in which there are queries that see keys.
fn chunks(heads: Heads, spans: &[Span]) -> impl Iterator<Item = Chunk> + '_ {
    let size = (SCORES / (heads.h * heads.s).max(1)).clamp(1, heads.t.max(1));
    let rows = spans.iter().enumerate();
    let chunks = rows.flat_map(move |(row, span)| {
        (0..heads.t).step_by(size).map(move |first| {
            let queries = size.min(heads.t - first);
            let keys = (first..first + queries).map(|i| visible(*span, i)).max().unwrap_or_default();
            Chunk { heads, span: *span, row, first, queries, keys }
        })
    });
    chunks.filter(|chunk| chunk.keys > 0)
}

impl Chunk {
    /// Numbers from one row of scores to the next: cuBLAS is fast on multiples of 16 bytes.
    fn stride(&self) -> usize {
        self.keys.next_multiple_of(8)
    }

    /// q·kᵀ [h, queries, stride] in f32, not yet scaled.
    fn scores(&self, device: &CudaDevice, q: &Array, k: &Array) -> Result<Array<'static>> {
        let scores = Array::new(device, self.heads.h * self.queries * self.stride(), DType::F32)?;
        for local in 0..self.heads.group() {
            let (out, k) = (self.matrix(&scores, local), self.keys(k).t());
            batched(device, self.heads.kv, out, Into::Replace, 1.0, self.queries(q, local), k)?;
        }
        Ok(scores)
    }

    /// Room for as many numbers as there are scores, where they cannot take the scores' place.
    fn beside(&self, device: &CudaDevice, dtype: DType) -> Result<Option<Array<'static>>> {
        let n = self.heads.h * self.queries * self.stride();
        (dtype != DType::F32).then(|| Array::new(device, n, dtype)).transpose()
    }

    /// Starts a kernel with a block for each query and head; what all of them are told is put behind `arguments`.
    fn launch(&self, name: &str, dtype: DType, device: &CudaDevice, arguments: Vec<Argument>) -> Result<()> {
        let Span { offset, keys } = self.span;
        let rest = arguments![self.keys, self.stride(), self.first, offset, keys, self.heads.scale()];
        let arguments: Vec<Argument> = arguments.into_iter().chain(rest).collect();
        blocks(device, &MODULE, name, dtype, (self.queries, self.heads.h), threads_for(self.keys), arguments)
    }

    /// Of the scores [h, queries, stride], those of the local-th head of every group.
    fn matrix(&self, scores: &Array, local: usize) -> Matrix {
        let size = self.queries * self.stride();
        let matrix = Matrix::strided(scores, local * size, [self.queries, self.keys], self.stride());
        matrix.every(self.heads.group() * size)
    }

    /// Of `data` [b, t, h, d], this chunk's queries of the local-th head of every group.
    fn queries(&self, data: &Array, local: usize) -> Matrix {
        let Heads { t, h, d, .. } = self.heads;
        let start = ((self.row * t + self.first) * h + local) * d;
        Matrix::strided(data, start, [self.queries, d], h * d).every(self.heads.group() * d)
    }

    /// Of `data` [b, s, kv, d], the keys of every key/value head that this chunk's queries see.
    fn keys(&self, data: &Array) -> Matrix {
        let Heads { s, kv, d, .. } = self.heads;
        Matrix::strided(data, self.row * s * kv * d, [self.keys, d], kv * d).every(d)
    }
}
