//! Linear layers: frozen or trainable, with or without a low-rank adapter (Hu et al. 2021,
//! <https://arxiv.org/abs/2106.09685>).

use crate::kernels;
use candle_core::{Result, Tensor, Var};

/// What a forward pass is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// No gradients, no dropout.
    Inference,
    /// Gradients are recorded; dropout masks are drawn from this seed, which is a new one for every forward pass.
    Training {
        /// Seeds the dropout masks.
        seed: u64,
    },
}

/// `y = x·Wᵀ + bias`, and with an adapter `+ scale · dropout(x)·Aᵀ·Bᵀ`.
#[derive(Debug, Clone)]
pub struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
    lora: Option<Lora>,
}

/// A low-rank adapter of a linear layer.
#[derive(Debug, Clone)]
pub struct Lora {
    /// [rank, in]
    pub a: Var,
    /// [out, rank]
    pub b: Var,
    /// What the update is multiplied by.
    pub scale: f64,
    /// Probability that an element of the adapter's input is dropped while training.
    pub dropout: f64,
    /// Tells this layer's dropout masks from those of the others.
    stream: u64,
}

impl Linear {
    /// A layer with `weight` [out, in] and perhaps `bias` [out]. It is frozen unless these are variables' tensors.
    pub fn frozen(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self { weight, bias, lora: None }
    }

    /// The weight [out, in].
    pub fn weight(&self) -> &Tensor {
        &self.weight
    }

    /// The bias [out].
    pub fn bias(&self) -> Option<&Tensor> {
        self.bias.as_ref()
    }

    /// Replaces weight and bias, for instance by variables' tensors to train them. Shapes must stay.
    pub fn set_parameters(&mut self, weight: Tensor, bias: Option<Tensor>) {
        self.weight = weight;
        self.bias = bias;
    }

    /// The adapter.
    pub fn lora(&self) -> Option<&Lora> {
        self.lora.as_ref()
    }

    /// Adds an adapter `a` [rank, in], `b` [out, rank], or replaces the one there is. `stream` is a number that no other
    /// layer of the model uses: it tells the dropout masks apart.
    pub fn attach_lora(&mut self, a: Var, b: Var, scale: f64, dropout: f64, stream: u64) {
        self.lora = Some(Lora { a, b, scale, dropout, stream });
    }

    /// Takes the adapter away.
    pub fn detach_lora(&mut self) -> Option<Lora> {
        self.lora.take()
    }

    /// Maps `x` [.., in] to [.., out].
    pub fn forward(&self, x: &Tensor, mode: &Mode) -> Result<Tensor> {
        match &self.lora {
            Some(lora) => lora.forward(x, &self.weight, self.bias.as_ref(), mode),
            None => kernels::linear(x, &self.weight, self.bias.as_ref()),
        }
    }
}

impl Lora {
    fn forward(&self, x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, mode: &Mode) -> Result<Tensor> {
        let scale = self.scale as f32;
        match *mode {
            Mode::Inference => {
                let (a, b) = (self.a.as_detached_tensor(), self.b.as_detached_tensor());
                kernels::lora(x, weight, bias, &a, &b, scale, None)
            }
            Mode::Training { seed } => {
                let dropout = kernels::Dropout::new(self.dropout, seed, self.stream);
                kernels::lora(x, weight, bias, &self.a, &self.b, scale, dropout)
            }
        }
    }
}
