//! The shape of the model in a GGUF file, as llama.cpp reads it from the metadata.

use super::gguf::Gguf;
use crate::families::{Architecture, Config, Scaling};
use candle_core::quantized::gguf_file::Value;
use diapason_core::{Error, Result};
use std::sync::Arc;

/// Keys that llama.cpp applies and that are refused unless they have this value.
const NEUTRAL: [(&str, f64); 13] = [
    ("attention.clamp_kqv", 0.0),
    ("attention.max_alibi_bias", 0.0),
    ("attention.scale", 0.0),
    ("attention.temperature_scale", 0.0),
    ("attn_logit_softcapping", 0.0),
    ("embedding_scale", 0.0),
    ("expert_count", 0.0),
    ("expert_used_count", 0.0),
    ("final_logit_softcapping", 0.0),
    ("leading_dense_block_count", 0.0),
    ("logit_scale", 0.0),
    ("nextn_predict_layers", 0.0),
    ("residual_scale", 0.0),
];

/// Keys of the rotary embedding that are looked at, or that say nothing about it.
const ROPE: [&str; 8] = [
    "rope.dimension_count",
    "rope.freq_base",
    "rope.scale_linear",
    "rope.scaling.attn_factor",
    "rope.scaling.factor",
    "rope.scaling.finetuned",
    "rope.scaling.original_context_length",
    "rope.scaling.type",
];

impl Gguf {
    /// The model's shape.
    ///
    /// # Errors
    /// An unknown architecture, or metadata that are missing, of a wrong type, or not supported.
    pub fn config(&self) -> Result<Config> {
        let architecture = self.architecture()?;
        self.refuse_unsupported()?;
        let (hidden_size, heads) = (self.count("embedding_length")?, self.count("attention.head_count")?);
        let head_dim = self.count_or("attention.key_length", hidden_size / heads)?;
        for name in ["attention.value_length", "rope.dimension_count"] {
            let found = self.count_or(name, head_dim)?;
            if found != head_dim {
                return Err(self.unsupported(name, &format!("it is {found}, and the width of a head {head_dim}")));
            }
        }
        let rope_theta = self.number("rope.freq_base")?.unwrap_or(10_000.0);
        let max_positions = self.count("context_length")?;
        let config = Config {
            architecture,
            vocab_size: self.rows("token_embd.weight")?,
            hidden_size,
            intermediate_size: self.count("feed_forward_length")?,
            layers: self.count("block_count")?,
            heads,
            kv_heads: self.count_or("attention.head_count_kv", heads)?,
            head_dim,
            norm_eps: self.needed("attention.layer_norm_rms_epsilon")?,
            rope_theta,
            scaling: self.scaling(max_positions, head_dim)?,
            max_positions,
            sliding_window: self.window()?,
            tied: !self.has("output.weight"),
            qkv_bias: self.has("blk.0.attn_q.bias"),
            output_bias: self.has("blk.0.attn_output.bias"),
            mlp_bias: self.has("blk.0.ffn_gate.bias"),
        };
        config.check()?;
        Ok(config)
    }

    /// llama.cpp calls Mistral's models llama, and knows none called mistral.
    fn architecture(&self) -> Result<Architecture> {
        let name = self.text("general.architecture")?;
        let known = [Architecture::Llama, Architecture::Qwen2, Architecture::Qwen3];
        known.into_iter().find(|known| known.model_type() == name).ok_or_else(|| {
            Error::data(format!("unknown architecture `{name}`"))
                .hint("known architectures in GGUF files: llama, qwen2, qwen3")
        })
    }

    fn refuse_unsupported(&self) -> Result<()> {
        let parts = self.integer("split.count").unwrap_or(1);
        if parts > 1 {
            return Err(Error::data(format!("{} is one of {parts} parts of a model", self.path().display()))
                .hint("join them first: llama-gguf-split --merge FIRST OUT"));
        }
        for (name, neutral) in NEUTRAL {
            let value = self.own(name)?.map(|value| as_number(value).or_else(|| value.to_bool().ok().map(f64::from)));
            if value.is_some_and(|value| value != Some(neutral)) {
                return Err(self.unsupported(name, "the models of this family do without it"));
            }
        }
        if matches!(self.own("attention.causal")?, Some(value) if value.to_bool().ok() != Some(true)) {
            return Err(self.unsupported("attention.causal", "only causal attention is"));
        }
        let prefix = format!("{}.", self.text("general.architecture")?);
        let rope = |key: &&str| key.starts_with("rope.") && !ROPE.contains(key);
        let other = self.keys().filter_map(|key| key.strip_prefix(&prefix)).find(rope).map(str::to_owned);
        other.map_or(Ok(()), |key| Err(self.unsupported(&key, &format!("known are {}", ROPE.join(", ")))))
    }

    /// llama.cpp attends to everything in these architectures, whatever window the file names; the model was made with
    /// the window. Both agree on sequences within it, and longer ones are not read.
    fn window(&self) -> Result<Option<usize>> {
        match self.own("attention.sliding_window")? {
            Some(value) if as_integer(value) == Some(0) => Ok(None),
            Some(_) => self.count("attention.sliding_window").map(Some),
            None => Ok(None),
        }
    }

    /// llama.cpp divides by `rope_freqs.weight` and by the factor of a linear scaling, which is the type where none is
    /// named, and by nothing where there is no factor.
    fn scaling(&self, max_positions: usize, head_dim: usize) -> Result<Scaling> {
        let kind = match self.own("rope.scaling.type")? {
            None => "linear",
            Some(Value::String(kind)) => kind,
            Some(other) => return Err(self.unsupported("rope.scaling.type", &format!("it is {other:?}, no text"))),
        };
        let factor = self.number("rope.scaling.factor")?.or(self.number("rope.scale_linear")?);
        let factor = factor.filter(|factor| *factor != 0.0).unwrap_or(1.0);
        let attention = self.number("rope.scaling.attn_factor")?.unwrap_or(1.0);
        let divisors = self.divisors(head_dim)?;
        match (kind, divisors) {
            ("none" | "linear", divisors) if attention == 1.0 => {
                Ok(stretched(if kind == "none" { 1.0 } else { factor }, divisors, max_positions))
            }
            ("yarn", None) => Ok(Scaling::Yarn {
                factor,
                attention_factor: attention * Scaling::yarn_attention(factor, 1.0),
                beta_fast: 32.0,
                beta_slow: 1.0,
                truncate: true,
                original_context: self.count_or("rope.scaling.original_context_length", max_positions)? as f64,
            }),
            ("yarn", Some(_)) => Err(self.unsupported("rope.scaling.type", "yarn beside rope_freqs.weight is not")),
            ("none" | "linear", _) => Err(self.unsupported("rope.scaling.attn_factor", "it goes with yarn")),
            _ => Err(Error::data(format!("rope scaling `{kind}` is not supported"))
                .hint("supported in GGUF files: none, linear, yarn, and rope_freqs.weight")),
        }
    }

    /// `rope_freqs.weight`, one divisor for each frequency.
    fn divisors(&self, head_dim: usize) -> Result<Option<Vec<f32>>> {
        for name in ["rope_factors_long.weight", "rope_factors_short.weight"] {
            if self.has(name) {
                return Err(Error::data(format!("tensor `{name}` in {} is not supported", self.path().display()))
                    .hint("supported in GGUF files: the rope scalings none, linear, yarn, and rope_freqs.weight"));
            }
        }
        if !self.has("rope_freqs.weight") {
            return Ok(None);
        }
        self.plain("rope_freqs.weight", &[head_dim / 2]).map(Some)
    }

    /// A key of the model's own architecture.
    fn own(&self, name: &str) -> Result<Option<&Value>> {
        Ok(self.value(&self.key(name)?))
    }

    fn key(&self, name: &str) -> Result<String> {
        Ok(format!("{}.{name}", self.text("general.architecture")?))
    }

    fn count(&self, name: &str) -> Result<usize> {
        let key = self.key(name)?;
        let found = self.integer(&key).filter(|count| *count > 0).map(|count| count as usize);
        found.ok_or_else(|| {
            Error::data(format!("{} has no count `{key}` in its metadata", self.path().display())).hint(
                "one number for all layers is supported; otherwise the file is damaged or of another architecture",
            )
        })
    }

    /// A count; `default` where the key is absent.
    fn count_or(&self, name: &str, default: usize) -> Result<usize> {
        if self.own(name)?.is_some() { self.count(name) } else { Ok(default) }
    }

    /// A floating point number; `None` where the key is absent.
    fn number(&self, name: &str) -> Result<Option<f64>> {
        let wrong = || self.unsupported(name, "it is no floating point number");
        self.own(name)?.map(|value| as_float(value).ok_or_else(wrong)).transpose()
    }

    fn needed(&self, name: &str) -> Result<f64> {
        let missing = || self.unsupported(name, "it is missing");
        self.number(name)?.ok_or_else(missing)
    }

    fn unsupported(&self, name: &str, why: &str) -> Error {
        let key = self.key(name).unwrap_or_else(|_| name.to_owned());
        Error::data(format!("`{key}` in {} is not supported: {why}", self.path().display())).hint(
            "the file was made for another reader, or is damaged; open the safetensors folder that it was made from",
        )
    }
}

/// Every frequency divided by a factor and by a divisor of its own.
fn stretched(factor: f64, divisors: Option<Vec<f32>>, max_positions: usize) -> Scaling {
    match divisors {
        None if factor == 1.0 => Scaling::None,
        None => Scaling::Linear { factor },
        Some(divisors) => {
            let short: Arc<[f64]> = divisors.iter().map(|divisor| factor * f64::from(*divisor)).collect();
            let original_context = max_positions as f64;
            Scaling::LongRope { long: short.clone(), short, attention_factor: 1.0, original_context }
        }
    }
}

fn as_float(value: &Value) -> Option<f64> {
    match value {
        Value::F32(value) => Some(f64::from(*value)),
        Value::F64(value) => Some(*value),
        _ => None,
    }
}

fn as_integer(value: &Value) -> Option<i64> {
    match value {
        Value::I8(value) => Some((*value).into()),
        Value::I16(value) => Some((*value).into()),
        Value::I32(value) => Some((*value).into()),
        Value::I64(value) => Some(*value),
        value => value.to_u64().ok().and_then(|value| i64::try_from(value).ok()),
    }
}

fn as_number(value: &Value) -> Option<f64> {
    as_float(value).or_else(|| as_integer(value).map(|value| value as f64))
}
