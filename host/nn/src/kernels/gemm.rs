//! Matrix products on slices, by the gemm crate (which picks the processor's instructions at run time).

use gemm::Parallelism;

/// A matrix seen in a slice: element (i, j) is at `i * row + j * column`.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row: usize,
    column: usize,
}

impl<'a> Matrix<'a> {
    /// A matrix stored row by row without gaps.
    pub fn dense(data: &'a [f32], columns: usize) -> Self {
        Self::strided(data, data.len() / columns.max(1), columns, columns)
    }

    /// A matrix whose rows start `stride` apart.
    pub(crate) fn strided(data: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        Self { data, rows, columns, row: stride, column: 1 }
    }

    /// The transpose, without moving anything.
    pub fn t(self) -> Self {
        Self { rows: self.columns, columns: self.rows, row: self.column, column: self.row, ..self }
    }

    /// Panics if an element would lie outside the slice.
    fn check(&self) {
        if self.rows > 0 && self.columns > 0 {
            assert!(
                (self.rows - 1) * self.row + (self.columns - 1) * self.column < self.data.len(),
                "matrix too small"
            );
        }
    }
}

/// What happens to what the output held before.
#[derive(Clone, Copy, PartialEq)]
pub enum Into {
    /// It is forgotten.
    Replace,
    /// The product is added to it.
    Add,
}

/// `out = scale · left · right` (or `out += …`), where `out` has rows that start `stride` apart. Uses all threads.
pub fn product(out: &mut [f32], stride: usize, into: Into, scale: f32, left: Matrix, right: Matrix) {
    run(out, stride, into, scale, left, right, Parallelism::Rayon(0));
}

/// Like [`product`], on this thread alone: for tiles inside a parallel loop.
pub(crate) fn product_here(out: &mut [f32], stride: usize, into: Into, scale: f32, left: Matrix, right: Matrix) {
    run(out, stride, into, scale, left, right, Parallelism::None);
}

/// `left · right` as a new vector, whose memory is written once: nothing is cleared before.
pub(crate) fn fresh(left: Matrix, right: Matrix) -> Vec<f32> {
    let (m, n) = (left.rows, right.columns);
    if m == 0 || n == 0 || left.columns == 0 {
        return vec![0.0; m * n];
    }
    check(&left, &right);
    let mut out = Vec::with_capacity(m * n);
    // SAFETY: the matrices lie in their slices, `out` has room for m rows of n numbers, and a product that replaces reads
    // none of them and writes them all.
    unsafe {
        call(out.as_mut_ptr(), n, Into::Replace, 1.0, left, right, Parallelism::Rayon(0));
        out.set_len(m * n);
    }
    out
}

fn run(out: &mut [f32], stride: usize, into: Into, scale: f32, left: Matrix, right: Matrix, threads: Parallelism) {
    let (m, n) = (left.rows, right.columns);
    check(&left, &right);
    if m == 0 || n == 0 {
        return;
    }
    assert!(n <= stride && (m - 1) * stride + n <= out.len(), "output too small");
    // SAFETY: the checks keep every element that gemm touches inside its slice, and `out` is borrowed exclusively, so it
    // overlaps neither input.
    unsafe { call(out.as_mut_ptr(), stride, into, scale, left, right, threads) }
}

/// Panics unless the matrices fit together and lie in their slices.
fn check(left: &Matrix, right: &Matrix) {
    assert_eq!(left.columns, right.rows, "inner dimensions differ");
    left.check();
    right.check();
}

/// # Safety
/// The matrices must lie in their slices, and `out` must be valid for writes of as many rows as `left` has, `stride` apart,
/// and for reads too where the product is added.
unsafe fn call(
    out: *mut f32,
    stride: usize,
    into: Into,
    scale: f32,
    left: Matrix,
    right: Matrix,
    threads: Parallelism,
) {
    // SAFETY: the caller's promise.
    unsafe {
        gemm::gemm(
            left.rows,
            right.columns,
            left.columns,
            out,
            1,
            stride as isize,
            into == Into::Add,
            left.data.as_ptr(),
            left.column as isize,
            left.row as isize,
            right.data.as_ptr(),
            right.column as isize,
            right.row as isize,
            1.0,
            scale,
            false,
            false,
            false,
            threads,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiplies_strided_and_transposed() {
        let left = [1.0, 2.0, 0.0, 3.0, 4.0, 0.0]; // rows of 2 in a stride of 3
        let right = [1.0, 3.0, 5.0, 7.0]; // [[1, 5], [3, 7]] transposed
        let mut out = [10.0; 5];
        product(&mut out, 3, Into::Add, 2.0, Matrix::strided(&left, 2, 2, 3), Matrix::dense(&right, 2).t());
        assert_eq!(out, [10.0 + 14.0, 10.0 + 38.0, 10.0, 10.0 + 30.0, 10.0 + 86.0]);
    }

    #[test]
    fn what_replaces_reads_nothing_of_what_was_there() {
        let values: Vec<f32> = (0..70 * 70).map(|i| (i % 13) as f32 - 6.0).collect();
        for (m, k, n) in
            [(1, 1, 1), (1, 70, 33), (33, 70, 1), (1, 3, 1), (2, 1, 5), (16, 16, 16), (70, 7, 70), (64, 70, 48)]
        {
            let (left, right) = (Matrix::dense(&values[..m * k], k), Matrix::dense(&values[..k * n], n));
            let mut over_nan = vec![f32::NAN; m * n];
            product(&mut over_nan, n, Into::Replace, 1.0, left, right);
            let expected = |i: usize| (0..k).map(|j| values[i / n * k + j] * values[j * n + i % n]).sum::<f32>();
            assert!((0..m * n).all(|i| over_nan[i] == expected(i)), "{m} x {k} x {n}");
            assert_eq!(fresh(left, right), over_nan);
        }
        assert_eq!(fresh(Matrix::dense(&[], 0), Matrix::dense(&[], 4)), Vec::<f32>::new());
    }
}
