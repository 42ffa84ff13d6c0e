//! The types that weights are stored in.

use candle_core::{DType, Tensor};
use safetensors::Dtype;

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
    pub fn of(dtype: Dtype) -> Self {
        match dtype {
            Dtype::BF16 => Self::Bf16,
            Dtype::F16 => Self::F16,
            _ => Self::F32,
        }
    }

    /// What `config.json` calls it.
    pub fn name(self) -> &'static str {
        self.facts().0
    }

    /// Bytes that a number takes.
    pub fn size(self) -> usize {
        self.facts().1.bitsize() / 8
    }

    /// What safetensors calls it.
    pub fn dtype(self) -> Dtype {
        self.facts().1
    }

    fn facts(self) -> (&'static str, Dtype) {
        match self {
            Self::F32 => ("float32", Dtype::F32),
            Self::Bf16 => ("bfloat16", Dtype::BF16),
            Self::F16 => ("float16", Dtype::F16),
        }
    }

    /// Returns the elements of a tensor, little-endian.
    pub fn bytes(self, tensor: &Tensor) -> candle_core::Result<Vec<u8>> {
        let values = tensor.flatten_all()?.to_dtype(DType::F32)?.to_vec1::<f32>()?;
        Ok(match self {
            Self::F32 => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::Bf16 => values.iter().flat_map(|value| half::bf16::from_f32(*value).to_le_bytes()).collect(),
            Self::F16 => values.iter().flat_map(|value| half::f16::from_f32(*value).to_le_bytes()).collect(),
        })
    }
}
