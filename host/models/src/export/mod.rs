//! Writing GGUF files, in the layout of llama.cpp's converter (`convert_hf_to_gguf.py`).

mod keys;
mod tokenizer;
mod vocabulary;

pub use tokenizer::Differences;

use crate::families::{Architecture, Config, Scaling};
use crate::formats::gguf::{interleaved_heads, own_name};
use crate::linear::Linear;
use crate::model::Model;
use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use diapason_core::{Error, Result};
use diapason_disk::files;
use std::collections::HashMap;
use std::io::BufWriter;
use std::path::Path;

/// How the weights of a GGUF file are kept; norms and biases are always in 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GgufType {
    /// 16 bits.
    F16,
    /// 8.5 bits: blocks of 32 with a common factor.
    Q8_0,
    /// 4.5 bits: blocks of 32 with a common factor.
    Q4_0,
}

impl GgufType {
    fn ggml(self) -> GgmlDType {
        match self {
            Self::F16 => GgmlDType::F16,
            Self::Q8_0 => GgmlDType::Q8_0,
            Self::Q4_0 => GgmlDType::Q4_0,
        }
    }

    /// llama.cpp's number for a file of mostly this type (`llama_ftype`).
    fn file_type(self) -> u32 {
        match self {
            Self::F16 => 1,
            Self::Q4_0 => 2,
            Self::Q8_0 => 7,
        }
    }
}

/// How a GGUF file differs from the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The names of the tensors that are in 16 bits although a smaller type was asked for: their rows are no multiple of 32.
    pub wide: Vec<String>,
    /// What llama.cpp does otherwise.
    pub differences: Differences,
}

/// Writes `model`, its adapter merged into the weights, to the file `out`.
///
/// # Errors
/// The model or its tokenizer has no form in GGUF that llama.cpp reads as the same, or the file cannot be written.
pub fn export(model: &Model, out: &Path, kind: GgufType) -> Result<Exported> {
    let config = model.llama().config();
    refuse_left_out(config)?;
    let fail = |source: candle_core::Error| {
        Error::data(format!("failed to write {}", out.display()))
            .because(source)
            .hint("try another `--type`, or `diapason merge`, which writes a folder")
    };
    let mut tensors = tensors(model, kind).map_err(fail)?;
    if let Some(divisors) = config.scaling.divisors(config.rope_theta, config.head_dim) {
        tensors.push(("rope_freqs.weight".into(), rope_factors(divisors).map_err(fail)?));
    }
    let mut metadata = metadata(config, kind);
    metadata.extend(rope_metadata(config)?);
    let tokenizer = tokenizer::metadata(model)?;
    metadata.extend(tokenizer.metadata);
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(name, value)| (name.as_str(), value)).collect();
    let written: Vec<(&str, &QTensor)> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    files::write_with(out, |file| {
        gguf_file::write(&mut BufWriter::with_capacity(1 << 20, file), &metadata, &written)
            .map_err(std::io::Error::other)
    })?;
    let wide = |tensor: &QTensor| kind != GgufType::F16 && tensor.dtype() == GgmlDType::F16;
    let wide = tensors.iter().filter(|(_, tensor)| wide(tensor)).map(|(name, _)| name.clone()).collect();
    Ok(Exported { wide, differences: tokenizer.differences })
}

fn tensors(model: &Model, kind: GgufType) -> candle_core::Result<Vec<(String, QTensor)>> {
    let (llama, config) = (model.llama(), model.llama().config());
    let layers: HashMap<String, &Linear> =
        llama.linears().map(|(name, layer)| (format!("{name}.weight"), layer)).collect();
    let mut tensors = Vec::new();
    for (name, weight) in llama.parameters() {
        // Every parameter of the family has a name in GGUF.
        let Some(own) = own_name(&name) else { candle_core::bail!("`{name}` has no name in GGUF") };
        let dense = match layers.get(&name) {
            Some(layer) => layer.merged()?,
            None => weight.to_f32()?,
        };
        let dense = match interleaved_heads(config, &name) {
            Some(heads) => interleaved_order(&dense, heads)?,
            None => dense,
        };
        let dtype = match dense.dims() {
            [_] => GgmlDType::F32,
            [.., row] if row % kind.ggml().block_size() == 0 => kind.ggml(),
            _ => GgmlDType::F16,
        };
        refuse_too_large(&name, &dense, dtype)?;
        tensors.push((own, QTensor::quantize(&dense.detach().to_device(&Device::Cpu)?, dtype)?));
    }
    Ok(tensors)
}

/// Refuses values that the type would make infinite: blocks have a factor in 16 bits.
fn refuse_too_large(name: &str, dense: &Tensor, dtype: GgmlDType) -> candle_core::Result<()> {
    let largest = dense.detach().abs()?.max_all()?.to_scalar::<f32>()?;
    let limit = match dtype {
        GgmlDType::F16 => 65504.0,
        GgmlDType::Q8_0 => 65504.0 * 127.0,
        GgmlDType::Q4_0 => 65504.0 * 8.0,
        _ => f32::MAX,
    };
    if largest <= limit {
        return Ok(());
    }
    let what = format!("`{name}` has the value {largest}, and {dtype:?} holds {limit} at most");
    Err(candle_core::Error::Msg(what))
}

/// Rows of each head from halves (0, 1, …, d/2, d/2 + 1, …) to pairs (0, d/2, 1, d/2 + 1, …), as llama.cpp rotates them.
fn interleaved_order(tensor: &Tensor, heads: usize) -> candle_core::Result<Tensor> {
    let rows = tensor.dim(0)?;
    let halves = tensor.reshape((heads, 2, rows / heads / 2, tensor.elem_count() / rows))?;
    halves.transpose(1, 2)?.contiguous()?.reshape(tensor.shape())
}

/// What each rotary frequency is divided by.
fn rope_factors(divisors: Vec<f32>) -> candle_core::Result<QTensor> {
    QTensor::quantize(&Tensor::new(divisors, &Device::Cpu)?, GgmlDType::F32)
}

fn metadata(config: &Config, kind: GgufType) -> Vec<(String, Value)> {
    let architecture = match config.architecture {
        Architecture::Llama | Architecture::Mistral => "llama",
        other => other.model_type(),
    };
    let count = |value: usize| Value::U32(value as u32);
    let own = [
        ("context_length", count(config.max_positions)),
        ("embedding_length", count(config.hidden_size)),
        ("block_count", count(config.layers)),
        ("feed_forward_length", count(config.intermediate_size)),
        ("attention.head_count", count(config.heads)),
        ("attention.head_count_kv", count(config.kv_heads)),
        ("attention.layer_norm_rms_epsilon", Value::F32(config.norm_eps as f32)),
        ("attention.key_length", count(config.head_dim)),
        ("attention.value_length", count(config.head_dim)),
        ("rope.freq_base", Value::F32(config.rope_theta as f32)),
        ("rope.dimension_count", count(config.head_dim)),
        ("vocab_size", count(config.vocab_size)),
    ];
    let mut metadata = vec![
        ("general.architecture".to_owned(), Value::String(architecture.into())),
        ("general.type".to_owned(), Value::String("model".into())),
        ("general.file_type".to_owned(), Value::U32(kind.file_type())),
        ("general.quantization_version".to_owned(), Value::U32(2)),
    ];
    metadata.extend(own.into_iter().map(|(name, value)| (format!("{architecture}.{name}"), value)));
    metadata
}

/// Refuses what llama.cpp leaves out without a word.
fn refuse_left_out(config: &Config) -> Result<()> {
    let refuse = |what: String| {
        Err(Error::data(format!("the model has {what}, which llama.cpp leaves out in models of this architecture"))
            .hint("`diapason merge` writes a folder, which vLLM and transformers read whole"))
    };
    if let Some(window) = config.sliding_window.filter(|window| *window < config.max_positions) {
        return refuse(format!("a sliding window of {window} tokens for {} positions", config.max_positions));
    }
    match config.architecture {
        Architecture::Llama | Architecture::Mistral => Ok(()),
        Architecture::Qwen2 | Architecture::Qwen3 if config.mlp_bias => refuse("biases in its feed-forward".into()),
        Architecture::Qwen2 | Architecture::Qwen3 if config.output_bias => refuse("a bias behind its attention".into()),
        Architecture::Qwen2 | Architecture::Qwen3 => Ok(()),
    }
}

/// The scaling of the rotary embedding beyond `rope_freqs.weight`. YaRN's usual attention factor is llama.cpp's own; the file
/// has what it is multiplied by.
fn rope_metadata(config: &Config) -> Result<Vec<(String, Value)>> {
    let architecture = match config.architecture {
        Architecture::Llama | Architecture::Mistral => "llama",
        other => other.model_type(),
    };
    let key = |name: &str| format!("{architecture}.rope.scaling.{name}");
    let typed = |kind: &str, factor: f64| {
        vec![(key("type"), Value::String(kind.into())), (key("factor"), Value::F32(factor as f32))]
    };
    match config.scaling {
        Scaling::None | Scaling::Llama3 { .. } => Ok(Vec::new()),
        Scaling::LongRope { .. } if config.scaling.divisors(config.rope_theta, config.head_dim).is_some() => {
            Ok(Vec::new())
        }
        Scaling::Linear { factor } => Ok(typed("linear", factor)),
        Scaling::Yarn { factor, attention_factor, beta_fast, beta_slow, truncate: true, original_context }
            if (beta_fast, beta_slow) == (32.0, 1.0) =>
        {
            let attention = attention_factor / Scaling::yarn_attention(factor, 1.0);
            let mut metadata = typed("yarn", factor);
            metadata.push((key("original_context_length"), Value::U32(original_context as u32)));
            metadata.push((key("attn_factor"), Value::F32(attention as f32)));
            Ok(metadata)
        }
        _ => Err(Error::data(format!(
            "the rope scaling `{}` of this model has no form in GGUF",
            config.scaling.name()
        ))
        .hint("exported: default, linear, llama3, yarn with its usual bounds, and longrope with one list of factors")),
    }
}
