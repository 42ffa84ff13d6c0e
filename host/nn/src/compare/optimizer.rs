//! AdamW, and the norm that gradients are clipped by.

use super::{Comparison, largest, random};
use crate::optim::{AdamW, LORA_B, Settings, global_norm};
use candle_core::{DType, Device, Result, Tensor, Var};
use safetensors::Dtype;

/// Shapes of the parameters: a scalar's, one of several chunks, one of odd length, a norm's, which does not decay.
const SHAPES: [&[usize]; 4] = [&[1, 1], &[301, 700], &[5, 1001], &[4999]];

const STEPS: i32 = 3;
const RATE: f64 = 0.01;
const DECAY: f64 = 0.1;
const SCALE: f64 = 0.5;
const RATIO: f64 = 16.0;

pub(super) fn compare(device: &Device) -> Result<Vec<Comparison>> {
    let of = |operation, error, tolerance| {
        let shapes = SHAPES.map(|shape| format!("{shape:?}")).join(" ");
        Comparison { operation, shapes, dtype: DType::F32, error, tolerance }
    };
    let (plain, norm) = reference()?;
    let (ours, _) = steps(device, false)?;
    let mut found = vec![
        of("adamw", largest(ours.iter().zip(&plain))?, 1e-6),
        of("norm of all gradients", (global_norm(&gradients(device, 1)?)? / norm - 1.0).abs(), 1e-9),
    ];
    if device.is_cuda() {
        let ((ours, state), (theirs, others)) = (steps(device, true)?, steps(&Device::Cpu, true)?);
        // Codes may differ where a rounding decides between two neighbours, and then some weights do.
        found.push(of("adamw in 8 bits, on average", mean(&ours, &theirs)?, 1e-5));
        found.push(of("adamw in 8 bits, codes that differ", differing(&state, &others), 5e-3));
    }
    Ok(found)
}

/// The second is a matrix with LoRA+'s learning rate, the fourth a vector, which has it too.
fn name(i: usize) -> String {
    match i {
        1 => format!("layer.{LORA_B}"),
        3 => "layer.norm".to_owned(),
        _ => format!("layer.{i}"),
    }
}

fn parameters() -> Result<Vec<Tensor>> {
    SHAPES.iter().enumerate().map(|(i, shape)| random(shape, i as u64)).collect()
}

fn gradients(device: &Device, step: i32) -> Result<Vec<Tensor>> {
    let seed = |i: usize| 1000 * step as u64 + i as u64;
    SHAPES.iter().enumerate().map(|(i, shape)| random(shape, seed(i))?.to_device(device)).collect()
}

/// The parameters after all steps, on the CPU, and the codes of averages in 8 bits.
fn steps(device: &Device, eight_bit: bool) -> Result<(Vec<Tensor>, Vec<Vec<u8>>)> {
    let vars =
        parameters()?.iter().map(|value| Var::from_tensor(&value.to_device(device)?)).collect::<Result<Vec<_>>>()?;
    let named: Vec<(String, Var)> = vars.iter().enumerate().map(|(i, var)| (name(i), var.clone())).collect();
    let mut adamw = AdamW::new(&named, Settings { weight_decay: DECAY, lora_plus_ratio: RATIO, eight_bit });
    for step in 1..=STEPS {
        adamw.step(&gradients(device, step)?, SCALE, RATE)?;
    }
    let after = vars.iter().map(|var| var.as_detached_tensor().to_device(&Device::Cpu)).collect::<Result<_>>()?;
    let codes = adamw.state()?.into_iter().filter(|part| part.1 == Dtype::U8);
    Ok((after, codes.map(|part| part.3).collect()))
}

/// AdamW of Loshchilov and Hutter 2019 in f64, number by number, and the norm of the first step's gradients.
fn reference() -> Result<(Vec<Tensor>, f64)> {
    let (beta1, beta2, epsilon) = (0.9_f64, 0.999_f64, 1e-8);
    let mut squares = 0.0;
    let of = |(i, weights): (usize, Tensor)| {
        let decay = if i == 3 { 0.0 } else { DECAY };
        let rate = if i == 1 || i == 3 { RATE * RATIO } else { RATE };
        let mut values: Vec<f64> = weights.flatten_all()?.to_vec1::<f32>()?.into_iter().map(f64::from).collect();
        let mut moments = vec![(0.0, 0.0); values.len()];
        for step in 1..=STEPS {
            let gradient = gradients(&Device::Cpu, step)?.swap_remove(i).flatten_all()?.to_vec1::<f32>()?;
            for ((value, (m, v)), gradient) in values.iter_mut().zip(&mut moments).zip(gradient) {
                if step == 1 {
                    squares += f64::from(gradient).powi(2);
                }
                let g = f64::from(gradient) * SCALE;
                *m = beta1 * *m + (1.0 - beta1) * g;
                *v = beta2 * *v + (1.0 - beta2) * g * g;
                let (m, v) = (*m / (1.0 - beta1.powi(step)), *v / (1.0 - beta2.powi(step)));
                *value -= rate * decay * *value + rate * m / (v.sqrt() + epsilon);
            }
        }
        let values: Vec<f32> = values.into_iter().map(|value| value as f32).collect();
        Tensor::from_vec(values, weights.shape(), &Device::Cpu)
    };
    let after = parameters()?.into_iter().enumerate().map(of).collect::<Result<Vec<_>>>()?;
    Ok((after, squares.sqrt()))
}

/// The mean difference of all numbers.
fn mean(ours: &[Tensor], theirs: &[Tensor]) -> Result<f64> {
    let (mut sum, mut n) = (0.0, 0);
    for (ours, theirs) in ours.iter().zip(theirs) {
        sum += f64::from((ours - theirs)?.abs()?.sum_all()?.to_scalar::<f32>()?);
        n += ours.elem_count();
    }
    Ok(sum / n as f64)
}

/// The share of bytes that are not the same; not a number if there are none.
fn differing(ours: &[Vec<u8>], theirs: &[Vec<u8>]) -> f64 {
    let pairs = || ours.iter().flatten().zip(theirs.iter().flatten());
    let lengths = |parts: &[Vec<u8>]| parts.iter().map(Vec::len).collect::<Vec<_>>();
    if lengths(ours) != lengths(theirs) {
        return f64::NAN;
    }
    pairs().filter(|(a, b)| a != b).count() as f64 / pairs().count() as f64
}
