//! Launches `rope.cu`.

use super::array::{Array, read};
use super::launch::{Module, arguments, each, module};
use super::{Operand, Output};
use candle_core::Tensor;

const MODULE: Module = module!("rope");

/// Rotates `x` [b, t, h, d] by angles in f32; the gradient is the rotation in the other `direction`.
pub(crate) fn rotate(x: Operand, cos: &Tensor, sin: &Tensor, direction: f32) -> Output {
    let shape = x.1.shape().clone();
    let (_, _, heads, d) = shape.dims4()?;
    let x = Array::of(x)?;
    let y = Array::new(x.device(), x.len(), x.dtype())?;
    read([cos, sin], |[cos, sin]| {
        let (pairs, angles) = (x.len() / 2, cos.len());
        let arguments = arguments![&x, &y, &cos, &sin, pairs, heads, d / 2, angles, direction];
        each(x.device(), &MODULE, "rope", x.dtype(), pairs, arguments)
    })?;
    Ok((y.into_storage()?, shape))
}
