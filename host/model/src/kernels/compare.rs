//! Every operation on a device against its plain reference on the CPU: forward, backward, and the optimizer.
//!
//! One body for all devices: `tests/devices.rs` runs it on the CPU and on a GPU where there is one, `cargo x gpu` prints
//! what it gives. On a GPU activations are f32 or bf16; what they are compared with is always computed in f32, from the
//! numbers that the device was given.

mod operations;
mod optimizer;

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
        let activate = |i: usize, tensor: &Tensor| match i < self.activations {
            true => tensor.to_dtype(dtype),
            false => Ok(tensor.clone()),
        };
        let theirs = results(&given, &Device::Cpu, DType::F32, &self.plain, |_, tensor| Ok(tensor.clone()))?;
        let ours = results(&given, device, dtype, &self.fused, activate)?;
        let shapes = self.shapes.iter().map(|shape| format!("{shape:?}")).collect::<Vec<_>>().join(" ");
        let error = largest(ours.iter().zip(&theirs))?;
        Ok(Comparison { operation: self.operation, shapes, dtype, error, tolerance: tolerance(dtype) })
    }
}

/// f32 allows for sums in another order; bf16 for about two roundings to its 8 bits.
fn tolerance(dtype: DType) -> f64 {
    if dtype == DType::F32 { 5e-5 } else { 2e-2 }
}

/// What `function` gives and, under a random upstream gradient, the gradients of all that it is given: in f32 on the CPU.
fn results(
    given: &[Tensor],
    device: &Device,
    dtype: DType,
    function: &Function,
    activate: impl Fn(usize, &Tensor) -> Result<Tensor>,
) -> Result<Vec<Tensor>> {
    let vars = given.iter().map(|tensor| Var::from_tensor(&tensor.to_device(device)?)).collect::<Result<Vec<_>>>()?;
    let arguments = vars.iter().enumerate().map(|(i, var)| activate(i, var.as_tensor())).collect::<Result<Vec<_>>>()?;
    // candle cannot sum a tensor without dimensions on a GPU.
    let y = function(&arguments)?.to_dtype(DType::F32)?.flatten_all()?;
    let upstream = rounded(&random(y.dims(), 99)?, dtype)?.to_device(device)?;
    let gradients = (&y * upstream)?.sum_all()?.backward()?;
    let mut all = vec![y.detach()];
    for var in &vars {
        let Some(gradient) = gradients.get(var) else { bail!("an argument gets no gradient") };
        all.push(gradient.to_dtype(DType::F32)?);
    }
    all.iter().map(|tensor| tensor.to_device(&Device::Cpu)).collect()
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

    fn of(fused: impl Fn(&[Tensor]) -> Result<Tensor> + 'static) -> Comparison {
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
