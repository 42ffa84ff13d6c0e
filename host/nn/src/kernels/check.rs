//! What the kernels' tests share: seeded tensors, closeness, and a fused operation against its reference.

use candle_core::{Device, Result, Tensor, Var};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Uniform numbers in −1..1.
pub(crate) fn random(shape: &[usize], seed: u64) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).expect("the shape has as many elements")
}

/// Asserts that two tensors differ nowhere by more than `tolerance`.
#[track_caller]
pub(crate) fn assert_close(ours: &Tensor, theirs: &Tensor, tolerance: f32) {
    assert_eq!(ours.dims(), theirs.dims());
    let values = |tensor: &Tensor| tensor.flatten_all().and_then(|flat| flat.to_vec1::<f32>()).expect("f32");
    let (ours, theirs) = (values(ours), values(theirs));
    for (i, (a, b)) in ours.iter().zip(&theirs).enumerate() {
        // Written so that NaN fails.
        assert!((a - b).abs() <= tolerance, "element {i}: {a} against {b}");
    }
}

/// Asserts that `fused` and `reference` agree in value and, under a random upstream gradient, in every gradient.
#[track_caller]
pub(crate) fn assert_same(
    shapes: &[&[usize]],
    tolerance: f32,
    fused: impl Fn(&[Tensor]) -> Result<Tensor>,
    reference: impl Fn(&[Tensor]) -> Result<Tensor>,
) {
    let inputs = shapes.iter().enumerate().map(|(i, shape)| Var::from_tensor(&random(shape, i as u64 + 1)));
    let inputs: Vec<Var> = inputs.collect::<Result<_>>().expect("variables");
    let tensors: Vec<Tensor> = inputs.iter().map(|var| var.as_tensor().clone()).collect();
    let (ours, theirs) = (fused(&tensors).expect("fused"), reference(&tensors).expect("reference"));
    assert_close(&ours, &theirs, tolerance);
    let upstream = random(theirs.dims(), 99);
    let backward = |y: &Tensor| (y * &upstream)?.sum_all()?.backward();
    let (ours, theirs) = (backward(&ours).expect("fused backward"), backward(&theirs).expect("reference backward"));
    for input in &inputs {
        let theirs = theirs.get(input).expect("a gradient of the reference");
        assert_close(ours.get(input).expect("a gradient"), theirs, tolerance);
    }
}
