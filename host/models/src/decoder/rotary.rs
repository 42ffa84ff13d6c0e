//! The angles of rotary position embeddings.

use crate::families::Config;
use candle_core::{Device, Result, Tensor};
use diapason_nn::layout::Sequences;

/// The rotary frequencies of a model.
#[derive(Debug, Clone)]
pub struct Rotary {
    /// Radians per position, [head_dim / 2].
    frequencies: Vec<f32>,
    /// Multiplies cosines and sines.
    attention_factor: f32,
}

impl Rotary {
    /// The frequencies θ^(−2i/d), stretched as the configuration says.
    pub fn new(config: &Config) -> Self {
        let frequencies = config.scaling.frequencies(config.rope_theta, config.head_dim);
        Self {
            frequencies: frequencies.into_iter().map(|f| f as f32).collect(),
            attention_factor: config.scaling.attention_factor() as f32,
        }
    }

    /// Cosines and sines for the tokens of a batch [b, t]: both [t, d/2] if all rows start at the same position,
    /// otherwise [b, t, d/2].
    pub fn angles(&self, sequences: &Sequences, t: usize, device: &Device) -> Result<(Tensor, Tensor)> {
        let positions: Vec<usize> = match sequences {
            Sequences::Packed(lengths) => lengths.iter().flat_map(|n| 0..*n).collect(),
            Sequences::Padded(spans) => {
                let same = spans.windows(2).all(|pair| pair[0].offset == pair[1].offset);
                let rows = if same { &spans[..spans.len().min(1)] } else { spans };
                rows.iter().flat_map(|span| span.offset..span.offset + t).collect()
            }
        };
        let angles =
            || positions.iter().flat_map(|position| self.frequencies.iter().map(move |f| *position as f32 * f));
        let half = self.frequencies.len();
        let shape = if positions.len() == t { vec![t, half] } else { vec![positions.len() / t, t, half] };
        let made = |function: fn(f32) -> f32| angles().map(|a| function(a) * self.attention_factor).collect::<Vec<_>>();
        let cos = Tensor::from_vec(made(f32::cos), shape.as_slice(), device)?;
        let sin = Tensor::from_vec(made(f32::sin), shape.as_slice(), device)?;
        Ok((cos, sin))
    }
}
