//! Writing weights as safetensors.

use crate::kernels::Weight;
use crate::quant::{self, Nf4, Part};
use candle_core::{DType, Tensor};
use diapason_core::{Error, Result, files};
use safetensors::{Dtype, View};
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

/// The number format of saved weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveType {
    /// 32 bits: nothing is lost.
    F32,
    /// 16 bits with the range of f32 and 8 bits of precision.
    Bf16,
    /// 16 bits with 11 bits of precision, up to 65,504.
    F16,
}

impl SaveType {
    /// The type that keeps numbers of a file's type as they are; f32 for those that it does not know.
    pub(super) fn of(dtype: Dtype) -> Self {
        match dtype {
            Dtype::BF16 => Self::Bf16,
            Dtype::F16 => Self::F16,
            _ => Self::F32,
        }
    }

    /// What `config.json` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::Bf16 => "bfloat16",
            Self::F16 => "float16",
        }
    }
}

/// Writes named weights into one safetensors file, sorted by name; those in 4 bits as bitsandbytes does, the others as
/// numbers of type `dtype`.
pub fn save(path: &Path, weights: &[(String, Weight)], dtype: SaveType) -> Result<()> {
    let fail = |source: candle_core::Error| Error::run(format!("failed to gather {}", path.display())).because(source);
    let mut views = Vec::with_capacity(weights.len());
    for (name, weight) in weights {
        match weight {
            Weight::Dense(tensor) => views.push((name.clone(), Bytes::of(tensor, dtype).map_err(fail)?)),
            Weight::Nf4(weight) => views.extend(quantised(name, weight)),
        }
    }
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    files::write(path, &encode(views.into_iter(), metadata)?)
}

fn quantised(name: &str, weight: &Nf4) -> impl Iterator<Item = (String, Bytes)> {
    let bytes = |Part { dtype, shape, bytes, .. }| Bytes { dtype, shape, bytes };
    quant::parts(weight).into_iter().map(move |part| (format!("{name}{}", part.suffix), bytes(part)))
}

/// A safetensors file of tensors given as name, type, shape and little-endian elements.
pub fn save_bytes(
    tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)>,
    metadata: HashMap<String, String>,
) -> Result<Vec<u8>> {
    let views = tensors.into_iter().map(|(name, dtype, shape, bytes)| (name, Bytes { dtype, shape, bytes }));
    encode(views, metadata)
}

fn encode(views: impl Iterator<Item = (String, Bytes)>, metadata: HashMap<String, String>) -> Result<Vec<u8>> {
    safetensors::serialize(views, Some(metadata))
        .map_err(|source| Error::run("failed to encode weights").because(source))
}

struct Bytes {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Bytes {
    fn of(tensor: &Tensor, dtype: SaveType) -> candle_core::Result<Self> {
        let values = tensor.flatten_all()?.to_dtype(DType::F32)?.to_vec1::<f32>()?;
        let (dtype, bytes) = match dtype {
            SaveType::F32 => (Dtype::F32, values.iter().flat_map(|value| value.to_le_bytes()).collect()),
            SaveType::Bf16 => {
                (Dtype::BF16, values.iter().flat_map(|value| half::bf16::from_f32(*value).to_le_bytes()).collect())
            }
            SaveType::F16 => {
                (Dtype::F16, values.iter().flat_map(|value| half::f16::from_f32(*value).to_le_bytes()).collect())
            }
        };
        Ok(Self { dtype, shape: tensor.dims().to_vec(), bytes })
    }
}

impl View for Bytes {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}
