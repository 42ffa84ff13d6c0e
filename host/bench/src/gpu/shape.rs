//! The shapes that are trained.

use super::method::Method;
use anyhow::Result;
use diapason_models::families::Config;
use serde_json::json;
use std::fmt;

/// A shape of the Llama family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Shape {
    /// For checking this command: some thousand parameters.
    Tiny,
    /// Llama 3.2 1B.
    #[value(name = "1b")]
    OneB,
    /// Llama 3.1 8B.
    #[value(name = "8b")]
    EightB,
}

impl Shape {
    /// What is measured: full training of 8B in f32 is more than one GPU holds.
    pub(super) fn methods(self) -> &'static [Method] {
        match self {
            Self::Tiny | Self::OneB => &[Method::Lora, Method::Qlora, Method::Full],
            Self::EightB => &[Method::Lora, Method::Qlora],
        }
    }

    /// Tokens of a row where nothing else is asked for.
    pub(super) fn sequence(self) -> usize {
        if self == Self::Tiny { 64 } else { 4096 }
    }

    /// The shape as transformers' `config.json` says it.
    pub(super) fn json(self) -> serde_json::Value {
        let [hidden, inner, layers, heads, kv_heads, vocab] = match self {
            Self::Tiny => [64, 160, 2, 4, 2, 512],
            Self::OneB => [2048, 8192, 16, 32, 8, 128_256],
            Self::EightB => [4096, 14_336, 32, 32, 8, 128_256],
        };
        json!({
            "model_type": "llama",
            "hidden_size": hidden,
            "intermediate_size": inner,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "num_key_value_heads": kv_heads,
            "head_dim": hidden / heads,
            "vocab_size": vocab,
            "max_position_embeddings": 131_072,
            "rms_norm_eps": 1e-5,
            "rope_theta": 500_000.0,
            "tie_word_embeddings": self != Self::EightB,
        })
    }

    pub(super) fn config(self) -> Result<Config> {
        Ok(Config::from_json(&self.json())?)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Tiny => "tiny",
            Self::OneB => "1B",
            Self::EightB => "8B",
        })
    }
}
