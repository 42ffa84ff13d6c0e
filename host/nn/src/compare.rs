//! Every operation on a device against its plain reference on the CPU: forward, backward, and the optimizer.
//!
//! One body for all devices: `tests/devices.rs` runs it on the CPU and on a GPU where there is one, `cargo x gpu` prints
//! what it gives. On a GPU activations are f32 or bf16; what they are compared with is always computed in f32, from the
//! numbers that the device was given.

mod operations;
mod optimizer;

use crate::tape::Tape;
use candle_core::{DType, Device, Result, Tensor, Var, bail};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How far an operation is from its reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The operation's name.
    pub operation: &'static str,
    /// Its arguments' shapes.
    pub shapes: String,
    /// The type of its activations.
    pub dtype: DType,
    /// Largest difference relative to the largest magnitude of the tensor it is in, over the result and all gradients;
    /// not a number if some element is none.
    pub error: f64,
    /// What the error may be at most.
    pub tolerance: f64,
}

impl Comparison {
    /// Whether the operation is as close to its reference as its type allows.
    pub fn ok(&self) -> bool {
        // Not a number is not close.
        self.error <= self.tolerance
    }
}

/// The types of activations that `device` has kernels for.
pub fn types(device: &Device) -> &'static [DType] {
    if device.is_cuda() { &[DType::F32, DType::BF16] } else { &[DType::F32] }
}

/// Compares all operations on `device` with activations of type `dtype`: f32, or on a GPU bf16.
///
/// # Errors
/// An operation fails, or has no version for the device and type.
pub fn all(device: &Device, dtype: DType) -> Result<Vec<Comparison>> {
    let mut found = operations::compare(device, dtype)?;
    if dtype == DType::F32 {
        found.extend(optimizer::compare(device)?);
    }
    Ok(found)
}

/// A function of tensors. The first argument says in what type activations are.
type Function<'a> = Box<dyn Fn(&[Tensor]) -> Result<Tensor> + 'a>;

/// An operation, its reference, and what both are given.
struct Case<'a> {
    operation: &'static str,
    shapes: Vec<Vec<usize>>,
    /// How many arguments, counted from the first, are activations; the others stay in f32.
    activations: usize,
    /// Is given tensors on the device.
    fused: Function<'a>,
    /// Is given tensors on the CPU in f32.
    plain: Function<'a>,
}

impl Case<'_> {
    fn compare(&self, device: &Device, dtype: DType) -> Result<Comparison> {
        let given = |(i, shape): (usize, &Vec<usize>)| {
            let values = random(shape, i as u64 + 1)?;
            if i < self.activations { rounded(&values, dtype) } else { Ok(values) }
        };
        let given: Vec<Tensor> = self.shapes.iter().enumerate().map(given).collect::<Result<_>>()?;
        let (ours, theirs) = (self.ours(&given, device, dtype)?, self.theirs(&given, dtype)?);
        let shapes = self.shapes.iter().map(|shape| format!("{shape:?}")).collect::<Vec<_>>().join(" ");
        if ours.len() != given.len() + 1 || theirs.len() != ours.len() {
            bail!("an argument of `{}` gets no gradient", self.operation);
        }
        let error = largest(ours.iter().zip(&theirs))?;
        Ok(Comparison { operation: self.operation, shapes, dtype, error, tolerance: tolerance(dtype) })
    }

    /// What the operation gives and the gradients of all that it is given, in f32 on the CPU: computed as training does.
    fn ours(&self, given: &[Tensor], device: &Device, dtype: DType) -> Result<Vec<Tensor>> {
        let vars =
            given.iter().map(|tensor| Var::from_tensor(&tensor.to_device(device)?)).collect::<Result<Vec<_>>>()?;
        let activate = |(i, var): (usize, &Var)| {
            if i < self.activations { var.to_dtype(dtype) } else { Ok(var.as_tensor().clone()) }
        };
        let arguments: Vec<Tensor> = vars.iter().enumerate().map(activate).collect::<Result<_>>()?;
        let (y, tape) = Tape::record(|| (self.fused)(&arguments))?;
        let upstream = upstream(&y, dtype)?.to_device(device)?.to_dtype(y.dtype())?;
        let mut all = vec![y.detach()];
        let mut gradients = tape.backward(y, upstream, &arguments.iter().collect::<Vec<_>>())?;
        all.extend(arguments.iter().filter_map(|argument| gradients.take(argument)));
        all.iter().map(|tensor| tensor.to_dtype(DType::F32)?.to_device(&Device::Cpu)).collect()
    }

    /// The same of the reference, by candle.
    fn theirs(&self, given: &[Tensor], dtype: DType) -> Result<Vec<Tensor>> {
        let vars = given.iter().map(Var::from_tensor).collect::<Result<Vec<_>>>()?;
        let y = (self.plain)(&vars.iter().map(|var| var.as_tensor().clone()).collect::<Vec<_>>())?;
        let gradients = (&y * upstream(&y, dtype)?)?.sum_all()?.backward()?;
        let gradients = vars.iter().filter_map(|var| gradients.get(var).cloned());
        Ok(std::iter::once(y.detach()).chain(gradients).collect())
    }
}

/// A random gradient of `y`, of numbers that `dtype` holds.
fn upstream(y: &Tensor, dtype: DType) -> Result<Tensor> {
    rounded(&random(y.dims(), 99)?, dtype)
}

/// f32 allows for sums in another order; bf16 for about two roundings to its 8 bits.
fn tolerance(dtype: DType) -> f64 {
    if dtype == DType::F32 { 5e-5 } else { 2e-2 }
}

/// The largest difference of two tensors relative to the second's largest magnitude, over all pairs.
fn largest<'a>(pairs: impl Iterator<Item = (&'a Tensor, &'a Tensor)>) -> Result<f64> {
    let mut error = 0.0_f64;
    for (ours, theirs) in pairs {
        if ours.dims() != theirs.dims() {
            bail!("a result of {:?} where the reference gives {:?}", ours.shape(), theirs.shape());
        }
        let (ours, theirs) = (ours.flatten_all()?.to_vec1::<f32>()?, theirs.flatten_all()?.to_vec1::<f32>()?);
        let scale = theirs.iter().fold(f32::MIN_POSITIVE, |max, value| max.max(value.abs()));
        for (a, b) in ours.iter().zip(&theirs) {
            let difference = f64::from((a - b).abs()) / f64::from(scale);
            // `max` alone would drop what is not a number.
            error = if difference.is_nan() { f64::NAN } else { error.max(difference) };
            if error.is_nan() {
                return Ok(error);
            }
        }
    }
    Ok(error)
}

/// Uniform numbers in −1..1, on the CPU.
fn random(shape: &[usize], seed: u64) -> Result<Tensor> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect();
    Tensor::from_vec(values, shape, &Device::Cpu)
}

/// The nearest numbers of type `dtype`, in f32.
fn rounded(tensor: &Tensor, dtype: DType) -> Result<Tensor> {
    tensor.to_dtype(dtype)?.to_dtype(DType::F32)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::tape::composed;

    fn of(fused: impl Fn(&[Tensor]) -> Result<Tensor> + 'static) -> Comparison {
        let fused = move |t: &[Tensor]| composed(&[&t[0]], &fused);
        let plain: Function = Box::new(|t| t[0].sqr());
        let case =
            Case { operation: "square", shapes: vec![vec![3, 4]], activations: 1, fused: Box::new(fused), plain };
        case.compare(&Device::Cpu, DType::F32).unwrap()
    }

    #[test]
    fn what_differs_is_not_ok() {
        assert!(of(|t| t[0].sqr()).ok());
        // Another value, another gradient, nothing at all.
        assert!(!of(|t| t[0].sqr()? * 1.01).ok());
        assert!(!of(|t| (t[0].sqr()?.detach() + &t[0])? - t[0].detach()).ok());
        assert!(!of(|t| t[0].sqr()? * f64::NAN).ok());
    }
}
