//! Launches `swiglu.cu`.

use super::array::{Array, read};
use super::launch::{Module, arguments, each, module};
use super::{Operand, Output};
use candle_core::{Result, Tensor};

const MODULE: Module = module!("swiglu");

pub(crate) fn forward(gate: Operand, up: Operand) -> Output {
    let shape = gate.1.shape().clone();
    let (z, u) = (Array::of(gate)?, Array::of(up)?);
    let y = Array::new(z.device(), z.len(), z.dtype())?;
    each(z.device(), &MODULE, "swiglu_forward", z.dtype(), z.len(), arguments![&z, &u, &y, z.len()])?;
    Ok((y.into_storage()?, shape))
}

/// The gradients of gate and up.
pub(crate) fn backward(gate: &Tensor, up: &Tensor, g: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
    read([gate, up, g], |[z, u, g]| {
        let [dz, du] = [Array::new(z.device(), z.len(), z.dtype())?, Array::new(z.device(), z.len(), z.dtype())?];
        let arguments = arguments![&z, &u, &g, &dz, &du, z.len()];
        each(z.device(), &MODULE, "swiglu_backward", z.dtype(), z.len(), arguments)?;
        Ok((Some(dz.into_tensor(gate.shape())?), Some(du.into_tensor(up.shape())?)))
    })
}
