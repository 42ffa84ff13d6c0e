//! A vector [out] added to, or multiplied with, every row of y [.., out].
//!
//! Backward, g = dL/dz: of `z = y + b`, `dy = g` and `db = Σ_rows g`; of `z = y∘s`, `dy = g∘s` and `ds = Σ_rows g∘y`. The sums
//! over rows are in f32.

use super::{release, tape};
use candle_core::{D, DType, Result, Tensor};

/// `y + bias`. On the CPU `y` is empty afterwards: it must be an operation's result that nobody reads.
pub fn add_to_rows(y: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let sum = y.broadcast_add(&bias.to_dtype(y.dtype())?)?;
    release(y)?;
    tape::note(&[y, bias], &sum, || {
        Box::new(|arguments, _, g| {
            let bias = &arguments[1];
            Ok(vec![Some(g.clone()), bias.track_op().then(|| over_rows(g, bias.dtype())).transpose()?])
        })
    });
    Ok(sum)
}

/// `y ∘ scale`.
pub fn scale_rows(y: &Tensor, scale: &Tensor) -> Result<Tensor> {
    let scaled = y.broadcast_mul(&scale.to_dtype(y.dtype())?)?;
    tape::note(&[y, scale], &scaled, || {
        Box::new(|arguments, _, g| {
            let (y, scale) = (&arguments[0], &arguments[1]);
            let dy = g.broadcast_mul(&scale.detach().to_dtype(g.dtype())?)?;
            let product = || over_rows(&(g * y.detach())?, scale.dtype());
            Ok(vec![Some(dy), scale.track_op().then(product).transpose()?])
        })
    });
    Ok(scaled)
}

/// The sum [out] of all rows.
fn over_rows(g: &Tensor, dtype: DType) -> Result<Tensor> {
    let out = g.dim(D::Minus1)?;
    g.reshape(((), out))?.to_dtype(DType::F32)?.sum(0)?.to_dtype(dtype)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::kernels::check::{assert_close, random};
    use crate::kernels::pull_back;
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
        check(add_to_rows, |y, bias| y.broadcast_add(bias));
        check(scale_rows, |y, scale| y.broadcast_mul(scale));
    }
}
