//! Moving averages in a GPU's memory.

use candle_core::{DType, Result, Tensor, Var, bail};

/// AdamW's two averages of one variable in 32 bits, beside the variable, from the first step on.
#[derive(Debug)]
pub(super) struct Resident {
    var: Var,
    eight: bool,
    tensors: Option<[Tensor; 2]>,
}

impl Resident {
    /// `eight` asks for 8 bits, which no kernel has yet: the first step says so.
    pub(super) fn new(var: &Var, eight: bool) -> Self {
        Self { var: var.clone(), eight, tensors: None }
    }

    /// Both averages, for a kernel to change.
    pub(super) fn tensors(&mut self) -> Result<[Tensor; 2]> {
        if self.eight {
            bail!("AdamW in 8 bits runs on the CPU only: on a GPU choose the optimizer `adamw`");
        }
        match &self.tensors {
            Some(tensors) => Ok(tensors.clone()),
            None => {
                let zeros = || Tensor::zeros(self.var.shape(), DType::F32, self.var.device());
                Ok(self.tensors.insert([zeros()?, zeros()?]).clone())
            }
        }
    }

    /// Numbers of each average.
    pub(super) fn len(&self) -> usize {
        self.var.elem_count()
    }

    pub(super) fn download(&self) -> Result<[Vec<f32>; 2]> {
        match &self.tensors {
            None => Ok([(); 2].map(|()| vec![0.0; self.len()])),
            Some([first, second]) => Ok([first.flatten_all()?.to_vec1()?, second.flatten_all()?.to_vec1()?]),
        }
    }

    pub(super) fn upload(&mut self, [first, second]: [Vec<f32>; 2]) -> Result<()> {
        let tensor = |values| Tensor::from_vec(values, self.var.shape(), self.var.device());
        self.tensors = Some([tensor(first)?, tensor(second)?]);
        Ok(())
    }
}
