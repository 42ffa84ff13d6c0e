//! The rotary frequencies of each scaling, as transformers computes them (`modeling_rope_utils.py`).

use super::Scaling;
use std::f64::consts::PI;

impl Scaling {
    /// Radians per position, [head_dim / 2]: θ^(−2i/d), stretched.
    pub fn frequencies(&self, rope_theta: f64, head_dim: usize) -> Vec<f64> {
        let base = (0..head_dim / 2).map(|i| rope_theta.powf(-(2.0 * i as f64) / head_dim as f64));
        match self {
            Self::Yarn { .. } => {
                let kept = self.kept(rope_theta, head_dim);
                base.zip(kept).map(|(f, kept)| self.stretch(f) * (1.0 - kept) + f * kept).collect()
            }
            Self::LongRope { short, .. } => base.zip(short.iter()).map(|(f, divisor)| f / divisor).collect(),
            _ => base.map(|f| self.stretch(f)).collect(),
        }
    }

    /// What `config.json` calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::None => "default",
            Self::Linear { .. } => "linear",
            Self::Dynamic { .. } => "dynamic",
            Self::Yarn { .. } => "yarn",
            Self::LongRope { .. } => "longrope",
            Self::Llama3 { .. } => "llama3",
        }
    }

    /// A rotary frequency, stretched as far as this scaling stretches any.
    pub fn stretch(&self, frequency: f64) -> f64 {
        match self {
            Self::None | Self::Dynamic { .. } | Self::LongRope { .. } => frequency,
            Self::Linear { factor } | Self::Yarn { factor, .. } => frequency / factor,
            Self::Llama3 { factor, low_freq_factor, high_freq_factor, original_context } => {
                let turns = original_context * frequency / (2.0 * PI);
                let smooth = ((turns - low_freq_factor) / (high_freq_factor - low_freq_factor)).clamp(0.0, 1.0);
                (1.0 - smooth) * frequency / factor + smooth * frequency
            }
        }
    }

    /// How much of each frequency YaRN leaves as it is, from 1 for the highest ones to 0.
    fn kept(&self, rope_theta: f64, head_dim: usize) -> Vec<f64> {
        let &Self::Yarn { beta_fast, beta_slow, truncate, original_context, .. } = self else { return Vec::new() };
        let d = head_dim as f64;
        let index = |turns: f64| d * (original_context / (turns * 2.0 * PI)).ln() / (2.0 * rope_theta.ln());
        let (low, high) = (index(beta_fast), index(beta_slow));
        let (low, high) = if truncate { (low.floor(), high.ceil()) } else { (low, high) };
        let (low, high) = (low.max(0.0), high.min(d - 1.0));
        let high = if low == high { high + 0.001 } else { high };
        (0..head_dim / 2).map(|i| 1.0 - ((i as f64 - low) / (high - low)).clamp(0.0, 1.0)).collect()
    }

    /// What cosines and sines are multiplied by.
    pub fn attention_factor(&self) -> f64 {
        match self {
            Self::Yarn { attention_factor, .. } | Self::LongRope { attention_factor, .. } => *attention_factor,
            _ => 1.0,
        }
    }

    /// The attention factor that YaRN's authors recommend for a stretch.
    pub fn yarn_attention(factor: f64, mscale: f64) -> f64 {
        if factor <= 1.0 { 1.0 } else { 0.1 * mscale * factor.ln() + 1.0 }
    }

    /// Tokens of the longest sequence whose frequencies are those of [`Scaling::frequencies`]; longer ones have others.
    pub fn reach(&self) -> usize {
        match self {
            Self::LongRope { short, long, original_context, .. } if short != long => *original_context as usize,
            _ => usize::MAX,
        }
    }

    /// One divisor for each frequency where that is all this scaling does beyond [`Scaling::Linear`]: GGUF's
    /// `rope_freqs.weight`.
    pub fn divisors(&self, rope_theta: f64, head_dim: usize) -> Option<Vec<f32>> {
        let only = match self {
            Self::Llama3 { .. } => true,
            Self::LongRope { short, long, attention_factor, .. } => short == long && *attention_factor == 1.0,
            _ => false,
        };
        let plain = Self::None.frequencies(rope_theta, head_dim);
        let stretched = self.frequencies(rope_theta, head_dim);
        only.then(|| plain.iter().zip(&stretched).map(|(plain, stretched)| (plain / stretched) as f32).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llama3_stretches_low_frequencies_only() {
        let scaling =
            Scaling::Llama3 { factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original_context: 8192.0 };
        assert_eq!(scaling.stretch(1.0), 1.0);
        assert_eq!(scaling.stretch(1e-6), 1e-6 / 8.0);
        let between = scaling.stretch(2.0 * PI * 2.5 / 8192.0) / (2.0 * PI * 2.5 / 8192.0);
        assert!((between - (0.5 / 8.0 + 0.5)).abs() < 1e-12, "{between}");
    }
}
