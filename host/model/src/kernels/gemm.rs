//! Matrix products on slices, by the gemm crate (which picks the processor's instructions at run time).

use gemm::Parallelism;

/// A matrix seen in a slice: element (i, j) is at `i * row + j * column`.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row: usize,
    column: usize,
}

impl<'a> Matrix<'a> {
    /// A matrix stored row by row without gaps.
    pub(crate) fn dense(data: &'a [f32], columns: usize) -> Self {
        Self::strided(data, data.len() / columns.max(1), columns, columns)
    }

    /// A matrix whose rows start `stride` apart.
    pub(crate) fn strided(data: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        Self { data, rows, columns, row: stride, column: 1 }
    }

    /// The transpose, without moving anything.
    pub(crate) fn t(self) -> Self {
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
pub(crate) enum Into {
    /// It is forgotten.
    Replace,
    /// The product is added to it.
    Add,
}

/// `out = scale · left · right` (or `out += …`), where `out` has rows that start `stride` apart. Uses all threads.
pub(crate) fn product(out: &mut [f32], stride: usize, into: Into, scale: f32, left: Matrix, right: Matrix) {
    run(out, stride, into, scale, left, right, Parallelism::Rayon(0));
}

/// Like [`product`], on this thread alone: for tiles inside a parallel loop.
pub(crate) fn product_here(out: &mut [f32], stride: usize, into: Into, scale: f32, left: Matrix, right: Matrix) {
    run(out, stride, into, scale, left, right, Parallelism::None);
}

fn run(out: &mut [f32], stride: usize, into: Into, scale: f32, left: Matrix, right: Matrix, threads: Parallelism) {
    let (m, k, n) = (left.rows, left.columns, right.columns);
    assert_eq!(k, right.rows, "inner dimensions differ");
    if m == 0 || n == 0 {
        return;
    }
    assert!(n <= stride && (m - 1) * stride + n <= out.len(), "output too small");
    left.check();
    right.check();
    // SAFETY: the three checks above keep every element that gemm touches inside its slice, and `out` is borrowed
    // exclusively, so it overlaps neither input.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
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
}
