//! Stands where `cuda/` stands in a build with the feature `cuda`. No tensor is on a GPU here, so nothing of it is called.

use super::description::{CrossEntropy, Heads, Lora, Parameter};
use super::weight::Weight;
use crate::layout::Row;
use candle_core::{CudaStorage, Layout, Result, Shape, Tensor, bail};

type Operand<'a> = (&'a CudaStorage, &'a Layout);
type Output = Result<(CudaStorage, Shape)>;
type Pair = (Option<Tensor>, Option<Tensor>);
type Two = Result<Pair>;
type Three = Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)>;

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
        forward((Heads, &[Row]), Operand, Operand, Operand) -> Result<(CudaStorage, Tensor)>;
        backward((Heads, &[Row]), [&Tensor; 3], [&Tensor; 3]) -> Three;
    }
    cross_entropy {
        forward(&CrossEntropy, Operand, Operand) -> Result<(CudaStorage, Pair)>;
    }
    linear {
        forward(Operand, Operand, Shape) -> Output;
        backward(&Tensor, &Tensor, &Tensor) -> Two;
        frozen_forward(Operand, &Weight, Shape) -> Output;
        frozen_backward(&Tensor, &Weight, &Tensor) -> Result<Tensor>;
    }
    lora {
        forward(&Lora, Operand, Operand, Operand) -> Result<(CudaStorage, Tensor)>;
        backward(&Lora, [&Tensor; 3], &Tensor, &Tensor) -> Three;
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
        row_norms(&Weight, &Tensor, &Tensor, f32) -> Result<Vec<f32>>;
    }
}
