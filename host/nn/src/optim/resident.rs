//! Moving averages in a GPU's memory.

use crate::kernels::description::State;
use crate::quant::dynamic::BLOCK;
use candle_core::{DType, Device, Result, Tensor, Var};

/// AdamW's two averages of one variable, beside the variable, from the first step on.
#[derive(Debug)]
pub(super) struct Resident {
    var: Var,
    /// Whether they are in 8 bits, in blocks of [`BLOCK`].
    eight: bool,
    state: Option<State>,
}

/// An average in the CPU's memory.
#[derive(Debug)]
pub(super) enum Average {
    F32(Vec<f32>),
    Eight { codes: Vec<u8>, absmax: Vec<f32> },
}

impl Resident {
    pub(super) fn new(var: &Var, eight: bool) -> Self {
        Self { var: var.clone(), eight, state: None }
    }

    /// Both averages, for a kernel to change.
    pub(super) fn state(&mut self) -> Result<State> {
        match &self.state {
            Some(state) => Ok(state.clone()),
            None => {
                let zeros = |n: usize, dtype| Tensor::zeros(n, dtype, self.var.device());
                let twice = |n, dtype| Result::Ok([zeros(n, dtype)?, zeros(n, dtype)?]);
                let n = self.var.elem_count();
                // With a magnitude of 0 any code means 0.
                let state = if self.eight {
                    State::Eight { codes: twice(n, DType::U8)?, absmax: twice(blocks(n), DType::F32)? }
                } else {
                    State::F32(twice(n, DType::F32)?)
                };
                Ok(self.state.insert(state).clone())
            }
        }
    }

    /// What [`Resident::upload`] takes, zeros.
    pub(super) fn zeros(&self) -> [Average; 2] {
        let n = self.var.elem_count();
        [(); 2].map(|()| {
            if self.eight {
                Average::Eight { codes: vec![0; n], absmax: vec![0.0; blocks(n)] }
            } else {
                Average::F32(vec![0.0; n])
            }
        })
    }

    pub(super) fn download(&self) -> Result<[Average; 2]> {
        let both = |of: &dyn Fn(usize) -> Result<Average>| Ok([of(0)?, of(1)?]);
        match &self.state {
            None => Ok(self.zeros()),
            Some(State::F32(averages)) => both(&|i| Ok(Average::F32(averages[i].to_vec1()?))),
            Some(State::Eight { codes, absmax }) => {
                both(&|i| Ok(Average::Eight { codes: codes[i].to_vec1()?, absmax: absmax[i].to_vec1()? }))
            }
        }
    }

    pub(super) fn upload(&mut self, averages: [Average; 2]) -> Result<()> {
        self.state = Some(match averages {
            [Average::F32(first), Average::F32(second)] => State::F32([self.tensor(first)?, self.tensor(second)?]),
            [Average::Eight { codes: a, absmax: b }, Average::Eight { codes: c, absmax: d }] => {
                State::Eight { codes: [self.tensor(a)?, self.tensor(c)?], absmax: [self.tensor(b)?, self.tensor(d)?] }
            }
            _ => candle_core::bail!("both averages are in 8 bits or none is"),
        });
        Ok(())
    }

    fn tensor<T: candle_core::WithDType>(&self, values: Vec<T>) -> Result<Tensor> {
        let (n, device): (usize, &Device) = (values.len(), self.var.device());
        Tensor::from_vec(values, n, device)
    }
}

/// Blocks of `n` numbers.
fn blocks(n: usize) -> usize {
    n.div_ceil(BLOCK)
}
