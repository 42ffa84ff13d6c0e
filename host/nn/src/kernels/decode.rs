//! `y = x·Wᵀ` for few rows x [n, in], W [out, in]: what generation does for every token.
//!
//! With few rows the time is that of reading W once, so W is neither packed nor copied. The order in which a dot product
//! is summed does not depend on the other rows: a sequence decodes to the same bits in any batch of up to [`ROWS`].

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Up to this many rows, reading W once costs more than the arithmetic, and this beats a blocked product.
pub(crate) const ROWS: usize = 16;

/// Rows of x, and rows of W, whose dot products are computed together.
const GROUP: usize = 4;
const PAIR: usize = 2;

/// Rows of W that a thread takes at a time.
const CHUNK: usize = 128;

/// `x·Wᵀ` [n, out] of `x` [n, input] and `weight` [out, input].
pub(crate) fn project(x: &[f32], weight: &[f32], input: usize) -> Vec<f32> {
    let (n, out) = (x.len() / input, weight.len() / input);
    let mut columns = vec![0.0; n * out];
    if columns.is_empty() {
        return columns;
    }
    let arch = Arch::new();
    let chunks = columns.par_chunks_mut(CHUNK * n).zip(weight.par_chunks(CHUNK * input));
    chunks.for_each(|(y, weight)| arch.dispatch(Chunk { y, x, weight, input }));
    if n == 1 { columns } else { transposed(&columns, n) }
}

/// Some rows of the weight with all rows of x. Loops and no closures: a closure that is not inlined would be compiled
/// without the processor's vectors.
struct Chunk<'a> {
    /// [rows of the weight, n]
    y: &'a mut [f32],
    x: &'a [f32],
    weight: &'a [f32],
    input: usize,
}

impl WithSimd for Chunk<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { y, x, weight, input } = self;
        let (n, rows) = (x.len() / input, weight.len() / input);
        let mut row = 0;
        while row + PAIR <= rows {
            let (y, weight) = (&mut y[row * n..][..PAIR * n], &weight[row * input..][..PAIR * input]);
            products::<S, PAIR>(simd, y, x, weight, input);
            row += PAIR;
        }
        if row < rows {
            products::<S, 1>(simd, &mut y[row * n..], x, &weight[row * input..], input);
        }
    }
}

/// Fills `y` [W, n] for W rows of the weight.
#[inline(always)]
fn products<S: Simd, const W: usize>(simd: S, y: &mut [f32], x: &[f32], weight: &[f32], input: usize) {
    let n = x.len() / input;
    let mut first = 0;
    while first + GROUP <= n {
        let found = dots::<S, W, GROUP>(simd, &x[first * input..], weight, input);
        for w in 0..W {
            y[w * n + first..][..GROUP].copy_from_slice(&found[w]);
        }
        first += GROUP;
    }
    while first < n {
        let found = dots::<S, W, 1>(simd, &x[first * input..], weight, input);
        for w in 0..W {
            y[w * n + first] = found[w][0];
        }
        first += 1;
    }
}

/// The dot products of W rows of the weight with R rows of x.
#[inline(always)]
fn dots<S: Simd, const W: usize, const R: usize>(simd: S, x: &[f32], weight: &[f32], input: usize) -> [[f32; R]; W] {
    let mut weights: [(&[S::f32s], &[f32]); W] = [(&[], &[]); W];
    let mut xs: [(&[S::f32s], &[f32]); R] = [(&[], &[]); R];
    for w in 0..W {
        weights[w] = S::as_simd_f32s(&weight[w * input..][..input]);
    }
    for r in 0..R {
        xs[r] = S::as_simd_f32s(&x[r * input..][..input]);
    }
    let mut sums = [[simd.splat_f32s(0.0); R]; W];
    for i in 0..weights[0].0.len() {
        for w in 0..W {
            for r in 0..R {
                sums[w][r] = simd.mul_add_e_f32s(weights[w].0[i], xs[r].0[i], sums[w][r]);
            }
        }
    }
    let mut found = [[0.0; R]; W];
    for w in 0..W {
        for r in 0..R {
            found[w][r] = simd.reduce_sum_f32s(sums[w][r]);
            for i in 0..weights[w].1.len() {
                found[w][r] += weights[w].1[i] * xs[r].1[i];
            }
        }
    }
    found
}

/// [out, n] to [n, out].
fn transposed(columns: &[f32], n: usize) -> Vec<f32> {
    (0..n).flat_map(|row| columns[row..].iter().step_by(n).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize, seed: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 37 + seed * 11) % 101) as f32 / 50.0 - 1.0).collect()
    }

    fn plain(x: &[f32], weight: &[f32], input: usize) -> Vec<f64> {
        let dot = |x: &[f32], w: &[f32]| x.iter().zip(w).map(|(x, w)| f64::from(*x) * f64::from(*w)).sum::<f64>();
        x.chunks(input).flat_map(|x| weight.chunks(input).map(move |w| dot(x, w))).collect()
    }

    #[test]
    fn equals_the_plain_product_for_every_remainder() {
        for (n, out, input) in [(1, 1, 1), (1, 7, 16), (3, 65, 15), (4, 64, 33), (5, 129, 40), (16, 131, 100)] {
            let (x, weight) = (numbers(n * input, 1), numbers(out * input, 2));
            let found = project(&x, &weight, input);
            assert_eq!(found.len(), n * out);
            for (found, expected) in found.iter().zip(plain(&x, &weight, input)) {
                assert!((f64::from(*found) - expected).abs() < 1e-4, "{n} {out} {input}: {found} for {expected}");
            }
        }
    }

    #[test]
    fn a_row_has_the_same_bits_in_any_batch() {
        let (input, out) = (75, 70);
        let (x, weight) = (numbers(7 * input, 3), numbers(out * input, 4));
        let together = project(&x, &weight, input);
        for (x, together) in x.chunks(input).zip(together.chunks(out)) {
            assert_eq!(project(x, &weight, input), together);
        }
    }
}
