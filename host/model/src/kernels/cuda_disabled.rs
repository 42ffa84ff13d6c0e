//! Stands where `cuda/` stands in a build with the feature `cuda`. No tensor is on a GPU here, so nothing of it is called.

use crate::loss::{CrossEntropy, Gradients};
use crate::optim::moments::Update;
use crate::optim::resident::State;
use candle_core::{CudaStorage, Layout, Result, Shape, Tensor, bail};

type Operand<'a> = (&'a CudaStorage, &'a Layout);
type Output = Result<(CudaStorage, Shape)>;
type Two = Result<(Option<Tensor>, Option<Tensor>)>;
type Three = Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)>;

/// A parameter, its averages, its gradient and its update.
pub(crate) type Parameter<'a> = (&'a Tensor, &'a State, &'a Tensor, Update);

macro_rules! absent {
    ($($module:ident { $($function:ident($($argument:ty),*) -> $result:ty;)* })*) => {
        $(pub(crate) mod $module {
            #[allow(unused_imports)]
            use super::*;

            $(pub(crate) fn $function($(_: $argument),*) -> $result {
                bail!("this build of Diapason has no CUDA")
            })*
        })*
    };
}

absent! {
    attention {
        forward(&super::super::attention::Attention, Operand, Operand, Operand) -> Result<(CudaStorage, Tensor)>;
        backward(&super::super::attention::Attention, [&Tensor; 3], [&Tensor; 3]) -> Three;
    }
    cross_entropy {
        forward(&CrossEntropy, Operand, Operand) -> Result<(CudaStorage, Gradients)>;
    }
    linear {
        forward(Operand, Operand, Shape) -> Output;
        backward(&Tensor, &Tensor, &Tensor) -> Two;
        frozen_forward(Operand, &super::super::Weight, Shape) -> Output;
        frozen_backward(&Tensor, &super::super::Weight, &Tensor) -> Result<Tensor>;
    }
    lora {
        forward(&super::super::lora::Lora, Operand, Operand, Operand) -> Result<(CudaStorage, Tensor)>;
        backward(&super::super::lora::Lora, [&Tensor; 3], &Tensor, &Tensor) -> Three;
    }
    optim {
        adamw(&[Parameter]) -> Result<()>;
        global_norm(&[Tensor]) -> Result<f64>;
    }
    rms_norm {
        forward(Operand, Operand, f32) -> Output;
        backward(&Tensor, &Tensor, &Tensor, f32) -> Two;
    }
    rope {
        rotate(Operand, &Tensor, &Tensor, f32) -> Output;
    }
    swiglu {
        forward(Operand, Operand) -> Output;
        backward(&Tensor, &Tensor, &Tensor) -> Two;
    }
    weight {
        row_norms(&super::super::Weight, &Tensor, &Tensor, f32) -> Result<Vec<f32>>;
    }
}

pub(crate) mod nf4 {
    /// A weight's place on a GPU: there is none.
    #[derive(Debug, Default, Clone, PartialEq)]
    pub(crate) struct Resident(());
}
