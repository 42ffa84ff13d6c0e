//! What operations are told beside their tensors. It stands below both the operations and their launchers on a GPU, so
//! that neither needs the other's file.

use super::dropout::Dropout;
use super::weight::Weight;
use candle_core::Tensor;

/// Heads of an attention and their width.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heads {
    pub(crate) h: usize,
    pub(crate) kv: usize,
    pub(crate) d: usize,
}

impl Heads {
    /// Returns what scores are multiplied by.
    pub(crate) fn scale(&self) -> f32 {
        1.0 / (self.d as f32).sqrt()
    }
}

/// A frozen layer and how its adapter acts on it.
pub(crate) struct Lora {
    pub(crate) weight: Weight,
    pub(crate) bias: Option<Tensor>,
    pub(crate) scale: f32,
    pub(crate) dropout: Option<Dropout>,
}

/// What the output head is to predict.
pub(crate) struct CrossEntropy {
    /// Row and target of each trained token.
    pub(crate) trained: Vec<(usize, usize)>,
    pub(crate) divisor: f32,
    /// Whether the gradients of hidden states and of the weight are needed.
    pub(crate) wanted: (bool, bool),
}

/// AdamW's decay of the first moving average.
pub(crate) const BETA1: f64 = 0.9;
/// AdamW's decay of the second moving average.
pub(crate) const BETA2: f64 = 0.999;
/// What keeps AdamW from dividing by 0.
pub(crate) const EPSILON: f64 = 1e-8;

/// What one step of AdamW does to every weight.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Update {
    /// Multiplies the gradient.
    pub(crate) scale: f32,
    /// 1 − learning rate · weight decay.
    pub(crate) keep: f32,
    /// Learning rate over the first average's bias correction.
    pub(crate) rate: f32,
    /// Square root of the second average's bias correction.
    pub(crate) correction: f32,
}

/// AdamW's averages of a gradient and of its square, in a GPU's memory.
#[derive(Debug, Clone)]
pub(crate) enum State {
    /// Both in f32.
    F32([Tensor; 2]),
    /// Both as codes [n] in u8, with the largest magnitude [n / 256] of each block in f32.
    Eight { codes: [Tensor; 2], absmax: [Tensor; 2] },
}

/// A parameter, its averages, its gradient and its update.
pub(crate) type Parameter<'a> = (&'a Tensor, &'a State, &'a Tensor, Update);
