//! What a model's `config.json` says, in the spelling of transformers 4 (`rope_theta`, `rope_scaling`) or 5
//! (`rope_parameters`).

mod check;
mod defaults;
mod fields;
mod known;
mod rope;
mod scaling;
mod window;

use defaults::Defaults;
use diapason_core::{Error, Result};
use fields::Fields;
use rope::Rope;
use serde_json::{Value, json};
use std::sync::Arc;

/// The key of `config.json` with the share of attention that transformers drops in training.
pub(crate) const DROPOUT: &str = "attention_dropout";

/// The members of the family that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// Llama 1 to 3, SmolLM2 and the many that share their layout.
    Llama,
    /// Like Llama, perhaps with a sliding window; Ministral too, whose layers may have different ones.
    Mistral,
    /// Queries, keys and values have biases.
    Qwen2,
    /// Queries and keys are normalised per head.
    Qwen3,
}

/// Every [`Architecture`], with its `model_type` and its class in transformers.
const ARCHITECTURES: [(Architecture, &str, &str); 4] = [
    (Architecture::Llama, "llama", "LlamaForCausalLM"),
    (Architecture::Mistral, "mistral", "MistralForCausalLM"),
    (Architecture::Qwen2, "qwen2", "Qwen2ForCausalLM"),
    (Architecture::Qwen3, "qwen3", "Qwen3ForCausalLM"),
];

impl Architecture {
    /// The architecture that `model_type` names.
    pub fn from_model_type(model_type: &str) -> Result<Self> {
        let found = ARCHITECTURES.iter().find(|(_, name, _)| *name == model_type);
        found.map(|(architecture, ..)| *architecture).ok_or_else(|| {
            let known: Vec<&str> = ARCHITECTURES.iter().map(|(_, name, _)| *name).collect();
            Error::data(format!("unknown architecture `{model_type}`"))
                .hint(format!("known architectures: {}", known.join(", ")))
        })
    }

    /// What `config.json` calls it.
    pub fn model_type(self) -> &'static str {
        self.entry().1
    }

    /// Its class in transformers.
    pub fn class(self) -> &'static str {
        self.entry().2
    }

    fn entry(self) -> &'static (Self, &'static str, &'static str) {
        // The table has one entry for each variant, in the order of the variants.
        &ARCHITECTURES[self as usize]
    }
}

/// How the rotary frequencies are stretched for longer contexts.
#[derive(Debug, Clone, PartialEq)]
pub enum Scaling {
    /// Not at all.
    None,
    /// All by the same factor.
    Linear {
        /// Divides every frequency.
        factor: f64,
    },
    /// All of them, by a factor that grows with the length of sequences beyond the model's positions. No such sequence is
    /// read here, so that nothing is stretched.
    Dynamic {
        /// How fast it grows.
        factor: f64,
    },
    /// Low frequencies only, between two numbers of turns in the original context (YaRN).
    Yarn {
        /// Divides the low frequencies.
        factor: f64,
        /// Multiplies cosines and sines.
        attention_factor: f64,
        /// Frequencies of this many turns are left alone.
        beta_fast: f64,
        /// Frequencies of this many turns are stretched in full.
        beta_slow: f64,
        /// Whether the bounds of the transition are rounded to whole indices.
        truncate: bool,
        /// The context length before the stretch.
        original_context: f64,
    },
    /// Each by a factor of its own (LongRoPE; GGUF's `rope_freqs.weight`).
    LongRope {
        /// Divisors for sequences up to the original context, [head_dim / 2].
        short: Arc<[f64]>,
        /// Divisors for longer ones.
        long: Arc<[f64]>,
        /// Multiplies cosines and sines.
        attention_factor: f64,
        /// The context length before the stretch.
        original_context: f64,
    },
    /// Low frequencies only, with a smooth transition (Llama 3.1).
    Llama3 {
        /// Divides the low frequencies.
        factor: f64,
        /// Wavelengths above `original_context / low_freq_factor` are stretched in full.
        low_freq_factor: f64,
        /// Wavelengths below `original_context / high_freq_factor` are left alone.
        high_freq_factor: f64,
        /// The context length before the stretch.
        original_context: f64,
    },
}

/// The shape of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Which member of the family.
    pub architecture: Architecture,
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width inside the feed-forward.
    pub intermediate_size: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads.
    pub kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Added to the mean square in RMSNorm.
    pub norm_eps: f64,
    /// Base of the rotary wavelengths.
    pub rope_theta: f64,
    /// Stretch of the rotary wavelengths.
    pub scaling: Scaling,
    /// Positions the model was made for.
    pub max_positions: usize,
    /// Keys a query looks back to, where that is limited.
    pub sliding_window: Option<usize>,
    /// Whether the output head is the embedding.
    pub tied: bool,
    /// Whether queries, keys and values have biases.
    pub qkv_bias: bool,
    /// Whether the attention's output has a bias.
    pub output_bias: bool,
    /// Whether the feed-forward has biases.
    pub mlp_bias: bool,
}

impl Config {
    /// Reads a `config.json`.
    ///
    /// # Errors
    /// An unknown architecture, a missing or nonsensical field, or a feature that is not supported.
    pub fn from_json(json: &Value) -> Result<Self> {
        let fields = Fields(json.as_object().ok_or_else(|| Error::data("config.json is not a JSON object"))?);
        let architecture = Architecture::from_model_type(&fields.model_type()?)?;
        fields.refuse_unsupported()?;
        let defaults = Defaults::of(architecture);
        let hidden_size = fields.count_or("hidden_size", defaults::HIDDEN_SIZE)?;
        let heads = fields.count_or("num_attention_heads", defaults::HEADS)?;
        let layers = fields.count_or("num_hidden_layers", defaults::LAYERS)?;
        let max_positions = fields.count_or("max_position_embeddings", defaults.max_positions)?;
        let bias = fields.flag_of("attention_bias", architecture)?;
        let rope = Rope::of(&fields, max_positions)?;
        // Of training alone, which refuses it.
        fields.number(DROPOUT)?;
        let config = Self {
            architecture,
            vocab_size: fields.count_or("vocab_size", defaults.vocab_size)?,
            hidden_size,
            intermediate_size: fields.count_or("intermediate_size", defaults.intermediate_size)?,
            layers,
            heads,
            kv_heads: fields.kv_heads(architecture, heads)?,
            head_dim: fields.head_dim(architecture, hidden_size, heads)?,
            norm_eps: fields.number("rms_norm_eps")?.unwrap_or(defaults::NORM_EPS),
            rope_theta: rope.theta()?,
            scaling: rope.scaling()?,
            max_positions,
            sliding_window: fields.window(architecture, layers)?,
            tied: fields.flag("tie_word_embeddings")?,
            qkv_bias: bias || architecture == Architecture::Qwen2,
            output_bias: bias,
            mlp_bias: fields.flag_of("mlp_bias", architecture)?,
        };
        config.check()?;
        Ok(config)
    }

    /// A `config.json` that says the same, readable by transformers 4 and 5.
    pub fn to_json(&self) -> Value {
        let mut json = json!({
            "architectures": [self.architecture.class()],
            "model_type": self.architecture.model_type(),
            "vocab_size": self.vocab_size,
            "hidden_size": self.hidden_size,
            "intermediate_size": self.intermediate_size,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head_dim,
            "hidden_act": "silu",
            "rms_norm_eps": self.norm_eps,
            "rope_theta": self.rope_theta,
            "rope_scaling": self.scaling.to_json(),
            "max_position_embeddings": self.max_positions,
            "tie_word_embeddings": self.tied,
            "torch_dtype": "float32",
        });
        if self.architecture != Architecture::Qwen2 {
            json["attention_bias"] = self.qkv_bias.into();
        }
        if self.architecture == Architecture::Llama {
            json["mlp_bias"] = self.mlp_bias.into();
        }
        // Each of these has another default in transformers.
        match self.architecture {
            Architecture::Llama => {}
            Architecture::Mistral => json["sliding_window"] = self.sliding_window.into(),
            Architecture::Qwen2 | Architecture::Qwen3 => {
                json["use_sliding_window"] = self.sliding_window.is_some().into();
                json["sliding_window"] = self.sliding_window.into();
                json["max_window_layers"] = if self.sliding_window.is_some() { 0 } else { self.layers }.into();
            }
        }
        json
    }

    /// The longest sequence that the model handles, in tokens: positions, or the sliding window or the reach of the
    /// rotary scaling where those are shorter.
    pub fn context_length(&self) -> usize {
        self.max_positions.min(self.sliding_window.unwrap_or(usize::MAX)).min(self.scaling.reach())
    }

    /// Whether queries and keys are normalised per head.
    pub fn qk_norm(&self) -> bool {
        self.architecture == Architecture::Qwen3
    }
}

impl Scaling {
    fn to_json(&self) -> Value {
        match self {
            Self::None => Value::Null,
            Self::Linear { factor } => json!({"rope_type": "linear", "factor": factor}),
            Self::Dynamic { factor } => json!({"rope_type": "dynamic", "factor": factor}),
            Self::Yarn { factor, attention_factor, beta_fast, beta_slow, truncate, original_context } => json!({
                "rope_type": "yarn",
                "factor": factor,
                "attention_factor": attention_factor,
                "beta_fast": beta_fast,
                "beta_slow": beta_slow,
                "truncate": truncate,
                "original_max_position_embeddings": *original_context as u64,
            }),
            Self::LongRope { short, long, attention_factor, original_context } => json!({
                "rope_type": "longrope",
                "short_factor": short.to_vec(),
                "long_factor": long.to_vec(),
                "attention_factor": attention_factor,
                "original_max_position_embeddings": *original_context as u64,
            }),
            Self::Llama3 { factor, low_freq_factor, high_freq_factor, original_context } => json!({
                "rope_type": "llama3",
                "factor": factor,
                "low_freq_factor": low_freq_factor,
                "high_freq_factor": high_freq_factor,
                "original_max_position_embeddings": *original_context as u64,
            }),
        }
    }
}
