//! AdamW's two moving averages of one variable: in 32 bits, or in 8 as in Dettmers et al. 2022
//! (<https://arxiv.org/abs/2110.02861>).

use super::resident::{Average, Resident};
use crate::kernels::description::{BETA1, BETA2, EPSILON, Update};
use crate::kernels::simd::{PIECE, vectorised};
use crate::quant::dynamic::{self, BLOCK, SIGNED, UNSIGNED};
use candle_core::{Result as Computed, Var};
use diapason_core::{Error, Result};
use rayon::prelude::*;
use safetensors::Dtype;

/// Averages of fewer numbers stay in 32 bits: they save nothing, and norms and biases suffer most.
const SMALLEST: usize = 4096;

/// Moving averages of a variable's gradient and of its square.
#[derive(Debug)]
pub(super) enum Moments {
    F32(Vec<f32>, Vec<f32>),
    Eight(Eight, Eight),
    Resident(Resident),
}

/// Numbers in 8 bits, in blocks of [`BLOCK`].
#[derive(Debug)]
pub(super) struct Eight {
    codes: Vec<u8>,
    absmax: Vec<f32>,
}

/// The update of step `step`, counted from 1.
pub(super) fn update(step: i32, scale: f64, learning_rate: f64, weight_decay: f64) -> Update {
    Update {
        scale: scale as f32,
        keep: (1.0 - learning_rate * weight_decay) as f32,
        rate: (learning_rate / (1.0 - BETA1.powi(step))) as f32,
        correction: (1.0 - BETA2.powi(step)).sqrt() as f32,
    }
}

vectorised! {
    /// Moves some weights and their averages by one step.
    fn apply(update: &Update, weights: &mut [f32], first: &mut [f32], second: &mut [f32], gradient: &[f32]) {
        let (beta1, beta2, epsilon) = (BETA1 as f32, BETA2 as f32, EPSILON as f32);
        let (rest1, rest2) = ((1.0 - BETA1) as f32, (1.0 - BETA2) as f32);
        for (((weight, m), v), g) in weights.iter_mut().zip(first).zip(second).zip(gradient) {
            let g = g * update.scale;
            *m = *m * beta1 + g * rest1;
            *v = *v * beta2 + g * g * rest2;
            *weight = *weight * update.keep - update.rate * *m / (v.sqrt() / update.correction + epsilon);
        }
    }
}

impl Moments {
    /// Averages of `var`'s gradients before the first step.
    pub(super) fn zeros(var: &Var, eight: bool) -> Self {
        let n = var.elem_count();
        let eight = eight && n >= SMALLEST;
        if var.device().is_cuda() {
            Self::Resident(Resident::new(var, eight))
        } else if eight {
            Self::Eight(Eight::zeros(n), Eight::zeros(n))
        } else {
            Self::F32(vec![0.0; n], vec![0.0; n])
        }
    }

    /// Memory in bytes of the averages of `n` gradients.
    pub(super) fn bytes(n: usize, eight: bool) -> usize {
        if eight && n >= SMALLEST { 2 * (n + 4 * n.div_ceil(BLOCK)) } else { 8 * n }
    }

    /// Moves `weights`, in the CPU's memory, by one step.
    pub(super) fn step(&mut self, weights: &mut [f32], gradient: &[f32], update: &Update) -> Computed<()> {
        match self {
            Self::F32(first, second) => {
                let weights = weights.par_chunks_mut(PIECE).zip(gradient.par_chunks(PIECE));
                let moments = first.par_chunks_mut(PIECE).zip(second.par_chunks_mut(PIECE));
                weights.zip(moments).for_each(|((w, g), (m, v))| apply(update, w, m, v, g));
            }
            Self::Eight(first, second) => {
                let weights = weights.par_chunks_mut(BLOCK).zip(gradient.par_chunks(BLOCK));
                weights.zip(first.blocks().zip(second.blocks())).for_each(|((w, g), (m, v))| {
                    let (mut first, mut second) = ([0.0; BLOCK], [0.0; BLOCK]);
                    let (first, second) = (&mut first[..w.len()], &mut second[..w.len()]);
                    m.read(&SIGNED, first);
                    v.read(&UNSIGNED, second);
                    apply(update, w, first, second, g);
                    m.write(&SIGNED, first);
                    v.write(&UNSIGNED, second);
                });
            }
            Self::Resident(_) => candle_core::bail!("these moving averages are in a GPU's memory"),
        }
        Ok(())
    }

    /// The averages as named tensors, for a checkpoint.
    pub(super) fn save(&self) -> Computed<Vec<(&'static str, Dtype, Vec<u8>)>> {
        let floats = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Ok(match self {
            Self::F32(first, second) => {
                vec![("exp_avg", Dtype::F32, floats(first)), ("exp_avg_sq", Dtype::F32, floats(second))]
            }
            Self::Eight(first, second) => vec![
                ("exp_avg", Dtype::U8, first.codes.clone()),
                ("exp_avg.absmax", Dtype::F32, floats(&first.absmax)),
                ("exp_avg_sq", Dtype::U8, second.codes.clone()),
                ("exp_avg_sq.absmax", Dtype::F32, floats(&second.absmax)),
            ],
            Self::Resident(resident) => match resident.download()? {
                [Average::F32(first), Average::F32(second)] => Self::F32(first, second).save()?,
                [Average::Eight { codes: a, absmax: b }, Average::Eight { codes: c, absmax: d }] => {
                    Self::Eight(Eight { codes: a, absmax: b }, Eight { codes: c, absmax: d }).save()?
                }
                _ => candle_core::bail!("both averages are in 8 bits or none is"),
            },
        })
    }

    /// Takes over what [`Moments::save`] gave; `find` looks a tensor's bytes up.
    ///
    /// # Errors
    /// A tensor is missing or has another size.
    pub(super) fn restore<'a>(&mut self, find: impl Fn(&str) -> Option<&'a [u8]>) -> Result<()> {
        let bytes = |name: &str, n: usize| {
            let found = find(name).filter(|bytes| bytes.len() == n);
            found.ok_or_else(|| Error::data(format!("the optimizer's `{name}` is missing or of another size")))
        };
        let floats = |name: &str, to: &mut [f32]| {
            let (values, _) = bytes(name, to.len() * 4)?.as_chunks::<4>();
            to.iter_mut().zip(values).for_each(|(to, value)| *to = f32::from_le_bytes(*value));
            Result::Ok(())
        };
        match self {
            Self::F32(first, second) => floats("exp_avg", first).and_then(|()| floats("exp_avg_sq", second)),
            Self::Eight(first, second) => {
                for (name, eight) in [("exp_avg", first), ("exp_avg_sq", second)] {
                    let codes = bytes(name, eight.codes.len())?;
                    eight.codes.copy_from_slice(codes);
                    floats(&format!("{name}.absmax"), &mut eight.absmax)?;
                }
                Ok(())
            }
            Self::Resident(resident) => {
                let mut averages = resident.zeros();
                for (name, average) in ["exp_avg", "exp_avg_sq"].into_iter().zip(&mut averages) {
                    match average {
                        Average::F32(values) => floats(name, values)?,
                        Average::Eight { codes, absmax } => {
                            let found = bytes(name, codes.len())?;
                            codes.copy_from_slice(found);
                            floats(&format!("{name}.absmax"), absmax)?;
                        }
                    }
                }
                let fail = |source| Error::run("failed to copy the optimizer's state to the GPU").because(source);
                resident.upload(averages).map_err(fail)
            }
        }
    }
}

impl Eight {
    fn zeros(n: usize) -> Self {
        // With a magnitude of 0 any code means 0.
        Self { codes: vec![0; n], absmax: vec![0.0; n.div_ceil(BLOCK)] }
    }

    fn blocks(&mut self) -> impl IndexedParallelIterator<Item = EightBlock<'_>> {
        let blocks = self.codes.par_chunks_mut(BLOCK).zip(&mut self.absmax);
        blocks.map(|(codes, absmax)| EightBlock { codes, absmax })
    }
}

struct EightBlock<'a> {
    codes: &'a mut [u8],
    absmax: &'a mut f32,
}

impl EightBlock<'_> {
    fn read(&self, map: &[f32; 256], values: &mut [f32]) {
        values.iter_mut().zip(&*self.codes).for_each(|(value, code)| *value = map[usize::from(*code)] * *self.absmax);
    }

    fn write(self, map: &[f32; 256], values: &[f32]) {
        *self.absmax = dynamic::quantize_nearest(values, map, self.codes);
    }
}
