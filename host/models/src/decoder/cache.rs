//! Keys and values of the tokens seen so far.

use crate::families::Config;
use candle_core::{DType, Device, Result, Tensor};
use diapason_nn::layout::Span;

/// Room for the keys and values of a batch, allocated once.
#[derive(Debug)]
pub struct Cache {
    /// One pair for each block; both [rows, capacity, kv_heads, head_dim].
    layers: Vec<(Tensor, Tensor)>,
}

impl Cache {
    /// Room for `capacity` tokens in each of `rows` rows of a decoder of this shape.
    pub(super) fn new(config: &Config, rows: usize, capacity: usize, dtype: DType, device: &Device) -> Result<Self> {
        let shape = (rows, capacity, config.kv_heads, config.head_dim);
        let empty = || Tensor::zeros(shape, dtype, device);
        Ok(Self { layers: (0..config.layers).map(|_| Ok((empty()?, empty()?))).collect::<Result<_>>()? })
    }

    /// Keeps only the rows named, in the order named.
    pub fn keep(&mut self, rows: &[u32]) -> Result<()> {
        for (keys, values) in &mut self.layers {
            let rows = Tensor::new(rows, keys.device())?;
            *keys = keys.index_select(&rows, 0)?;
            *values = values.index_select(&rows, 0)?;
        }
        Ok(())
    }

    /// Writes the keys and values [b, t, kv_heads, head_dim] of one block at each row's offset; gives all that the
    /// block has seen.
    pub(super) fn push(&mut self, layer: usize, k: &Tensor, v: &Tensor, spans: &[Span]) -> Result<(Tensor, Tensor)> {
        let (keys, values) = &self.layers[layer];
        for (row, span) in spans.iter().enumerate() {
            keys.narrow(0, row, 1)?.slice_set(&k.narrow(0, row, 1)?, 1, span.offset)?;
            values.narrow(0, row, 1)?.slice_set(&v.narrow(0, row, 1)?, 1, span.offset)?;
        }
        Ok((keys.clone(), values.clone()))
    }
}
