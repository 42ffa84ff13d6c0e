//! Writing weights as safetensors.

use candle_core::{DType, Tensor};
use diapason_core::{Error, Result, files};
use safetensors::{Dtype, View};
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

/// Writes named tensors into one safetensors file, sorted by name, as f32 or bf16, whichever they are; other types
/// become f32.
pub fn save(path: &Path, tensors: &[(String, Tensor)]) -> Result<()> {
    let fail = |source: candle_core::Error| Error::run(format!("failed to gather {}", path.display())).because(source);
    let views = tensors.iter().map(|(name, tensor)| Ok((name.as_str(), Bytes::of(tensor)?)));
    let views = views.collect::<candle_core::Result<Vec<_>>>().map_err(fail)?;
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let bytes = safetensors::serialize(views, Some(metadata))
        .map_err(|source| Error::run(format!("failed to encode {}", path.display())).because(source))?;
    files::write(path, &bytes)
}

struct Bytes {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Bytes {
    fn of(tensor: &Tensor) -> candle_core::Result<Self> {
        let flat = tensor.flatten_all()?;
        let (dtype, bytes) = match tensor.dtype() {
            DType::BF16 => {
                let values = flat.to_vec1::<half::bf16>()?;
                (Dtype::BF16, values.iter().flat_map(|value| value.to_le_bytes()).collect())
            }
            _ => {
                let values = flat.to_dtype(DType::F32)?.to_vec1::<f32>()?;
                (Dtype::F32, values.iter().flat_map(|value| value.to_le_bytes()).collect())
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
