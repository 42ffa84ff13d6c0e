//! AdamW (Loshchilov and Hutter 2019, <https://arxiv.org/abs/1711.05101>) and clipping by the global norm, as in PyTorch.

mod moments;
mod resident;

use crate::kernels::description::{Parameter, State, Update};
use crate::kernels::simd::{PIECE, vectorised};
use crate::kernels::{cuda, storage};
use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Tensor, Var, bail};
use diapason_core::config::{Optimizer, Train};
use moments::Moments;
use rayon::prelude::*;
use safetensors::Dtype;
use std::sync::{Mutex, PoisonError};

/// How the names of LoRA's B matrices end: LoRA+ raises their learning rate.
pub const LORA_B: &str = "lora_B.weight";

/// A named tensor: name, type, shape, little-endian bytes.
pub type Part = (String, Dtype, Vec<usize>, Vec<u8>);

/// How a variable is treated.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// LoRA+: what the learning rate of every `lora_B` and of DoRA's magnitudes is multiplied by.
    pub lora_plus_ratio: f64,
    /// Whether the moving averages are kept in 8 bits.
    pub eight_bit: bool,
}

impl From<&Train> for Settings {
    fn from(config: &Train) -> Self {
        Self {
            weight_decay: config.weight_decay,
            lora_plus_ratio: if config.method.is_adapter() { config.lora_plus_ratio } else { 1.0 },
            eight_bit: config.optimizer == Optimizer::AdamW8bit,
        }
    }
}

/// The optimizer and its state.
#[derive(Debug)]
pub struct AdamW {
    slots: Vec<Slot>,
    step: i32,
}

#[derive(Debug)]
struct Slot {
    name: String,
    var: Var,
    weight_decay: f64,
    /// Multiplies the learning rate.
    ratio: f64,
    moments: Mutex<Moments>,
}

impl AdamW {
    /// An optimizer of `vars`, named, with fresh state. Which of them decay and which are faster in LoRA+ is as in
    /// transformers' trainer (`get_decay_parameter_names`) and in PEFT (`create_loraplus_optimizer`).
    pub fn new(vars: &[(String, Var)], settings: Settings) -> Self {
        let slot = |(name, var): &(String, Var)| Slot {
            name: name.clone(),
            var: var.clone(),
            weight_decay: if decays(name) { settings.weight_decay } else { 0.0 },
            ratio: if name.ends_with(LORA_B) || var.rank() == 1 { settings.lora_plus_ratio } else { 1.0 },
            moments: Mutex::new(Moments::zeros(var, settings.eight_bit)),
        };
        Self { slots: vars.iter().map(slot).collect(), step: 0 }
    }

    /// Takes one step with a gradient for each variable, in their order, multiplied by `scale` (see [`clip_scale`]).
    pub fn step(&mut self, gradients: &[Tensor], scale: f64, learning_rate: f64) -> Result<()> {
        self.step += 1;
        let update = |slot: &Slot| moments::update(self.step, scale, learning_rate * slot.ratio, slot.weight_decay);
        if on_gpu(gradients) {
            return self.step_on_gpu(gradients, update);
        }
        for (slot, gradient) in self.slots.iter().zip(gradients) {
            let update = update(slot);
            slot.var.inplace_op1(&Step { gradient, moments: &slot.moments, update })?;
        }
        Ok(())
    }

    /// All variables in one launch, or in two where some averages are in 8 bits.
    fn step_on_gpu(&self, gradients: &[Tensor], update: impl Fn(&Slot) -> Update) -> Result<()> {
        let mut moments: Vec<State> = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            match &mut *slot.moments.lock().unwrap_or_else(PoisonError::into_inner) {
                Moments::Resident(resident) => moments.push(resident.state()?),
                _ => bail!("the moving averages of {} are not in its GPU's memory", slot.name),
            }
        }
        let slots = self.slots.iter().zip(&moments).zip(gradients);
        let rows: Vec<Parameter> =
            slots.map(|((slot, state), gradient)| (slot.var.as_tensor(), state, gradient, update(slot))).collect();
        cuda::optim::adamw(&rows)
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.step as u64
    }

    /// The moving averages as named tensors.
    ///
    /// # Errors
    /// They cannot be read from a GPU's memory.
    pub fn state(&self) -> Result<Vec<Part>> {
        let of = |slot: &Slot| {
            let moments = slot.moments.lock().unwrap_or_else(PoisonError::into_inner).save()?;
            let named = |(part, dtype, bytes): (&str, Dtype, Vec<u8>)| {
                (format!("{}.{part}", slot.name), dtype, vec![bytes.len() * 8 / dtype.bitsize()], bytes)
            };
            Ok(moments.into_iter().map(named).collect::<Vec<_>>())
        };
        Ok(self.slots.iter().map(of).collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    /// Goes on from what [`AdamW::state`] gave after `steps` steps; `find` looks a tensor's bytes up.
    ///
    /// # Errors
    /// A tensor is missing or has another size.
    pub fn restore<'a>(&mut self, steps: u64, find: impl Fn(&str) -> Option<&'a [u8]>) -> diapason_core::Result<()> {
        self.step = steps as i32;
        for slot in &mut self.slots {
            let moments = slot.moments.get_mut().unwrap_or_else(PoisonError::into_inner);
            moments.restore(|part| find(&format!("{}.{part}", slot.name)))?;
        }
        Ok(())
    }

    /// Memory in bytes of the state for a variable of `n` numbers.
    pub fn state_bytes(n: usize, eight_bit: bool) -> usize {
        Moments::bytes(n, eight_bit)
    }
}

/// Whether weight decay is for the parameter: not for biases and norms, told by their names. DoRA's magnitudes are neither
/// and decay, although they are vectors.
fn decays(name: &str) -> bool {
    let name = name.to_lowercase();
    let norm = |part: &str| part == "norm" || part.ends_with("_norm");
    !["bias", "layernorm", "rmsnorm"].iter().any(|part| name.contains(part)) && !name.split('.').any(norm)
}

/// L2 norm of all gradients together, in f64 and in a fixed order.
pub fn global_norm(gradients: &[Tensor]) -> Result<f64> {
    if on_gpu(gradients) {
        return cuda::optim::global_norm(gradients);
    }
    let square = |gradient: &Tensor| {
        storage::read([gradient], |[values]| {
            let pieces: Vec<f64> = values.par_chunks(PIECE).map(square_sum).collect();
            Ok(pieces.iter().sum::<f64>())
        })
    };
    Ok(gradients.iter().map(square).sum::<Result<f64>>()?.sqrt())
}

/// A model's variables are all on one device.
fn on_gpu(gradients: &[Tensor]) -> bool {
    gradients.first().is_some_and(|gradient| gradient.device().is_cuda())
}

/// What `torch.nn.utils.clip_grad_norm_` multiplies gradients of this norm by; 0 as the limit switches it off.
pub fn clip_scale(norm: f64, limit: f64) -> f64 {
    if limit > 0.0 { (limit / (norm + 1e-6)).min(1.0) } else { 1.0 }
}

vectorised! {
    fn square_sum(values: &[f32]) -> f64 {
        let mut lanes = [0.0_f64; 8];
        let (whole, rest) = values.as_chunks::<8>();
        for values in whole {
            lanes.iter_mut().zip(values).for_each(|(lane, value)| *lane += f64::from(*value) * f64::from(*value));
        }
        lanes.iter().sum::<f64>() + rest.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>()
    }
}

/// One variable's step, in one pass over its memory.
struct Step<'a> {
    gradient: &'a Tensor,
    moments: &'a Mutex<Moments>,
    update: Update,
}

impl InplaceOp1 for Step<'_> {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn cpu_fwd(&self, weights: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let CpuStorage::F32(weights) = weights else { bail!("AdamW updates f32 only") };
        let Some((start, end)) = layout.contiguous_offsets() else { bail!("AdamW updates contiguous tensors only") };
        let Ok(mut moments) = self.moments.lock() else { bail!("an earlier AdamW step panicked") };
        storage::read([self.gradient], |[gradient]| moments.step(&mut weights[start..end], gradient, &self.update))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// PyTorch 2.11: `AdamW([p], lr=0.1, weight_decay=0.01)`, p = [[1, -2, 3]], gradients [[0.5, -1, 0]] then
    /// [[0.25, 0.5, 1e-4]].
    #[test]
    fn equals_pytorch() {
        let var = Var::new(&[[1.0_f32, -2.0, 3.0]], &Device::Cpu).unwrap();
        let mut optimizer = AdamW::new(&[("w".into(), var.clone())], settings(false));
        for gradient in [[0.5_f32, -1.0, 0.0], [0.25, 0.5, 1e-4]] {
            optimizer.step(&[Tensor::new(&[gradient], &Device::Cpu).unwrap()], 1.0, 0.1).unwrap();
        }

        for (ours, theirs) in var.to_vec2::<f32>().unwrap()[0].iter().zip(PYTORCH) {
            assert!((ours - theirs).abs() < 1e-6, "{ours} against {theirs}");
        }
    }

    /// As `get_decay_parameter_names` of transformers 5.24 and `create_loraplus_optimizer` of PEFT 0.21.2 sort the
    /// parameters of a Qwen3 model with DoRA (printed by `tests/oracles/optimizer_groups.py`).
    #[test]
    fn groups_as_in_transformers_and_peft() {
        for (name, shape, decays, faster) in [
            ("model.layers.0.self_attn.q_proj.lora_A.weight", vec![2, 4], true, false),
            ("model.layers.0.self_attn.q_proj.lora_B.weight", vec![4, 2], true, true),
            ("model.layers.0.self_attn.q_proj.lora_magnitude_vector", vec![4], true, true),
            ("lm_head.weight", vec![8, 4], true, false),
            ("model.embed_tokens.weight", vec![8, 4], true, false),
            ("model.layers.0.self_attn.q_norm.weight", vec![4], false, true),
            ("model.layers.0.input_layernorm.weight", vec![4], false, true),
            ("model.norm.weight", vec![4], false, true),
            ("model.layers.0.self_attn.q_proj.bias", vec![4], false, true),
        ] {
            let var = Var::zeros(shape, candle_core::DType::F32, &Device::Cpu).unwrap();
            let settings = Settings { lora_plus_ratio: 16.0, ..settings(false) };
            let optimizer = AdamW::new(&[(name.to_owned(), var)], settings);
            let slot = &optimizer.slots[0];
            assert_eq!(
                (slot.weight_decay, slot.ratio),
                (if decays { 0.01 } else { 0.0 }, if faster { 16.0 } else { 1.0 }),
                "{name}"
            );
        }
    }

    fn settings(eight_bit: bool) -> Settings {
        Settings { weight_decay: 0.01, lora_plus_ratio: 1.0, eight_bit }
    }

    /// Minimises Σ (x − c)² / 2 from 0.
    fn minimised(eight_bit: bool) -> (AdamW, Vec<f32>) {
        let n = 5000;
        let goal: Vec<f32> = (0..n).map(|i| ((i * 37 % 101) as f32 - 50.0) / 25.0).collect();
        let goal = Tensor::from_vec(goal, (50, 100), &Device::Cpu).unwrap();
        let var = Var::zeros((50, 100), candle_core::DType::F32, &Device::Cpu).unwrap();
        let mut optimizer = AdamW::new(&[("w".into(), var.clone())], settings(eight_bit));
        for _ in 0..200 {
            optimizer.step(&[(var.as_tensor() - &goal).unwrap()], 1.0, 0.02).unwrap();
        }
        (optimizer, var.flatten_all().unwrap().to_vec1().unwrap())
    }

    #[test]
    fn eight_bits_go_where_32_go() {
        let (exact, eight) = (minimised(false), minimised(true));
        let far = exact.1.iter().zip(&eight.1).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(far < 0.05, "{far}");
        let size = |optimizer: &AdamW| optimizer.state().unwrap().iter().map(|part| part.3.len()).sum::<usize>();
        assert_eq!((size(&exact.0), size(&eight.0)), (40_000, 2 * (5000 + 20 * 4)));
        assert_eq!((AdamW::state_bytes(5000, false), AdamW::state_bytes(5000, true)), (40_000, 2 * (5000 + 20 * 4)));
    }

    #[test]
    fn a_restored_state_goes_on_alike() {
        for eight_bit in [false, true] {
            let (optimizer, _) = minimised(eight_bit);
            let state = optimizer.state().unwrap();
            let var = Var::zeros((50, 100), candle_core::DType::F32, &Device::Cpu).unwrap();
            let mut again = AdamW::new(&[("w".into(), var)], settings(eight_bit));
            let find = |name: &str| Some(state.iter().find(|part| part.0 == name)?.3.as_slice());
            again.restore(200, find).unwrap();
            assert_eq!((again.state().unwrap(), again.steps()), (state.clone(), 200));
            assert!(again.restore(200, |name| find(name).filter(|_| !name.ends_with("_sq"))).is_err());
        }
    }

    const PYTORCH: [f32; 3] = [0.804_883_06, -1.869_468_3, 2.919_6];

    #[test]
    fn clips_like_pytorch() {
        let gradients =
            [Tensor::new(&[3.0_f32], &Device::Cpu).unwrap(), Tensor::new(&[[4.0_f32]], &Device::Cpu).unwrap()];
        let norm = global_norm(&gradients).unwrap();
        assert_eq!(norm, 5.0);
        assert!((clip_scale(norm, 1.0) - 0.2).abs() < 1e-6);
        assert_eq!((clip_scale(norm, 10.0), clip_scale(norm, 0.0)), (1.0, 1.0));
    }
}
