//! One layer: attention and feed-forward, each behind a norm and beside the residual stream.

use super::cache::Cache;
use crate::families::Config;
use crate::linear::{Linear, Mode};
use candle_core::{Result, Tensor, bail};
use diapason_nn::kernels;
use diapason_nn::layout::Sequences;
use diapason_nn::tape;

/// One layer.
#[derive(Debug, Clone)]
pub struct Block {
    /// Norm before the attention, `[hidden]`.
    pub input_norm: Tensor,
    /// The attention.
    pub attention: Attention,
    /// Norm before the feed-forward, `[hidden]`.
    pub post_norm: Tensor,
    /// The feed-forward.
    pub mlp: Mlp,
}

/// Causal attention with grouped queries.
#[derive(Debug, Clone)]
pub struct Attention {
    /// [heads · head_dim, hidden]
    pub q: Linear,
    /// [kv_heads · head_dim, hidden]
    pub k: Linear,
    /// [kv_heads · head_dim, hidden]
    pub v: Linear,
    /// [hidden, heads · head_dim]
    pub o: Linear,
    /// Norm of each head's queries, `[head_dim]`.
    pub q_norm: Option<Tensor>,
    /// Norm of each head's keys, `[head_dim]`.
    pub k_norm: Option<Tensor>,
}

/// The gated feed-forward.
#[derive(Debug, Clone)]
pub struct Mlp {
    /// [intermediate, hidden]
    pub gate: Linear,
    /// [intermediate, hidden]
    pub up: Linear,
    /// [hidden, intermediate]
    pub down: Linear,
}

/// What a forward pass is about, the same for all layers.
pub struct Pass<'a> {
    /// The decoder's shape.
    pub config: &'a Config,
    /// Cosines [positions, head_dim / 2] of the rotary angles.
    pub cos: Tensor,
    /// Their sines.
    pub sin: Tensor,
    /// How the batch's sequences lie in its tensors.
    pub sequences: &'a Sequences,
    /// What the pass is for.
    pub mode: &'a Mode,
}

/// The linear layers of a block, in the order of [`Block::linears`].
pub(super) const LINEARS: [&str; 7] = [
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
];

/// The norms of a block, in the order of [`Block::norms`].
const NORMS: [&str; 4] = ["input_layernorm", "post_attention_layernorm", "self_attn.q_norm", "self_attn.k_norm"];

impl Block {
    pub(super) fn linears(&self) -> [&Linear; 7] {
        let Self { attention, mlp, .. } = self;
        [&attention.q, &attention.k, &attention.v, &attention.o, &mlp.gate, &mlp.up, &mlp.down]
    }

    pub(super) fn linears_mut(&mut self) -> [&mut Linear; 7] {
        let Self { attention: Attention { q, k, v, o, .. }, mlp: Mlp { gate, up, down }, .. } = self;
        [q, k, v, o, gate, up, down]
    }

    /// The norms that there are, with their names.
    pub(super) fn norms(&self) -> Vec<(&'static str, &Tensor)> {
        let Attention { q_norm, k_norm, .. } = &self.attention;
        let all = [Some(&self.input_norm), Some(&self.post_norm), q_norm.as_ref(), k_norm.as_ref()];
        NORMS.into_iter().zip(all).filter_map(|(name, norm)| Some((name, norm?))).collect()
    }

    pub(super) fn norms_mut(&mut self) -> Vec<(&'static str, &mut Tensor)> {
        let Attention { q_norm, k_norm, .. } = &mut self.attention;
        let all = [Some(&mut self.input_norm), Some(&mut self.post_norm), q_norm.as_mut(), k_norm.as_mut()];
        NORMS.into_iter().zip(all).filter_map(|(name, norm)| Some((name, norm?))).collect()
    }

    /// Maps the residual stream `x` [b, t, hidden]. `cache` comes with the layer's index.
    pub fn forward(&self, x: &Tensor, pass: &Pass, cache: Option<(&mut Cache, usize)>) -> Result<Tensor> {
        let normed = kernels::rms_norm(x, &self.input_norm, pass.config.norm_eps)?;
        let x = kernels::add_residual(x, self.attention.forward(&normed, pass, cache)?)?;
        let normed = kernels::rms_norm(&x, &self.post_norm, pass.config.norm_eps)?;
        kernels::add_residual(&x, self.mlp.forward(&normed, pass.mode)?)
    }
}

impl Attention {
    fn forward(&self, x: &Tensor, pass: &Pass, cache: Option<(&mut Cache, usize)>) -> Result<Tensor> {
        let (b, t, _) = x.dims3()?;
        let Config { heads, kv_heads, head_dim, norm_eps, .. } = *pass.config;
        let project =
            |linear: &Linear, heads: usize| tape::reshape(&linear.forward(x, pass.mode)?, (b, t, heads, head_dim));
        let norm = |x: Tensor, weight: &Option<Tensor>| match weight {
            Some(weight) => kernels::rms_norm(&x, weight, norm_eps),
            None => Ok(x),
        };
        let rotate = |x: Tensor| {
            let rotated = kernels::rope(&x, &pass.cos, &pass.sin)?;
            kernels::release(x)?;
            candle_core::Result::Ok(rotated)
        };
        let q = rotate(norm(project(&self.q, heads)?, &self.q_norm)?)?;
        let k = rotate(norm(project(&self.k, kv_heads)?, &self.k_norm)?)?;
        let v = project(&self.v, kv_heads)?;
        let (k, v) = match cache {
            Some((cache, layer)) => {
                let Sequences::Padded(spans) = pass.sequences else { bail!("packed sequences have no cache") };
                let seen = cache.push(layer, &k, &v, spans)?;
                // At the start of a sequence the cache holds nothing else, and `k` and `v` are shorter.
                if spans.iter().all(|span| span.offset == 0) { (k, v) } else { seen }
            }
            None => (k, v),
        };
        let y = kernels::attention(&q, &k, &v, pass.sequences)?;
        self.o.forward(&tape::reshape(&y, (b, t, heads * head_dim))?, pass.mode)
    }
}

impl Mlp {
    fn forward(&self, x: &Tensor, mode: &Mode) -> Result<Tensor> {
        let gated = kernels::swiglu(&self.gate.forward(x, mode)?, &self.up.forward(x, mode)?)?;
        self.down.forward(&gated, mode)
    }
}
