//! A vector [out] added to, or multiplied with, every row of y [.., out].
//!
//! Backward, g = dL/dz: of `z = y + b`, `dy = g` and `db = Σ_rows g`; of `z = y∘s`, `dy = g∘s` and `ds = Σ_rows g∘y`. The sums
//! over rows are in f32.

use super::residual::release;
use super::simd::{PIECE, vectorised};
use super::storage;
use crate::tape;
use candle_core::{CpuStorage, CustomOp2, D, DType, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

/// `y + bias`. On the CPU `y` is empty afterwards: it must be an operation's result that nobody reads.
pub fn add_to_rows(y: Tensor, bias: &Tensor) -> Result<Tensor> {
    let sum = apply(&y, bias, Rows::Add)?;
    release(y)?;
    Ok(sum)
}

/// `y ∘ scale`.
pub fn scale_rows(y: &Tensor, scale: &Tensor) -> Result<Tensor> {
    apply(y, scale, Rows::Scale)
}

fn apply(y: &Tensor, vector: &Tensor, op: Rows) -> Result<Tensor> {
    if vector.dims() != [y.dim(D::Minus1)?] {
        bail!("a vector of {:?} does not fit the rows of {:?}", vector.shape(), y.shape());
    }
    if y.device().is_cpu() {
        return tape::apply2(&y.contiguous()?, &vector.contiguous()?, op);
    }
    let wide = vector.to_dtype(y.dtype())?;
    let z = match op {
        Rows::Add => y.broadcast_add(&wide)?,
        Rows::Scale => y.broadcast_mul(&wide)?,
    };
    let pull = move |arguments: &[Tensor], _: &Tensor, g: &Tensor| {
        let (dy, dvector) = op.composed_backward(&arguments[0], &arguments[1], g)?;
        Ok(vec![dy, dvector])
    };
    tape::note(&[y, vector], &z, || Box::new(pull));
    Ok(z)
}

#[derive(Clone, Copy)]
enum Rows {
    Add,
    Scale,
}

impl Rows {
    /// Gradients by candle's operations, on any device.
    fn composed_backward(self, y: &Tensor, vector: &Tensor, g: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let over_rows = |g: &Tensor| {
            let rows = g.reshape(((), g.dim(D::Minus1)?))?;
            rows.to_dtype(DType::F32)?.sum(0)?.to_dtype(vector.dtype())
        };
        let (dy, per_row) = match self {
            Self::Add => (g.clone(), g.clone()),
            Self::Scale => (g.broadcast_mul(&vector.detach().to_dtype(g.dtype())?)?, (g * y.detach())?),
        };
        Ok((Some(dy), vector.track_op().then(|| over_rows(&per_row)).transpose()?))
    }
}

vectorised! {
    fn add(y: &[f32], vector: &[f32], z: &mut [f32]) {
        for ((z, y), b) in z.iter_mut().zip(y).zip(vector) {
            *z = y + b;
        }
    }

    fn scale(y: &[f32], vector: &[f32], z: &mut [f32]) {
        for ((z, y), s) in z.iter_mut().zip(y).zip(vector) {
            *z = y * s;
        }
    }

    /// Adds `g` to the vector's gradient.
    fn add_backward(g: &[f32], dvector: &mut [f32]) {
        for (db, g) in dvector.iter_mut().zip(g) {
            *db += g;
        }
    }

    fn scale_backward(y: &[f32], vector: &[f32], g: &[f32], dy: &mut [f32], dvector: &mut [f32]) {
        for ((((y, s), g), dy), ds) in y.iter().zip(vector).zip(g).zip(dy).zip(dvector) {
            *dy = g * s;
            *ds += g * y;
        }
    }
}

/// Sums that are made apart, in their order.
fn total(parts: Vec<Vec<f32>>, n: usize) -> Vec<f32> {
    let mut total = vec![0.0; n];
    parts.iter().for_each(|part| add_backward(part, &mut total));
    total
}

impl CustomOp2 for Rows {
    fn name(&self) -> &'static str {
        match self {
            Self::Add => "add-to-rows",
            Self::Scale => "scale-rows",
        }
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (y, vector) = (storage::slice(s1, l1)?, storage::slice(s2, l2)?);
        let n = vector.len();
        let mut z = vec![0.0; y.len()];
        let piece = (PIECE / n.max(1)).max(1) * n.max(1);
        z.par_chunks_mut(piece).zip(y.par_chunks(piece)).for_each(|(z, y)| {
            z.chunks_mut(n).zip(y.chunks(n)).for_each(|(z, y)| match self {
                Self::Add => add(y, vector, z),
                Self::Scale => scale(y, vector, z),
            });
        });
        Ok((CpuStorage::F32(z), l1.shape().clone()))
    }

    fn bwd(&self, y: &Tensor, vector: &Tensor, _: &Tensor, g: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (n, g) = (vector.elem_count(), g.contiguous()?);
        let piece = (PIECE / n.max(1)).max(1) * n.max(1);
        let tensor = |values: Vec<f32>| Tensor::from_vec(values, vector.shape(), vector.device());
        match self {
            Self::Add if !vector.track_op() => Ok((Some(g), None)),
            Self::Add => {
                let sum = |g: &[f32]| {
                    let mut part = vec![0.0; n];
                    g.chunks(n).for_each(|g| add_backward(g, &mut part));
                    part
                };
                let parts = storage::read([&g], |[g]| Ok(g.par_chunks(piece).map(sum).collect()))?;
                Ok((Some(g), Some(tensor(total(parts, n))?)))
            }
            Self::Scale => storage::read([y, vector, &g], |[ys, s, gs]| {
                let mut dy = vec![0.0; ys.len()];
                let rows = dy.par_chunks_mut(piece).zip(ys.par_chunks(piece)).zip(gs.par_chunks(piece));
                let sum = |((dy, y), g): ((&mut [f32], &[f32]), &[f32])| {
                    let mut part = vec![0.0; n];
                    let rows = dy.chunks_mut(n).zip(y.chunks(n)).zip(g.chunks(n));
                    rows.for_each(|((dy, y), g)| scale_backward(y, s, g, dy, &mut part));
                    part
                };
                let parts = rows.map(sum).collect();
                Ok((Some(Tensor::from_vec(dy, y.shape(), y.device())?), Some(tensor(total(parts, n))?)))
            }),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::kernels::check::{assert_close, random};
    use crate::tape::pull_back;
    use candle_core::Var;

    #[test]
    fn values_and_gradients_are_those_of_candle() {
        let var = |shape: &[usize], seed| Var::from_tensor(&random(shape, seed)).unwrap();
        let (x, vector, dz) = (var(&[2, 3, 4], 1), var(&[4], 2), random(&[2, 3, 4], 3));
        let check = |ours: fn(&Tensor, &Tensor) -> Result<Tensor>, theirs: fn(&Tensor, &Tensor) -> Result<Tensor>| {
            // Not the variable itself, for the addition takes what it adds to.
            let doubled = || tape::composed(&[x.as_tensor()], |t| &t[0] * 2.0);
            let theirs = theirs(&doubled().unwrap(), &vector).unwrap();
            let (z, tape) = tape::Tape::record(|| ours(&doubled()?, &vector)).unwrap();
            assert_close(&z, &theirs, 1e-6);
            let mut ours = tape.backward(z, dz.clone(), &[]).unwrap();
            let theirs = pull_back(&theirs, &dz).unwrap();
            for var in [&x, &vector] {
                assert_close(&ours.take(var).unwrap(), theirs.get(var).unwrap(), 1e-5);
            }
        };
        check(|y, bias| add_to_rows(y.clone(), bias), |y, bias| y.broadcast_add(bias));
        check(scale_rows, |y, scale| y.broadcast_mul(scale));
    }

    #[test]
    fn gradients_by_candle_are_those_of_the_loops() {
        let (y, vector, g) =
            (random(&[2, 300, 70], 1), Var::from_tensor(&random(&[70], 2)).unwrap(), random(&[2, 300, 70], 3));
        for op in [Rows::Add, Rows::Scale] {
            let (dy, dvector) = op.bwd(&y, &vector, &y, &g).unwrap();
            let (composed_dy, composed_dvector) = op.composed_backward(&y, &vector, &g).unwrap();
            assert_close(&dy.unwrap(), &composed_dy.unwrap(), 0.0);
            assert_close(&dvector.unwrap(), &composed_dvector.unwrap(), 1e-4);
        }
        assert!(add_to_rows(y.clone(), &random(&[69], 1)).is_err());
    }
}
