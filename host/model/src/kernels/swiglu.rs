//! SwiGLU (Shazeer 2020, <https://arxiv.org/abs/2002.05202>): `y = silu(gate) * up`, `silu(z) = z / (1 + exp(−z))`.

use candle_core::{Result, Tensor};

/// `silu(gate) * up`, element by element.
pub fn swiglu(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    reference(gate, up)
}

fn reference(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    gate.silu()? * up
}
