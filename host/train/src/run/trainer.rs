//! One optimizer step: gradients of some rows, then AdamW.

use super::{failed, plan};
use crate::batch::{self, Batch};
use crate::encode::Example;
use candle_core::{Result as Computed, Tensor, Var};
use diapason_core::Result;
use diapason_core::config::Train;
use diapason_models::decoder::Llama;
use diapason_models::linear::Mode;
use diapason_nn::kernels::cross_entropy;
use diapason_nn::optim::{AdamW, clip_scale, global_norm};
use diapason_nn::tape::{Gradients, Tape, pull_back};

/// Computes gradients and applies them.
pub struct Trainer {
    vars: Vec<Var>,
    pub(super) optimizer: AdamW,
    settings: Train,
    seed: u64,
    /// Forward passes so far: each has dropout masks of its own.
    pub(super) passes: u64,
}

/// What one step's rows gave.
pub struct Pass {
    /// Mean cross-entropy over the step's trained tokens, in nats.
    pub loss: f64,
    /// One for each variable.
    pub gradients: Vec<Tensor>,
    /// L2 norm of all gradients.
    pub norm: f64,
    /// Tokens that went through the model.
    pub tokens: u64,
    /// Trained tokens.
    pub trained: u64,
}

impl Trainer {
    /// A trainer of `vars`, which are parameters of a model or of its adapter.
    pub fn new(vars: &[(String, Var)], config: &Train, seed: u64) -> Self {
        Self {
            optimizer: AdamW::new(vars, config.into()),
            vars: vars.iter().map(|(_, var)| var.clone()).collect(),
            settings: config.clone(),
            seed,
            passes: 0,
        }
    }

    /// The gradients of the mean loss over all trained tokens of `rows`: how the rows are cut into passes makes no
    /// difference beyond rounding.
    pub fn gradients(&mut self, llama: &Llama, examples: &[Example], rows: &[usize]) -> Result<Pass> {
        self.gradients_until(llama, examples, rows, &|| false).map(|pass| pass.unwrap_or_else(Pass::empty))
    }

    /// Like [`Trainer::gradients`]; `None` once `interrupted`, which is asked before every forward pass.
    pub(super) fn gradients_until(
        &mut self,
        llama: &Llama,
        examples: &[Example],
        rows: &[usize],
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Option<Pass>> {
        let passes = self.passes;
        let trained: usize = rows.iter().map(|row| batch::trained_tokens(&examples[*row])).sum();
        let mut pass = Pass { trained: trained as u64, ..Pass::empty() };
        for rows in plan::passes(examples, rows, &self.settings) {
            if interrupted() {
                // The step will be taken again from its first pass on.
                self.passes = passes;
                return Ok(None);
            }
            let rows: Vec<&Example> = rows.iter().map(|row| &examples[*row]).collect();
            self.add_batch(llama, &mut pass, &rows, trained).map_err(failed)?;
        }
        pass.norm = global_norm(&pass.gradients).map_err(failed)?;
        Ok(Some(pass))
    }

    fn add_batch(&mut self, llama: &Llama, pass: &mut Pass, rows: &[&Example], trained: usize) -> Computed<()> {
        self.passes += 1;
        let seed = self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(self.passes);
        let mode = Mode::Training { seed, neftune: self.settings.neftune_alpha };
        let batch = Batch::new(rows, llama.device())?;
        pass.tokens += batch.tokens() as u64;
        let (loss, mut gradients) = if self.settings.gradient_checkpointing {
            self.by_layer(llama, &batch, &mode, trained as f64)?
        } else {
            self.whole(llama, &batch, &mode, trained as f64)?
        };
        pass.loss += loss;
        for (i, var) in self.vars.iter().enumerate() {
            let gradient = gradients.take(var).map_or_else(|| var.zeros_like(), |gradient| gradient.contiguous())?;
            match pass.gradients.get_mut(i) {
                Some(sum) => *sum = (&*sum + gradient)?,
                None => pass.gradients.push(gradient),
            }
        }
        Ok(())
    }

    /// Loss and gradients by one backward pass through everything.
    fn whole(&self, llama: &Llama, batch: &Batch, mode: &Mode, divisor: f64) -> Computed<(f64, Gradients)> {
        let pass = llama.pass(&batch.ids, &batch.sequences, mode)?;
        let embedded = llama.embedded(&batch.ids, &pass)?;
        let (loss, tape) = Tape::record(|| {
            let mut x = embedded.clone();
            for layer in &llama.layers {
                x = layer.forward(&x, &pass, None)?;
            }
            cross_entropy(&llama.normed(&x)?, llama.head_weight(), &batch.targets, divisor)
        })?;
        let (loss, mut gradients) = backward(loss, tape, &[&embedded])?;
        if let Some(upstream) = gradients.take(&embedded) {
            self.through_embedding(&embedded, &upstream, &mut gradients)?;
        }
        Ok((loss, gradients))
    }

    /// Like [`Trainer::whole`], with only the layers' inputs kept: each layer is computed once more when its gradient is
    /// due (Chen et al. 2016, <https://arxiv.org/abs/1604.06174>).
    fn by_layer(&self, llama: &Llama, batch: &Batch, mode: &Mode, divisor: f64) -> Computed<(f64, Gradients)> {
        let pass = llama.pass(&batch.ids, &batch.sequences, mode)?;
        let mut inputs = Vec::with_capacity(llama.layers.len());
        let mut x = llama.embedded(&batch.ids, &pass)?.detach();
        for layer in &llama.layers {
            let y = layer.forward(&x, &pass, None)?.detach();
            inputs.push(std::mem::replace(&mut x, y));
        }
        let last = Var::from_tensor(&x)?;
        let (loss, tape) =
            Tape::record(|| cross_entropy(&llama.normed(&last)?, llama.head_weight(), &batch.targets, divisor))?;
        let (loss, mut gradients) = backward(loss, tape, &[])?;
        let mut upstream = gradient_of(&last, &mut gradients)?;
        for (layer, input) in llama.layers.iter().zip(inputs).rev() {
            let input = Var::from_tensor(&input)?;
            let (y, tape) = Tape::record(|| layer.forward(&input, &pass, None))?;
            let mut pulled = tape.backward(y, upstream, &[])?;
            upstream = gradient_of(&input, &mut pulled)?;
            gradients.merge(pulled)?;
        }
        let embedded = llama.embedded(&batch.ids, &pass)?;
        if embedded.track_op() {
            self.through_embedding(&embedded, &upstream, &mut gradients)?;
        }
        Ok((loss, gradients))
    }

    /// Adds the gradients of what `embedded`, made by candle's operations, depends on.
    fn through_embedding(&self, embedded: &Tensor, upstream: &Tensor, gradients: &mut Gradients) -> Computed<()> {
        let mut store = pull_back(embedded, upstream)?;
        for var in &self.vars {
            if let Some(gradient) = store.remove(var) {
                gradients.add(var, gradient)?;
            }
        }
        Ok(())
    }

    /// Clips the gradients and takes an AdamW step.
    pub fn update(&mut self, pass: &Pass, learning_rate: f64) -> Result<()> {
        let scale = clip_scale(pass.norm, self.settings.max_gradient_norm);
        self.optimizer.step(&pass.gradients, scale, learning_rate).map_err(failed)
    }
}

/// The loss, and the gradients of what it depends on.
fn backward(loss: Tensor, tape: Tape, wanted: &[&Tensor]) -> Computed<(f64, Gradients)> {
    let (number, ones) = (value(&loss)?, loss.ones_like()?);
    Ok((number, tape.backward(loss, ones, wanted)?))
}

/// The gradient of a layer's input, zeros where there is none.
fn gradient_of(input: &Var, gradients: &mut Gradients) -> Computed<Tensor> {
    gradients.take(input).map_or_else(|| input.zeros_like(), Ok)
}

impl Pass {
    fn empty() -> Self {
        Self { loss: 0.0, gradients: Vec::new(), norm: 0.0, tokens: 0, trained: 0 }
    }
}

/// Mean cross-entropy in nats over all trained tokens of `examples`, `batch_size` rows at a time; no gradients are
/// recorded if the model's parameters are no variables.
pub fn mean_loss(llama: &Llama, examples: &[Example], batch_size: usize) -> Result<f64> {
    let trained: usize = examples.iter().map(batch::trained_tokens).sum();
    let mut total = 0.0;
    for rows in examples.chunks(batch_size) {
        let rows: Vec<&Example> = rows.iter().collect();
        total += loss_of(llama, &rows).map_err(failed)?;
    }
    Ok(total / trained as f64)
}

fn loss_of(llama: &Llama, rows: &[&Example]) -> Computed<f64> {
    let batch = Batch::new(rows, llama.device())?;
    let hidden = llama.forward_hidden(&batch.ids, &batch.sequences, None, &Mode::Inference)?;
    value(&cross_entropy(&hidden.detach(), &llama.head_weight().detach(), &batch.targets, 1.0)?)
}

fn value(loss: &Tensor) -> Computed<f64> {
    Ok(f64::from(loss.to_scalar::<f32>()?))
}
