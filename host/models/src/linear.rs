//! Linear layers: frozen or trainable, in 32, 16 or 4 bits, with or without a low-rank adapter: LoRA (Hu et al. 2021,
//! <https://arxiv.org/abs/2106.09685>) or DoRA (Liu et al. 2024, <https://arxiv.org/abs/2402.09353>).

use candle_core::{Result, Tensor, Var};
use diapason_nn::kernels::{self, Weight};
use diapason_nn::tape;
use std::sync::{Arc, Mutex, PoisonError};

/// What a forward pass is for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    /// No gradients, no dropout.
    Inference,
    /// Gradients are recorded; dropout masks and noise are drawn from this seed, a new one for every forward pass.
    Training {
        /// Seeds the dropout masks and the noise.
        seed: u64,
        /// NEFTune's alpha; 0 adds no noise.
        neftune: f64,
    },
}

/// `y = x·Wᵀ + bias`, and with an adapter `+ scale · dropout(x)·Aᵀ·Bᵀ`; DoRA rescales each output.
#[derive(Debug, Clone)]
pub struct Linear {
    weight: Weight,
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
    /// DoRA: the length `[out]` of each row of the adapted weight, which is trained apart from the rows' directions.
    pub magnitude: Option<Var>,
    /// What the update is multiplied by.
    pub scale: f64,
    /// Probability that an element of the adapter's input is dropped while training.
    pub dropout: f64,
    /// Tells this layer's dropout masks from those of the others: a number that no other layer of the model uses.
    pub stream: u64,
    /// DoRA: magnitude over row length `[out]`, from the last time the adapter was looked at without training.
    pub rescale: Rescale,
}

/// What does not change between the tokens of a generation, kept until training goes on.
#[derive(Debug, Clone, Default)]
pub struct Rescale(Arc<Mutex<Option<Tensor>>>);

impl Rescale {
    /// Forgets what was kept: whoever changes an adapter's variables in place calls this.
    pub fn forget(&self) {
        // What a panic left behind is either whole or absent.
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Linear {
    /// A layer with `weight` [out, in] and perhaps `bias` `[out]`. It is frozen unless these are variables' tensors.
    pub fn frozen(weight: impl Into<Weight>, bias: Option<Tensor>) -> Self {
        Self { weight: weight.into(), bias, lora: None }
    }

    /// The weight [out, in].
    pub fn weight(&self) -> &Weight {
        &self.weight
    }

    /// The bias `[out]`.
    pub fn bias(&self) -> Option<&Tensor> {
        self.bias.as_ref()
    }

    /// Replaces weight and bias, for instance by variables' tensors to train them. Shapes must stay.
    pub fn set_parameters(&mut self, weight: impl Into<Weight>, bias: Option<Tensor>) {
        self.weight = weight.into();
        self.bias = bias;
    }

    /// The adapter.
    pub fn lora(&self) -> Option<&Lora> {
        self.lora.as_ref()
    }

    /// Adds an adapter, or replaces the one there is.
    pub fn attach_lora(&mut self, lora: Lora) {
        self.lora = Some(lora);
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

    /// The weight [out, in] in f32 with the adapter in it.
    pub fn merged(&self) -> Result<Tensor> {
        let Some(lora) = &self.lora else { return self.weight.to_f32() };
        let weight = self.weight.to_f32()?.to_device(lora.b.device())?;
        let update = (lora.b.matmul(&lora.a)? * lora.scale)?;
        let sum = (weight + update.detach())?;
        match &lora.magnitude {
            None => Ok(sum),
            Some(magnitude) => sum.broadcast_mul(&lora.rescaled(&self.weight, magnitude)?.detach().unsqueeze(1)?),
        }
    }
}

impl Lora {
    /// The number of parameters.
    pub fn elem_count(&self) -> usize {
        self.vars().map(|(_, var)| var.elem_count()).sum()
    }

    /// What is trained, with what PEFT puts behind the layer's name.
    pub fn vars(&self) -> impl Iterator<Item = (&'static str, &Var)> {
        let magnitude = self.magnitude.iter().map(|magnitude| (MAGNITUDE, magnitude));
        [(A, &self.a), (B, &self.b)].into_iter().chain(magnitude)
    }

    fn forward(&self, x: &Tensor, weight: &Weight, bias: Option<&Tensor>, mode: &Mode) -> Result<Tensor> {
        let Some(magnitude) = &self.magnitude else { return self.update(x, weight, bias, mode) };
        // The row lengths are no part of the gradient (section 4.3 of the paper).
        let y = self.update(x, weight, None, mode)?;
        let rescale = self.rescale(weight, magnitude, mode)?;
        let y = kernels::scale_rows(&y, &rescale)?;
        match bias {
            Some(bias) => kernels::add_to_rows(y, bias),
            None => Ok(y),
        }
    }

    fn update(&self, x: &Tensor, weight: &Weight, bias: Option<&Tensor>, mode: &Mode) -> Result<Tensor> {
        let scale = self.scale as f32;
        match *mode {
            Mode::Inference => {
                let (a, b) = (self.a.as_detached_tensor(), self.b.as_detached_tensor());
                kernels::lora(x, weight, bias, &a, &b, scale, None)
            }
            Mode::Training { seed, .. } => {
                let dropout = kernels::Dropout::new(self.dropout, seed, self.stream);
                kernels::lora(x, weight, bias, &self.a, &self.b, scale, dropout)
            }
        }
    }

    fn rescale(&self, weight: &Weight, magnitude: &Var, mode: &Mode) -> Result<Tensor> {
        // What a panic left behind is either whole or absent.
        let mut kept = self.rescale.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Mode::Training { .. } = mode {
            *kept = None;
            return self.rescaled(weight, magnitude);
        }
        match &*kept {
            Some(rescale) => Ok(rescale.clone()),
            None => Ok(kept.insert(self.rescaled(weight, magnitude)?.detach()).clone()),
        }
    }

    /// Magnitude over row length [out].
    fn rescaled(&self, weight: &Weight, magnitude: &Var) -> Result<Tensor> {
        let norms = kernels::row_norms(weight, &self.a, &self.b, self.scale as f32)?;
        let norms = Tensor::new(norms, magnitude.device())?;
        tape::composed(&[magnitude.as_tensor(), &norms], |t| &t[0] / &t[1])
    }
}

/// What PEFT calls the parts of an adapter.
pub const A: &str = "lora_A.weight";
/// See [`A`].
pub const B: &str = diapason_nn::optim::LORA_B;
/// See [`A`].
pub const MAGNITUDE: &str = "lora_magnitude_vector";
