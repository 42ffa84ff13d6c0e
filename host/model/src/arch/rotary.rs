//! The angles of rotary position embeddings.

use super::config::{Config, Scaling};
use crate::kernels::Span;
use candle_core::{Device, Result, Tensor};
use std::f64::consts::PI;

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
        Self { frequencies: (0..d / 2).map(|i| stretch(base(i), config.scaling) as f32).collect() }
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

/// As transformers computes it (`modeling_rope_utils.py`).
fn stretch(frequency: f64, scaling: Scaling) -> f64 {
    match scaling {
        Scaling::None => frequency,
        Scaling::Linear { factor } => frequency / factor,
        Scaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_context } => {
            let turns = original_context * frequency / (2.0 * PI);
            let smooth = ((turns - low_freq_factor) / (high_freq_factor - low_freq_factor)).clamp(0.0, 1.0);
            (1.0 - smooth) * frequency / factor + smooth * frequency
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llama3_stretches_low_frequencies_only() {
        let scaling =
            Scaling::Llama3 { factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original_context: 8192.0 };
        assert_eq!(stretch(1.0, scaling), 1.0);
        assert_eq!(stretch(1e-6, scaling), 1e-6 / 8.0);
        let between = stretch(2.0 * PI * 2.5 / 8192.0, scaling) / (2.0 * PI * 2.5 / 8192.0);
        assert!((between - (0.5 / 8.0 + 0.5)).abs() < 1e-12, "{between}");
    }
}
