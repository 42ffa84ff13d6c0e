//! Attention composed of products and of `attention.cu`: for each row of the batch, chunk by chunk of its queries, so that
//! never more than about [`SCORES`] scores exist. The query heads of a key/value head take turns; each product covers all
//! key/value heads.

use super::Operand;
use super::array::{Array, read};
use super::gemm::{Into, Matrix, batched};
use super::launch::{Argument, Module, arguments, blocks, module, threads_for};
use super::rows::row_dots;
use crate::kernels::description::Heads;
use crate::layout::Row;
use candle_core::{CudaDevice, CudaStorage, DType, Result, Tensor};

const MODULE: Module = module!("attention");

/// 128 MiB in f32.
const SCORES: usize = 1 << 25;

/// The gradients of q, k and v.
type Gradients = (Option<Tensor>, Option<Tensor>, Option<Tensor>);

/// y [b, t, h, d], and lse [b · t, h] for the backward pass.
pub(crate) fn forward(
    (heads, rows): (Heads, &[Row]),
    q: Operand,
    k: Operand,
    v: Operand,
) -> Result<(CudaStorage, Tensor)> {
    let (q, k, v, Heads { h, d, .. }) = (Array::of(q)?, Array::of(k)?, Array::of(v)?, heads);
    let (device, dtype) = (q.device(), q.dtype());
    // Queries that are padding are in no product: zeros, as on the CPU.
    let y = Array::zeros(device, q.len(), dtype)?;
    let lse = Array::zeros(device, q.len() / d, DType::F32)?;
    for chunk in chunks(heads, rows) {
        let scores = chunk.scores(device, &q, &k)?;
        let beside = chunk.beside(device, dtype)?;
        let p = beside.as_ref().unwrap_or(&scores);
        chunk.launch("attention_softmax", dtype, device, arguments![&scores, p, lse.at(chunk.row.first * h)])?;
        for local in 0..chunk.group() {
            chunk.product(device, chunk.queries(&y, local), Into::Replace, chunk.matrix(p, local), chunk.keys(&v))?;
        }
    }
    let shape = (q.len() / d / h, h).into();
    Ok((y.into_storage()?, lse.into_tensor(&shape)?))
}

/// What the gradient `g` of y comes from.
pub(crate) fn backward(
    (heads, rows): (Heads, &[Row]),
    [q, k, v]: [&Tensor; 3],
    [y, lse, g]: [&Tensor; 3],
) -> Result<Gradients> {
    read([q, k, v, y, lse, g], |[qs, ks, vs, y, lse, g]| {
        let (device, dtype, Heads { h, d, .. }) = (qs.device(), qs.dtype(), heads);
        let dot = row_dots(&y, &g, d)?;
        let dq = Array::zeros(device, qs.len(), dtype)?;
        let [dk, dv] = [Array::zeros(device, ks.len(), DType::F32)?, Array::zeros(device, vs.len(), DType::F32)?];
        for chunk in chunks(heads, rows) {
            let (scores, dp) = (chunk.scores(device, &qs, &ks)?, chunk.scores(device, &g, &vs)?);
            let (p, ds) = (chunk.beside(device, dtype)?, chunk.beside(device, dtype)?);
            let (p, ds) = (p.as_ref().unwrap_or(&scores), ds.as_ref().unwrap_or(&dp));
            let first = chunk.row.first * h;
            let arguments = arguments![&scores, &dp, p, ds, lse.at(first), dot.at(first)];
            chunk.launch("attention_backward", dtype, device, arguments)?;
            for local in 0..chunk.group() {
                let (p, ds) = (chunk.matrix(p, local), chunk.matrix(ds, local));
                chunk.product(device, chunk.queries(&dq, local), Into::Replace, ds, chunk.keys(&ks))?;
                chunk.product(device, chunk.keys(&dk), Into::Add, ds.t(), chunk.queries(&qs, local))?;
                chunk.product(device, chunk.keys(&dv), Into::Add, p.t(), chunk.queries(&g, local))?;
            }
        }
        let summed = |array: Array<'static>, like: &Tensor| array.into_tensor(like.shape())?.to_dtype(dtype).map(Some);
        Ok((Some(dq.into_tensor(q.shape())?), summed(dk, k)?, summed(dv, v)?))
    })
}

/// Some queries of one row, with the keys that they see.
struct Chunk {
    heads: Heads,
    row: Row,
    /// Number of the first query within its row.
    first: usize,
    queries: usize,
    keys: usize,
}

/// The chunks in which there are queries that see keys.
fn chunks(heads: Heads, rows: &[Row]) -> impl Iterator<Item = Chunk> + '_ {
    let chunks = rows.iter().flat_map(move |row| {
        let size = (SCORES / (heads.h * row.s).max(1)).clamp(1, row.t.max(1));
        (0..row.t).step_by(size).map(move |first| {
            let queries = size.min(row.t - first);
            let keys = (first..first + queries).map(|i| row.span.visible(i)).max().unwrap_or_default();
            Chunk { heads, row: *row, first, queries, keys }
        })
    });
    chunks.filter(|chunk| chunk.keys > 0)
}

impl Chunk {
    /// Query heads that share a key/value head.
    fn group(&self) -> usize {
        self.heads.h / self.heads.kv
    }

    /// Numbers from one row of scores to the next: cuBLAS is fast on multiples of 16 bytes.
    fn stride(&self) -> usize {
        self.keys.next_multiple_of(8)
    }

    /// One product for each key/value head.
    fn product(&self, device: &CudaDevice, out: Matrix, into: Into, left: Matrix, right: Matrix) -> Result<()> {
        batched(device, self.heads.kv, out, into, 1.0, left, right)
    }

    /// q·kᵀ [h, queries, stride] in f32, not yet scaled.
    fn scores(&self, device: &CudaDevice, q: &Array, k: &Array) -> Result<Array<'static>> {
        let scores = Array::new(device, self.heads.h * self.queries * self.stride(), DType::F32)?;
        for local in 0..self.group() {
            self.product(device, self.matrix(&scores, local), Into::Replace, self.queries(q, local), self.keys(k).t())?;
        }
        Ok(scores)
    }

    /// Room for as many numbers as there are scores, where they cannot take the scores' place.
    fn beside(&self, device: &CudaDevice, dtype: DType) -> Result<Option<Array<'static>>> {
        let n = self.heads.h * self.queries * self.stride();
        (dtype != DType::F32).then(|| Array::new(device, n, dtype)).transpose()
    }

    /// Starts a kernel with a block for each query and head; what all of them are told is put behind `arguments`.
    fn launch(&self, name: &str, dtype: DType, device: &CudaDevice, mut arguments: Vec<Argument>) -> Result<()> {
        let span = self.row.span;
        let scale = self.heads.scale();
        arguments.extend(arguments![self.keys, self.stride(), self.first, span.offset, span.keys, scale]);
        blocks(device, &MODULE, name, dtype, (self.queries, self.heads.h), threads_for(self.keys), arguments)
    }

    /// Of the scores [h, queries, stride], those of the local-th head of every group.
    fn matrix(&self, scores: &Array, local: usize) -> Matrix {
        let size = self.queries * self.stride();
        let matrix = Matrix::strided(scores, local * size, [self.queries, self.keys], self.stride());
        matrix.every(self.group() * size)
    }

    /// Of `data` [b · t, h, d], this chunk's queries of the local-th head of every group.
    fn queries(&self, data: &Array, local: usize) -> Matrix {
        let Heads { h, d, .. } = self.heads;
        let start = ((self.row.first + self.first) * h + local) * d;
        Matrix::strided(data, start, [self.queries, d], h * d).every(self.group() * d)
    }

    /// Of `data` [b · s, kv, d], the keys of every key/value head that this chunk's queries see.
    fn keys(&self, data: &Array) -> Matrix {
        let Heads { kv, d, .. } = self.heads;
        Matrix::strided(data, self.row.first_key * kv * d, [self.keys, d], kv * d).every(d)
    }
}
