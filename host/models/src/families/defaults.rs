//! What a `config.json` means that leaves keys out: the defaults of transformers 5.24's configuration classes.

use super::Architecture;

/// Values for keys that are absent; null is no absence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Defaults {
    pub(super) vocab_size: usize,
    pub(super) intermediate_size: usize,
    /// Key and value heads; `None` for as many as query heads.
    pub(super) kv_heads: Option<usize>,
    /// `None` for `hidden_size` over heads.
    pub(super) head_dim: Option<usize>,
    pub(super) max_positions: usize,
    pub(super) sliding_window: Option<usize>,
    /// Layers that a window leaves alone, from the first.
    pub(super) max_window_layers: usize,
}

/// Width of the residual stream, in all classes.
pub(super) const HIDDEN_SIZE: usize = 4096;
/// Layers, in all classes.
pub(super) const LAYERS: usize = 32;
/// Query heads, in all classes.
pub(super) const HEADS: usize = 32;
/// Added to the mean square in RMSNorm, in all classes.
pub(super) const NORM_EPS: f64 = 1e-6;
/// Base of the rotary wavelengths, in all classes.
pub(super) const ROPE_THETA: f64 = 10_000.0;

impl Defaults {
    /// Those of an architecture's class.
    pub(super) fn of(architecture: Architecture) -> Self {
        let qwen2 = Self {
            vocab_size: 151_936,
            intermediate_size: 22_016,
            kv_heads: Some(32),
            head_dim: None,
            max_positions: 32_768,
            sliding_window: Some(4096),
            max_window_layers: 28,
        };
        let llama = Self {
            vocab_size: 32_000,
            intermediate_size: 11_008,
            kv_heads: None,
            max_positions: 2048,
            sliding_window: None,
            ..qwen2
        };
        match architecture {
            Architecture::Llama => llama,
            Architecture::Mistral => Self {
                vocab_size: 32_000,
                intermediate_size: 14_336,
                kv_heads: Some(8),
                max_positions: 131_072,
                ..qwen2
            },
            Architecture::Qwen2 => qwen2,
            Architecture::Qwen3 => Self { head_dim: Some(128), ..qwen2 },
        }
    }
}
