//! GGUF files: weights, shape, tokenizer and chat template in one
//! (<https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>).

use super::gguf_header::survey;
use super::{Format, check_shape, map, missing, unused};
use crate::families::{Architecture, Config};
use candle_core::quantized::gguf_file::{Content, TensorInfo, Value};
use candle_core::{Device, Tensor};
use diapason_core::{Error, Result, digest};
use diapason_nn::SaveType;
use diapason_nn::kernels::Weight;
use memmap2::Mmap;
use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// A GGUF file.
#[derive(Debug)]
pub struct Gguf {
    path: PathBuf,
    bytes: Mmap,
    content: Content,
}

impl Gguf {
    /// Opens a file and reads its metadata.
    ///
    /// # Errors
    /// The file is missing, truncated, or not in GGUF format.
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = map(path)?;
        survey(path, &bytes)?;
        let content = Content::read(&mut Cursor::new(&bytes[..])).map_err(|source| {
            Error::data(format!("failed to read {}", path.display()))
                .because(plain(source))
                .hint("the file is damaged; fetch it again")
        })?;
        let gguf = Self { path: path.to_owned(), bytes, content };
        gguf.check_sizes()?;
        Ok(gguf)
    }

    /// Refuses tensors that have more elements than the file can hold, and those that do not lie one behind the other, as
    /// the format wants it: their offsets are damaged. Small files of many bytes are read, but no size of a tensor is
    /// believed that its bytes are not there for.
    fn check_sizes(&self) -> Result<()> {
        let mut places = Vec::new();
        for (name, info) in &self.content.tensor_infos {
            let elements = info.shape.dims().iter().try_fold(1_usize, |all, size| all.checked_mul(*size));
            let (block, size) = (info.ggml_dtype.block_size(), info.ggml_dtype.type_size());
            let bytes = elements.and_then(|elements| (elements / block).checked_mul(size)).map(|bytes| bytes as u64);
            let end = bytes.and_then(|bytes| info.offset.checked_add(bytes));
            let last = end.and_then(|end| self.content.tensor_data_offset.checked_add(end));
            let Some(end) = end.filter(|_| last.is_some_and(|last| last <= self.bytes.len() as u64)) else {
                let message =
                    format!("tensor `{name}` of shape {:?} ends behind {}", info.shape.dims(), self.path.display());
                return Err(Error::data(message).hint("the file is truncated or damaged; fetch it again"));
            };
            places.push((info.offset, end, name));
        }
        places.sort_unstable();
        let (alignment, mut expected) = (self.integer("general.alignment").unwrap_or(32).max(1), 0);
        for (offset, end, name) in places {
            if offset != expected {
                let message =
                    format!("tensor `{name}` in {} begins at {offset}, expected {expected}", self.path.display());
                return Err(Error::data(message).hint("the file is damaged; fetch it again"));
            }
            expected = end.next_multiple_of(alignment);
        }
        Ok(())
    }

    /// The SHA-256 of the file.
    pub fn digest(&self) -> String {
        digest::of_bytes(&self.bytes)
    }

    /// The path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The names of all metadata.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.content.metadata.keys().map(String::as_str)
    }

    /// Whether there is a tensor of this name in GGUF.
    pub(crate) fn has(&self, tensor: &str) -> bool {
        self.content.tensor_infos.contains_key(tensor)
    }

    /// The rows of a tensor.
    pub(crate) fn rows(&self, tensor: &str) -> Result<usize> {
        let info = self.content.tensor_infos.get(tensor);
        let rows = info.and_then(|info| info.shape.dims().first().copied());
        rows.ok_or_else(|| {
            Error::data(format!("{} has no tensor `{tensor}`", self.path.display()))
                .hint("the file is incomplete, or no language model")
        })
    }

    /// The elements of a tensor, by its name in GGUF.
    pub(crate) fn plain(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let info = self.content.tensor_infos.get(name).ok_or_else(|| missing(&self.path, name, shape))?;
        check_shape(&self.path, name, shape, info.shape.dims())?;
        let start = self.content.tensor_data_offset;
        let tensor = info.read(&mut Cursor::new(&self.bytes[..]), start, &Device::Cpu);
        let values = tensor.and_then(|tensor| tensor.dequantize(&Device::Cpu)?.flatten_all()?.to_vec1::<f32>());
        values.map_err(|source| self.damaged(name, source))
    }

    /// Refuses tensors that are no part of the model with the parameters `known` (transformers' names), as llama.cpp does
    /// (`done_getting_tensors`).
    ///
    /// # Errors
    /// There is such a tensor.
    pub fn refuse_unused(&self, known: &BTreeSet<String>) -> Result<()> {
        let mut own: BTreeSet<String> = known.iter().filter_map(|name| own_name(name)).collect();
        own.insert("rope_freqs.weight".to_owned());
        let all: BTreeSet<&str> = self.content.tensor_infos.keys().map(String::as_str).collect();
        let names: Vec<&str> = all.into_iter().filter(|name| !own.contains(*name)).collect();
        if names.is_empty() { Ok(()) } else { Err(unused(&self.path, &names)) }
    }

    /// The tensor that transformers calls `name`, dequantised.
    ///
    /// # Errors
    /// It is missing, has another shape, or the file ends before it does.
    pub fn parameter(&self, config: &Config, name: &str, shape: &[usize], device: &Device) -> Result<Tensor> {
        let (own, info) = self.check(name, shape)?;
        let read = || -> candle_core::Result<Tensor> {
            let start = self.content.tensor_data_offset;
            let tensor = info.read(&mut Cursor::new(&self.bytes[..]), start, &Device::Cpu)?;
            let tensor = tensor.dequantize(&Device::Cpu)?;
            match interleaved_heads(config, name) {
                Some(heads) => rotate_half_order(&tensor, heads)?.to_device(device),
                None => tensor.to_device(device),
            }
        };
        read().map_err(|source| self.damaged(&own, source))
    }

    /// The file's own name and entry of the tensor that transformers calls `name`, which must have this shape.
    pub(crate) fn check(&self, name: &str, shape: &[usize]) -> Result<(String, &TensorInfo)> {
        let own = own_name(name).ok_or_else(|| missing(&self.path, name, shape))?;
        let info = self.content.tensor_infos.get(&own).ok_or_else(|| missing(&self.path, &own, shape))?;
        check_shape(&self.path, &own, shape, info.shape.dims())?;
        Ok((own, info))
    }

    /// The weight `name` [out, in] of a linear layer in the given format; see [`Gguf::parameter`].
    pub fn weight(
        &self,
        config: &Config,
        name: &str,
        shape: [usize; 2],
        format: Format,
        device: &Device,
    ) -> Result<Weight> {
        let dense = self.parameter(config, name, &shape, device)?;
        format.of(dense, SaveType::F32).map_err(|source| self.damaged(name, source))
    }

    fn damaged(&self, tensor: &str, source: candle_core::Error) -> Error {
        Error::data(format!("failed to read tensor `{tensor}` in {}", self.path.display()))
            .because(plain(source))
            .hint("the file is truncated or damaged; fetch it again and compare its size")
    }
    /// A metadata value.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.content.metadata.get(key)
    }

    /// A metadata value that must be a string.
    pub fn text(&self, key: &str) -> Result<&str> {
        match self.value(key) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(Error::data(format!("{} has no text `{key}` in its metadata", self.path.display()))),
        }
    }

    /// A metadata value that must be an integer.
    pub fn integer(&self, key: &str) -> Option<u64> {
        match self.value(key)? {
            Value::I8(value) => u64::try_from(*value).ok(),
            Value::I16(value) => u64::try_from(*value).ok(),
            Value::I32(value) => u64::try_from(*value).ok(),
            Value::I64(value) => u64::try_from(*value).ok(),
            value => value.to_u64().ok(),
        }
    }

    /// An array of metadata that must hold strings.
    pub fn texts(&self, key: &str) -> Result<Vec<&str>> {
        let wrong = || Error::data(format!("{} has no list of texts `{key}` in its metadata", self.path.display()));
        let Some(Value::Array(values)) = self.value(key) else { return Err(wrong()) };
        values.iter().map(|value| value.to_string().map(String::as_str)).collect::<Result<_, _>>().map_err(|_| wrong())
    }
}

/// An error without the backtrace that candle puts into its text.
fn plain(error: candle_core::Error) -> candle_core::Error {
    match error {
        candle_core::Error::WithBacktrace { inner, .. } => plain(*inner),
        other => other,
    }
}

/// The name in GGUF of a parameter of transformers.
pub(crate) fn own_name(name: &str) -> Option<String> {
    match name {
        "model.embed_tokens.weight" => return Some("token_embd.weight".to_owned()),
        "model.norm.weight" => return Some("output_norm.weight".to_owned()),
        "lm_head.weight" => return Some("output.weight".to_owned()),
        _ => {}
    }
    let (layer, rest) = name.strip_prefix("model.layers.")?.split_once('.')?;
    let (module, kind) = rest.rsplit_once('.')?;
    let module = match module {
        "input_layernorm" => "attn_norm",
        "post_attention_layernorm" => "ffn_norm",
        "self_attn.q_proj" => "attn_q",
        "self_attn.k_proj" => "attn_k",
        "self_attn.v_proj" => "attn_v",
        "self_attn.o_proj" => "attn_output",
        "self_attn.q_norm" => "attn_q_norm",
        "self_attn.k_norm" => "attn_k_norm",
        "mlp.gate_proj" => "ffn_gate",
        "mlp.up_proj" => "ffn_up",
        "mlp.down_proj" => "ffn_down",
        _ => return None,
    };
    Some(format!("blk.{layer}.{module}.{kind}"))
}

/// The number of heads of a projection that llama.cpp stores in the order of its own rotary embedding; it does so for
/// the architecture it calls llama only.
pub(crate) fn interleaved_heads(config: &Config, name: &str) -> Option<usize> {
    match (config.architecture, name.rsplit_once('.')?.0) {
        (Architecture::Llama | Architecture::Mistral, name) if name.ends_with("q_proj") => Some(config.heads),
        (Architecture::Llama | Architecture::Mistral, name) if name.ends_with("k_proj") => Some(config.kv_heads),
        _ => None,
    }
}

/// Rows of each head from pairs (0, d/2, 1, d/2 + 1, …) back to halves (0, 1, …, d/2, d/2 + 1, …).
fn rotate_half_order(tensor: &Tensor, heads: usize) -> candle_core::Result<Tensor> {
    let rows = tensor.dim(0)?;
    let pairs = tensor.reshape((heads, rows / heads / 2, 2, tensor.elem_count() / rows))?;
    pairs.transpose(1, 2)?.contiguous()?.reshape(tensor.shape())
}
