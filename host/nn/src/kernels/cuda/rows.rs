//! What surrounds the products of linear layers, row by row: launches `rows.cu`.

use super::array::Array;
use super::launch::{Module, arguments, blocks, each, module, threads_for};
use crate::kernels::dropout::Dropout;
use candle_core::{DType, Result};

const MODULE: Module = module!("rows");

/// Adds `bias` [out] in f32 to every row of `y` [.., out].
pub(super) fn add_bias(y: &Array, bias: &Array) -> Result<()> {
    each(y.device(), &MODULE, "add_bias", y.dtype(), y.len(), arguments![y, bias, y.len(), bias.len()])
}

/// m ∘ x into `to`, which may be `x` itself.
pub(super) fn mask(x: &Array, to: &Array, dropout: Dropout) -> Result<()> {
    let Dropout { key, threshold, scale } = dropout;
    each(x.device(), &MODULE, "dropout", x.dtype(), x.len(), arguments![x, to, x.len(), key, threshold, scale])
}

/// The products [rows] of each row of `a` with that of `b`, both [rows, d], in f32.
pub(super) fn row_dots(a: &Array, b: &Array, d: usize) -> Result<Array<'static>> {
    let rows = a.len() / d;
    let dots = Array::new(a.device(), rows, DType::F32)?;
    blocks(a.device(), &MODULE, "row_dots", a.dtype(), (rows, 1), threads_for(d), arguments![a, b, &dots, d])?;
    Ok(dots)
}
