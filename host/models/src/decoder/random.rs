//! Decoders with random parameters where they will be used and in the format they will be used in: for measuring what
//! training costs, not for learning.

use super::{Llama, Parameters};
use crate::families::Config;
use crate::formats::Format;
use candle_core::{Device, Result as Computed, Tensor};
use diapason_core::{Error, Result};
use diapason_nn::SaveType;
use diapason_nn::kernels::Weight;
use std::collections::HashMap;

/// Standard deviation of the weights, as in training from scratch.
const DEVIATION: f32 = 0.02;

impl Llama {
    /// A decoder on `device` with its blocks' linear layers in this format, of parameters drawn there: no copy of them
    /// exists elsewhere. Two calls give different ones. Layers of one shape in 4 bits hold the same numbers, each in
    /// memory of its own: quantising takes its time.
    ///
    /// # Errors
    /// The configuration contradicts itself, or the device has too little memory.
    pub fn random(config: Config, format: Format, device: &Device) -> Result<Self> {
        config.check()?;
        let made = Self::build(config, Random { format, device, quantised: HashMap::new() });
        made.map_err(|source| {
            Error::run("failed to draw random parameters").because(source).hint("is there enough memory?")
        })
    }
}

struct Random<'a> {
    format: Format,
    device: &'a Device,
    /// By shape.
    quantised: HashMap<[usize; 2], Weight>,
}

impl Parameters for Random<'_> {
    type Error = candle_core::Error;

    fn tensor(&mut self, name: &str, shape: &[usize]) -> Computed<Tensor> {
        match (name.ends_with(".bias"), shape.len()) {
            (true, _) => Tensor::zeros(shape, candle_core::DType::F32, self.device),
            (false, 1) => Tensor::ones(shape, candle_core::DType::F32, self.device),
            _ => Tensor::randn(0.0, DEVIATION, shape, self.device),
        }
    }

    fn linear(&mut self, _: &str, shape: [usize; 2]) -> Computed<Weight> {
        if let Some(weight) = self.quantised.get(&shape) {
            return Ok(weight.copied());
        }
        let drawn = Tensor::randn(0.0, DEVIATION, shape.as_slice(), self.device)?;
        let weight = self.format.of(drawn, SaveType::Bf16)?;
        if let Weight::Nf4(_) = weight {
            self.quantised.insert(shape, weight.clone());
        }
        Ok(weight)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn random_parameters_have_the_format_asked_for() {
        let json = serde_json::json!({
            "model_type": "llama", "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2,
            "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 32, "max_position_embeddings": 64,
            "rms_norm_eps": 1e-5, "tie_word_embeddings": true,
        });
        let config = Config::from_json(&json).unwrap();
        let bits = |format| {
            let llama = Llama::random(config.clone(), format, &Device::Cpu).unwrap();
            let (bytes, n) = llama.linears().fold((0, 0), |(bytes, n), (_, linear)| {
                (bytes + linear.weight().bytes(), n + linear.weight().elem_count())
            });
            8.0 * bytes as f64 / n as f64
        };
        assert_eq!((bits(Format::F32), bits(Format::Bf16)), (32.0, 16.0));
        assert!(bits(Format::Nf4 { double: false }) < 4.6);
    }
}
