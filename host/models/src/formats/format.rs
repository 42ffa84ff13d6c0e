//! In how many bits frozen weights are kept.

use candle_core::{DType, Result, Tensor};
use diapason_core::config::{Compute, Method, Model, Precision, Train};
use diapason_nn::SaveType;
use diapason_nn::kernels::Weight;
use diapason_nn::quant::Nf4;

/// How the weights of the blocks' linear layers are kept. Embedding, output head, norms and biases are in f32.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// 32 bits.
    #[default]
    F32,
    /// 16 bits with the range of f32.
    Bf16,
    /// 4 bits and a little: see [`Nf4`].
    Nf4 {
        /// Whether the quantisation constants are quantised too.
        double: bool,
    },
}

impl Format {
    /// What a training run asks for; `gpu` says whether it runs on one.
    pub fn of_run(train: &Train, gpu: bool) -> Self {
        match (train.method, train.compute) {
            (Method::Qlora, _) => Self::Nf4 { double: train.double_quantization },
            (Method::Lora, Compute::Bf16) => Self::Bf16,
            (Method::Lora, Compute::Auto) => Self::of_use(gpu),
            _ => Self::F32,
        }
    }

    /// What a model answers in; `gpu` says whether it runs on one.
    pub fn of_model(model: &Model, gpu: bool) -> Self {
        match model.precision {
            Precision::Auto => Self::of_use(gpu),
            Precision::F32 => Self::F32,
            Precision::Bf16 => Self::Bf16,
            Precision::Nf4 => Self::Nf4 { double: true },
        }
    }

    /// What a model is used in that nobody trains: 16 bits on a GPU, 32 on the CPU.
    pub fn of_use(gpu: bool) -> Self {
        if gpu { Self::Bf16 } else { Self::F32 }
    }

    /// The weight [out, in], which was stored as numbers of type `dtype`, in this format.
    pub(crate) fn of(self, weight: Tensor, dtype: SaveType) -> Result<Weight> {
        match self {
            Self::F32 => Ok(weight.into()),
            Self::Bf16 => Ok(weight.to_dtype(DType::BF16)?.into()),
            Self::Nf4 { double } => {
                let shape = weight.dims2()?;
                let values = weight.flatten_all()?.to_vec1::<f32>()?;
                Ok(Nf4::quantize(&values, shape.into(), dtype, double).into())
            }
        }
    }
}
