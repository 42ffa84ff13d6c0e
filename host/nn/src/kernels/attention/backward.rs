//! The backward pass of attention, for one key/value head of one row at a time.

use super::{TILE, of_head};
use crate::kernels::description::Heads;
use crate::kernels::gemm::{Into, Matrix, product_here};
use crate::kernels::simd::{exp, sum, vectorised};
use crate::layout::{Row, Span};
use rayon::prelude::*;

/// What the backward pass starts from: `q`, `y` and its gradient `g` [b, t, h, d], `k` and `v` [b, s, kv, d], `lse` [b, t, h].
pub(super) struct Saved<'a> {
    pub q: &'a [f32],
    pub k: &'a [f32],
    pub v: &'a [f32],
    pub y: &'a [f32],
    pub g: &'a [f32],
    pub lse: &'a [f32],
}

/// The gradients that one group of query heads and its key/value head get from one row.
struct Part {
    /// [t, h / kv, d]
    dq: Vec<f32>,
    /// [s, d]
    dk: Vec<f32>,
    /// [s, d]
    dv: Vec<f32>,
}

/// dq, dk and dv, in the layouts of q, k and v.
pub(super) fn gradients(shape: Heads, rows: &[Row], saved: &Saved) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let groups = shape.kv;
    let parts: Vec<Part> = (0..rows.len() * groups)
        .into_par_iter()
        .map(|i| part(shape, &rows[i / groups], &saved.row(shape, &rows[i / groups]), i % groups))
        .collect();
    let gather = |width: usize, size: usize, of: fn(&Part) -> &[f32]| {
        let slices: Vec<&[f32]> = parts.iter().map(of).collect();
        interleave(&slices, groups, width, size)
    };
    let width = shape.h / groups * shape.d;
    let dq = gather(width, saved.q.len(), |part| &part.dq);
    (dq, gather(shape.d, saved.k.len(), |part| &part.dk), gather(shape.d, saved.k.len(), |part| &part.dv))
}

/// From one slice [n, width] for each row and group, n of its own for each row, to [Σ n, groups, width].
fn interleave(parts: &[&[f32]], groups: usize, width: usize, size: usize) -> Vec<f32> {
    let mut out = vec![0.0; size];
    let mut rest = out.as_mut_slice();
    let rows = parts.chunks(groups).map(|parts| {
        let row = rest.split_off_mut(..parts.iter().map(|part| part.len()).sum::<usize>()).unwrap_or_default();
        (row, parts)
    });
    rows.collect::<Vec<_>>().into_par_iter().for_each(|(row, parts)| {
        for (i, target) in row.chunks_exact_mut(width).enumerate() {
            target.copy_from_slice(&parts[i % groups][i / groups * width..][..width]);
        }
    });
    out
}

impl<'a> Saved<'a> {
    /// The same, of one row of the batch.
    fn row(&self, shape: Heads, row: &Row) -> Self {
        let Heads { h, kv, d } = shape;
        let queries = |data: &'a [f32], width: usize| &data[row.first * h * width..][..row.t * h * width];
        let keys = |data: &'a [f32]| &data[row.first_key * kv * d..][..row.s * kv * d];
        Self {
            q: queries(self.q, d),
            k: keys(self.k),
            v: keys(self.v),
            y: queries(self.y, d),
            g: queries(self.g, d),
            lse: queries(self.lse, 1),
        }
    }
}

fn part(shape: Heads, row: &Row, saved: &Saved, group: usize) -> Part {
    let (Heads { h, kv, d }, &Row { t, s, span, .. }) = (shape, row);
    let heads = h / kv;
    let mut part = Part { dq: vec![0.0; t * heads * d], dk: vec![0.0; s * d], dv: vec![0.0; s * d] };
    let mut scratch = (Vec::new(), Vec::new());
    for first in (0..t).step_by(TILE) {
        let queries = TILE.min(t - first);
        let keys = (first..first + queries).map(|i| span.visible(i)).max().unwrap_or_default();
        if keys > 0 {
            let tile = Tile { shape, span, first, queries, keys };
            (0..heads).for_each(|head| tile.backward(saved, group, head, &mut part, &mut scratch));
        }
    }
    part
}

/// Some queries of one row.
struct Tile {
    shape: Heads,
    span: Span,
    first: usize,
    queries: usize,
    keys: usize,
}

impl Tile {
    /// Adds the gradients of one head's queries; `local` is the head's number within its group.
    fn backward(&self, saved: &Saved, group: usize, local: usize, part: &mut Part, scratch: &mut (Vec<f32>, Vec<f32>)) {
        let Self { shape, first, queries, keys, .. } = *self;
        let Heads { h, kv, d, .. } = shape;
        let (heads, head) = (h / kv, group * (h / kv) + local);
        let (p, ds) = (&mut scratch.0, &mut scratch.1);
        p.resize(queries * keys, 0.0);
        ds.resize(queries * keys, 0.0);
        let [q, g] = [saved.q, saved.g].map(|data| of_head(data, d, h, head, first, queries));
        let [k, v] = [saved.k, saved.v].map(|data| of_head(data, d, kv, group, 0, keys));
        product_here(p, keys, Into::Replace, shape.scale(), q, k.t());
        product_here(ds, keys, Into::Replace, 1.0, g, v.t());
        for (i, (p, ds)) in p.chunks_exact_mut(keys).zip(ds.chunks_exact_mut(keys)).enumerate() {
            let index = (first + i) * h + head;
            let [y, g] = [saved.y, saved.g].map(|data| &data[index * d..][..d]);
            let n = self.span.visible(first + i);
            scores(p, ds, &Query { y, g, n, lse: saved.lse[index], scale: shape.scale() });
        }
        let (p, ds) = (Matrix::dense(p, keys), Matrix::dense(ds, keys));
        let dq = &mut part.dq[(first * heads + local) * d..];
        product_here(dq, heads * d, Into::Replace, 1.0, ds, k);
        product_here(&mut part.dk, d, Into::Add, 1.0, ds.t(), q);
        product_here(&mut part.dv, d, Into::Add, 1.0, p.t(), g);
    }
}

/// One query's output and its gradient; how many keys it sees; its lse and the scale of scores.
struct Query<'a> {
    y: &'a [f32],
    g: &'a [f32],
    n: usize,
    lse: f32,
    scale: f32,
}

vectorised! {
    /// Of one query: `p` from scores to probabilities, `ds` from g·vᵀ to the scores' gradient; zeros after the keys it sees.
    fn scores(p: &mut [f32], ds: &mut [f32], query: &Query) {
        let Query { y, g, n, lse, scale } = *query;
        let dot = sum(y.len(), |i| y[i] * g[i]);
        p[n..].fill(0.0);
        ds[n..].fill(0.0);
        for (p, ds) in p[..n].iter_mut().zip(&mut ds[..n]) {
            *p = exp(*p - lse);
            *ds = *p * (*ds - dot) * scale;
        }
    }
}
