//! The angles of rotary position embeddings.

use super::config::Config;
use crate::kernels::Span;
use candle_core::{Device, Result, Tensor};

/// The rotary frequencies of a model.
#[derive(Debug, Clone)]
pub struct Rotary {
    /// Radians per position, [head_dim / 2].
    frequencies: Vec<f32>,
}

impl Rotary {
    /// The frequencies θ^(−2i/d), stretched as the configuration says.
    pub fn new(config: &Config) -> Self {
        let d = config.head_dim;
        let base = |i: usize| config.rope_theta.powf(-(2.0 * i as f64) / d as f64);
        Self { frequencies: (0..d / 2).map(|i| config.scaling.stretch(base(i)) as f32).collect() }
    }

    /// Cosines and sines for `t` tokens of each row: both [t, d/2] if all rows start at the same offset, otherwise
    /// [b, t, d/2].
    pub fn angles(&self, spans: &[Span], t: usize, device: &Device) -> Result<(Tensor, Tensor)> {
        let same = spans.windows(2).all(|pair| pair[0].offset == pair[1].offset);
        let rows = if same { &spans[..spans.len().min(1)] } else { spans };
        let positions = || rows.iter().flat_map(|span| (span.offset..span.offset + t).map(|position| position as f32));
        let angles = || positions().flat_map(|position| self.frequencies.iter().map(move |f| position * f));
        let half = self.frequencies.len();
        let shape = if same { vec![t, half] } else { vec![rows.len(), t, half] };
        let cos = Tensor::from_vec(angles().map(f32::cos).collect(), shape.as_slice(), device)?;
        let sin = Tensor::from_vec(angles().map(f32::sin).collect(), shape.as_slice(), device)?;
        Ok((cos, sin))
    }
}
