//! The whole decoder, its parameters under their names in transformers.

use super::block::{Attention, Block, LINEARS, Mlp, Pass};
use super::cache::Cache;
use super::rotary::Rotary;
use crate::families::Config;
use crate::linear::{Linear, Mode};
use candle_core::{DType, Device, Result as Computed, Tensor, bail};
use diapason_core::config::Compute;
use diapason_nn::kernels::{self, Weight};
use diapason_nn::layout::Sequences;

/// Where a decoder's parameters come from, named as in transformers. A function of name and shape is one.
pub trait Parameters {
    /// What can go wrong.
    type Error;

    /// The parameter `name` of this shape, in f32.
    fn tensor(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, Self::Error>;

    /// The weight `name` [out, in] of a linear layer of the blocks, which may be in fewer bits.
    fn linear(&mut self, name: &str, shape: [usize; 2]) -> Result<Weight, Self::Error> {
        self.tensor(name, &shape).map(Weight::from)
    }
}

impl<E, F: FnMut(&str, &[usize]) -> Result<Tensor, E>> Parameters for F {
    type Error = E;

    fn tensor(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, E> {
        self(name, shape)
    }
}

/// A decoder of the Llama family.
#[derive(Debug, Clone)]
pub struct Llama {
    config: Config,
    rotary: Rotary,
    /// What activations are computed in.
    compute: DType,
    /// [vocab, hidden]; also the output head where that is tied.
    pub embed: Tensor,
    /// The layers, first to last.
    pub layers: Vec<Block>,
    /// Norm after the last layer, `[hidden]`.
    pub norm: Tensor,
    /// The output head [vocab, hidden]; `None` where the embedding is it.
    pub lm_head: Option<Linear>,
}

impl Llama {
    /// Builds the decoder from its parameters.
    pub fn build<P: Parameters>(config: Config, mut parameters: P) -> Result<Self, P::Error> {
        let embed = parameters.tensor("model.embed_tokens.weight", &[config.vocab_size, config.hidden_size])?;
        let layers = (0..config.layers).map(|i| block(&config, i, &mut parameters)).collect::<Result<_, _>>()?;
        let norm = parameters.tensor("model.norm.weight", &[config.hidden_size])?;
        let shape = [config.vocab_size, config.hidden_size];
        let lm_head =
            if config.tied { None } else { Some(Linear::frozen(parameters.tensor("lm_head.weight", &shape)?, None)) };
        let compute = if embed.device().is_cuda() { DType::BF16 } else { DType::F32 };
        Ok(Self { rotary: Rotary::new(&config), compute, config, embed, layers, norm, lm_head })
    }

    /// What activations are computed in: f32 on the CPU, on a GPU bf16 unless [`Llama::set_compute`] says otherwise.
    pub fn compute(&self) -> DType {
        self.compute
    }

    /// Computes activations in what `compute` means here. The CPU has kernels for f32 only.
    pub fn set_compute(&mut self, compute: Compute) {
        self.compute = match compute {
            Compute::Auto | Compute::Bf16 if self.device().is_cuda() => DType::BF16,
            _ => DType::F32,
        };
    }

    /// The model's shape.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where the parameters live.
    pub fn device(&self) -> &Device {
        self.embed.device()
    }

    /// Returns room for the keys and values of `rows` sequences of up to `capacity` tokens, in the type of the activations.
    ///
    /// # Errors
    /// The device has too little memory.
    pub fn cache(&self, rows: usize, capacity: usize) -> Computed<Cache> {
        Cache::new(&self.config, rows, capacity, self.compute, self.device())
    }

    /// The last layer's normed output [b, t, hidden] for `ids` [b, t] (u32).
    ///
    /// A padded row's span says at which position its first token stands and how many tokens, cached ones included, are
    /// not padding. With a cache, keys and values are kept there, and those of earlier calls are seen.
    pub fn forward_hidden(
        &self,
        ids: &Tensor,
        sequences: &Sequences,
        mut cache: Option<&mut Cache>,
        mode: &Mode,
    ) -> Computed<Tensor> {
        let pass = self.pass(ids, sequences, mode)?;
        let mut x = self.embedded(ids, &pass)?;
        for (i, layer) in self.layers.iter().enumerate() {
            x = layer.forward(&x, &pass, cache.as_deref_mut().map(|cache| (cache, i)))?;
        }
        self.normed(&x)
    }

    /// What the layers of a forward pass have in common.
    pub fn pass<'a>(&'a self, ids: &Tensor, sequences: &'a Sequences, mode: &'a Mode) -> Computed<Pass<'a>> {
        let (cos, sin) = self.rotary.angles(sequences, ids.dim(1)?, ids.device())?;
        Ok(Pass { config: &self.config, cos, sin, sequences, mode })
    }

    /// The first layer's input [b, t, hidden].
    pub fn embedded(&self, ids: &Tensor, pass: &Pass) -> Computed<Tensor> {
        let (b, t) = ids.dims2()?;
        let x = self.embed.index_select(&ids.flatten_all()?, 0)?.reshape((b, t, self.config.hidden_size))?;
        match *pass.mode {
            Mode::Training { seed, neftune } if neftune > 0.0 => {
                (x + self.noise(pass, (b, t), seed, neftune, ids.device())?)?.to_dtype(self.compute)
            }
            _ => x.to_dtype(self.compute),
        }
    }

    /// NEFTune's noise: uniform in ±alpha / √(length of the sequence · hidden).
    fn noise(&self, pass: &Pass, (b, t): (usize, usize), seed: u64, alpha: f64, device: &Device) -> Computed<Tensor> {
        let hidden = self.config.hidden_size;
        let lengths: Vec<usize> = match pass.sequences {
            Sequences::Packed(lengths) => lengths.clone(),
            Sequences::Padded(spans) => spans.iter().map(|_| t).collect(),
        };
        let mut values = Vec::with_capacity(b * t * hidden);
        for n in lengths {
            let scale = alpha / ((n * hidden) as f64).sqrt();
            values.extend(kernels::noise(seed, values.len(), n * hidden, scale as f32));
        }
        Tensor::from_vec(values, (b, t, hidden), device)
    }

    /// The last layer's output [b, t, hidden], normed.
    pub fn normed(&self, x: &Tensor) -> Computed<Tensor> {
        kernels::rms_norm(x, &self.norm, self.config.norm_eps)
    }

    /// Logits [.., vocab], in f32, of `hidden` [.., hidden].
    pub fn logits(&self, hidden: &Tensor, mode: &Mode) -> Computed<Tensor> {
        let logits = match &self.lm_head {
            Some(head) => head.forward(hidden, mode),
            None => kernels::linear(hidden, &self.embed.clone().into(), None),
        };
        logits?.to_dtype(DType::F32)
    }

    /// The weight [vocab, hidden] that makes logits of hidden states.
    pub fn head_weight(&self) -> &Tensor {
        self.lm_head.as_ref().and_then(|head| head.weight().trainable()).unwrap_or(&self.embed)
    }

    /// Every linear layer of the blocks with its name (`model.layers.3.self_attn.q_proj`), and the output head's
    /// (`lm_head`) where it is a layer of its own.
    pub fn linears(&self) -> impl Iterator<Item = (String, &Linear)> {
        let blocks = self.layers.iter().enumerate().flat_map(|(i, layer)| named(i, layer.linears()));
        blocks.chain(self.lm_head.iter().map(|head| ("lm_head".to_owned(), head)))
    }

    /// Like [`Llama::linears`], to be changed.
    pub fn linears_mut(&mut self) -> impl Iterator<Item = (String, &mut Linear)> {
        let blocks = self.layers.iter_mut().enumerate().flat_map(|(i, layer)| named(i, layer.linears_mut()));
        blocks.chain(self.lm_head.iter_mut().map(|head| ("lm_head".to_owned(), head)))
    }

    /// Every parameter with its name, adapters left out.
    pub fn parameters(&self) -> Vec<(String, Weight)> {
        let whole =
            [("model.embed_tokens.weight".to_owned(), &self.embed), ("model.norm.weight".to_owned(), &self.norm)];
        let norms = self.layers.iter().enumerate().flat_map(|(i, layer)| {
            layer.norms().into_iter().map(move |(name, weight)| (format!("model.layers.{i}.{name}.weight"), weight))
        });
        let dense = whole.into_iter().chain(norms).map(|(name, tensor)| (name, Weight::from(tensor.clone())));
        let linears = self.linears().flat_map(|(name, linear)| {
            let bias = linear.bias().map(|bias| (format!("{name}.bias"), Weight::from(bias.clone())));
            std::iter::once((format!("{name}.weight"), linear.weight().clone())).chain(bias)
        });
        dense.chain(linears).collect()
    }

    /// Replaces every parameter, adapters left out, by what `replace` makes of it: by variables' tensors to train them.
    /// Shapes must stay.
    pub fn replace_parameters(&mut self, mut replace: impl FnMut(&str, &Tensor) -> Computed<Tensor>) -> Computed<()> {
        self.embed = replace("model.embed_tokens.weight", &self.embed)?;
        self.norm = replace("model.norm.weight", &self.norm)?;
        for (i, layer) in self.layers.iter_mut().enumerate() {
            for (name, weight) in layer.norms_mut() {
                *weight = replace(&format!("model.layers.{i}.{name}.weight"), weight)?;
            }
        }
        for (name, linear) in self.linears_mut() {
            let Some(weight) = linear.weight().trainable() else {
                bail!("`{name}.weight` is in fewer than 32 bits: it cannot be replaced")
            };
            let weight = replace(&format!("{name}.weight"), weight)?;
            let bias = linear.bias().map(|bias| replace(&format!("{name}.bias"), bias)).transpose()?;
            linear.set_parameters(weight, bias);
        }
        Ok(())
    }

    /// The parts that an adapter may carry whole: the embedding, and the output head where that is a layer of its own.
    pub fn modules(&self) -> impl Iterator<Item = (&'static str, &Tensor)> {
        let head = self.lm_head.iter().filter_map(|head| Some(("lm_head", head.weight().trainable()?)));
        std::iter::once(("model.embed_tokens", &self.embed)).chain(head)
    }

    /// Replaces a part that [`Llama::modules`] names; gives what was there, `None` if there is no such part.
    pub fn replace_module(&mut self, name: &str, weight: Tensor) -> Option<Tensor> {
        match name {
            "model.embed_tokens" => Some(std::mem::replace(&mut self.embed, weight)),
            "lm_head" => {
                let head = self.lm_head.as_mut()?;
                let before = head.weight().trainable().cloned();
                head.set_parameters(weight, None);
                before
            }
            _ => None,
        }
    }

    /// Whether the quantisation constants are quantised too, where linear layers are in 4 bits.
    pub fn quantised(&self) -> Option<bool> {
        self.linears().find_map(|(_, linear)| match linear.weight() {
            Weight::Nf4(weight) => Some(weight.is_double()),
            Weight::Dense(_) => None,
        })
    }

    /// The number of parameters, adapters left out.
    pub fn parameter_count(&self) -> u64 {
        self.parameters().iter().map(|(_, weight)| weight.elem_count() as u64).sum()
    }
}

fn named<L>(layer: usize, linears: [L; 7]) -> impl Iterator<Item = (String, L)> {
    LINEARS.into_iter().zip(linears).map(move |(name, linear)| (format!("model.layers.{layer}.{name}"), linear))
}

fn block<P: Parameters>(config: &Config, i: usize, parameters: &mut P) -> Result<Block, P::Error> {
    let &Config { hidden_size: hidden, intermediate_size: inner, heads, kv_heads, head_dim: d, .. } = config;
    let full = |name: &str| format!("model.layers.{i}.{name}");
    let mut named = |name: &str, shape: &[usize]| parameters.tensor(&full(name), shape);
    let input_norm = named("input_layernorm.weight", &[hidden])?;
    let post_norm = named("post_attention_layernorm.weight", &[hidden])?;
    let qk_norm = config.qk_norm();
    let mut head_norm = |name: &str| qk_norm.then(|| named(name, &[d])).transpose();
    let (q_norm, k_norm) = (head_norm("self_attn.q_norm.weight")?, head_norm("self_attn.k_norm.weight")?);
    let mut linear = |name: &str, out: usize, input: usize, bias: bool| -> Result<Linear, P::Error> {
        let weight = parameters.linear(&full(&format!("{name}.weight")), [out, input])?;
        let bias = bias.then(|| parameters.tensor(&full(&format!("{name}.bias")), &[out])).transpose()?;
        Ok(Linear::frozen(weight, bias))
    };
    let [q, k, v, o, gate, up, down] = LINEARS;
    let (qkv_bias, mlp_bias) = (config.qkv_bias, config.mlp_bias);
    let attention = Attention {
        q: linear(q, heads * d, hidden, qkv_bias)?,
        k: linear(k, kv_heads * d, hidden, qkv_bias)?,
        v: linear(v, kv_heads * d, hidden, qkv_bias)?,
        o: linear(o, hidden, heads * d, config.output_bias)?,
        q_norm,
        k_norm,
    };
    let mlp = Mlp {
        gate: linear(gate, inner, hidden, mlp_bias)?,
        up: linear(up, inner, hidden, mlp_bias)?,
        down: linear(down, hidden, inner, mlp_bias)?,
    };
    Ok(Block { input_norm, attention, post_norm, mlp })
}
