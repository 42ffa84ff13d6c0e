//! The operations of a forward and a backward pass.

use super::{Case, Comparison, Function, random};
use crate::SaveType;
use crate::kernels::{self, Dropout, Weight, cross_entropy, reference};
use crate::layout::{Sequences, Span};
use crate::quant::Nf4;
use crate::tape::composed;
use candle_core::{DType, Device, Result, Tensor, bail};

/// More rows of logits than exist at the same time on any device.
const ROWS: usize = 1024;

/// All of them, in shapes that are no multiples of a warp, a block or a tile.
pub(super) fn compare(device: &Device, dtype: DType) -> Result<Vec<Comparison>> {
    let mut cases = vec![rms_norm(1, 16), rms_norm(3, 37), rms_norm(700, 2048), swiglu(&[3, 7001])];
    cases.extend([rope(&[5, 6])?, rope(&[3, 5, 6])?, linear(&[2, 5, 7], 11), linear(&[3, 129, 160], 333)]);
    cases.extend([lora(None)?, lora(Dropout::new(0.4, 3, 5))?, half_precision()?, head(2 * ROWS + 77, 24, 37)]);
    for double in [false, true] {
        for stored in [SaveType::F32, SaveType::Bf16, SaveType::F16] {
            cases.push(nf4([70, 401], 33, stored, double)?);
        }
    }
    if device.is_cuda() {
        // More numbers than a tile holds.
        cases.push(nf4([16_500, 4100], 5, SaveType::Bf16, true)?);
    }
    cases.extend(attention());
    cases.push(residual(&[3, 7001]));
    cases.push(rows(
        "vector added to rows",
        |y, bias| kernels::add_to_rows(y.clone(), bias),
        |y, bias| y.broadcast_add(bias),
    ));
    cases.push(rows("rows scaled", kernels::scale_rows, |y, scale| y.broadcast_mul(scale)));
    let mut found = cases.iter().map(|case| case.compare(device, dtype)).collect::<Result<Vec<_>>>()?;
    found.push(dora(device, dtype)?);
    Ok(found)
}

fn case<'a>(
    operation: &'static str,
    shapes: &[&[usize]],
    activations: usize,
    fused: impl Fn(&[Tensor]) -> Result<Tensor> + 'a,
    plain: impl Fn(&[Tensor]) -> Result<Tensor> + 'a,
) -> Case<'a> {
    let (fused, plain): (Function, Function) = (Box::new(fused), Box::new(plain));
    Case { operation, shapes: shapes.iter().map(|shape| shape.to_vec()).collect(), activations, fused, plain }
}

fn rms_norm(rows: usize, d: usize) -> Case<'static> {
    let plain = |t: &[Tensor]| reference::rms_norm(&t[0], &t[1], 1e-5);
    case("rms norm", &[&[1, rows, d], &[d]], 1, |t| kernels::rms_norm(&t[0], &t[1], 1e-5), plain)
}

fn swiglu(shape: &[usize]) -> Case<'static> {
    // Large gates too, where the sigmoid is 0 or 1.
    let wide = |z: &Tensor| composed(&[z], |z| &z[0] * 16.0);
    case(
        "swiglu",
        &[shape, shape],
        2,
        move |t| kernels::swiglu(&wide(&t[0])?, &t[1]),
        move |t| reference::swiglu(&wide(&t[0])?, &t[1]),
    )
}

/// The residual stream; what is added must be nobody's.
fn residual(shape: &[usize]) -> Case<'static> {
    let fused = |t: &[Tensor]| kernels::add_residual(&t[0], composed(&[&t[1]], |y| &y[0] * 2.0)?);
    case("residual", &[shape, shape], 2, fused, |t| &t[0] + (&t[1] * 2.0)?)
}

/// Of rows and a vector.
type OnRows = fn(&Tensor, &Tensor) -> Result<Tensor>;

/// A vector on every row.
fn rows(operation: &'static str, fused: OnRows, plain: OnRows) -> Case<'static> {
    let plain = move |t: &[Tensor]| plain(&(&t[0] * 2.0)?, &t[1]);
    let fused = move |t: &[Tensor]| fused(&composed(&[&t[0]], |y| &y[0] * 2.0)?, &t[1]);
    case(operation, &[&[2, 133, 70], &[70]], 1, fused, plain)
}

fn rope(angles: &[usize]) -> Result<Case<'static>> {
    let (cos, sin) = (random(angles, 7)?, random(angles, 8)?);
    let (own_cos, own_sin) = (cos.clone(), sin.clone());
    let fused = move |t: &[Tensor]| {
        let device = t[0].device();
        kernels::rope(&t[0], &own_cos.to_device(device)?, &own_sin.to_device(device)?)
    };
    Ok(case("rope", &[&[3, 5, 2, 12]], 1, fused, move |t| reference::rope(&t[0], &cos, &sin)))
}

/// A trained layer with its bias.
fn linear(x: &[usize], out: usize) -> Case<'static> {
    let plain = |t: &[Tensor]| reference::linear(&t[0], &t[1])?.broadcast_add(&t[2]);
    let fused = |t: &[Tensor]| kernels::linear(&t[0], &t[1].clone().into(), Some(&t[2]));
    case("linear", &[x, &[out, x[x.len() - 1]], &[out]], 1, fused, plain)
}

/// A frozen weight in bf16.
fn half_precision() -> Result<Case<'static>> {
    let half = random(&[130, 77], 2)?.to_dtype(DType::BF16)?;
    let dense = half.to_dtype(DType::F32)?;
    let fused = move |t: &[Tensor]| kernels::linear(&t[0], &half.to_device(t[0].device())?.into(), None);
    Ok(case("linear, frozen in bf16", &[&[2, 35, 77]], 1, fused, move |t| reference::linear(&t[0], &dense)))
}

/// A frozen weight in 4 bits, which was stored as `stored` before.
fn nf4(shape: [usize; 2], rows: usize, stored: SaveType, double: bool) -> Result<Case<'static>> {
    let values = random(&shape, 3)?.flatten_all()?.to_vec1::<f32>()?;
    let weight = Weight::from(Nf4::quantize(&values, shape, stored, double));
    let dense = weight.to_f32()?;
    let operation = match (stored, double) {
        (SaveType::F32, false) => "linear in nf4 of f32",
        (SaveType::Bf16, false) => "linear in nf4 of bf16",
        (SaveType::F16, false) => "linear in nf4 of f16",
        (SaveType::F32, true) => "linear in nf4 of f32, double",
        (SaveType::Bf16, true) => "linear in nf4 of bf16, double",
        (SaveType::F16, true) => "linear in nf4 of f16, double",
    };
    let fused = move |t: &[Tensor]| kernels::linear(&t[0], &weight, None);
    Ok(case(operation, &[&[rows, shape[1]]], 1, fused, move |t| reference::linear(&t[0], &dense)))
}

/// An adapter on a frozen layer with a bias.
fn lora(dropout: Option<Dropout>) -> Result<Case<'static>> {
    let (weight, bias) = (random(&[65, 70], 50)?, random(&[65], 51)?);
    let (own_weight, own_bias) = (weight.clone(), bias.clone());
    let factors = (0..2 * 40 * 70).map(|i| dropout.map_or(1.0, |dropout| dropout.factor(i))).collect();
    let factors = Tensor::from_vec(factors, (2, 40, 70), &Device::Cpu)?;
    let fused = move |t: &[Tensor]| {
        let device = t[0].device();
        let (weight, bias) = (own_weight.to_device(device)?, own_bias.to_device(device)?);
        kernels::lora(&t[0], &weight.into(), Some(&bias), &t[1], &t[2], 0.7, dropout)
    };
    let plain = move |t: &[Tensor]| {
        let update = reference::linear(&reference::linear(&(&t[0] * &factors)?, &t[1])?, &t[2])?;
        reference::linear(&t[0], &weight)?.broadcast_add(&bias)? + (update * 0.7)?
    };
    let operation = if dropout.is_some() { "lora with dropout" } else { "lora" };
    Ok(case(operation, &[&[2, 40, 70], &[16, 70], &[65, 16]], 1, fused, plain))
}

/// The output head with its loss, over several chunks.
fn head(rows: usize, d: usize, vocab: usize) -> Case<'static> {
    let hash = |i: usize| (i as u32).wrapping_mul(2_654_435_761) % vocab as u32;
    let targets: Vec<Option<u32>> = (0..rows).map(|i| (i % 11 != 3).then_some(hash(i))).collect();
    let own = targets.clone();
    case(
        "head and cross-entropy",
        &[&[rows, d], &[vocab, d]],
        1,
        move |t| cross_entropy(&t[0], &t[1], &own, 100.0),
        move |t| reference::cross_entropy(&t[0], &t[1], &targets, 100.0),
    )
}

fn attention() -> Vec<Case<'static>> {
    let span = |offset, keys| Span { offset, keys };
    let of = |t: usize, s: usize, [h, kv, d]: [usize; 3], spans: Vec<Span>| {
        let (b, own) = (spans.len(), Sequences::Padded(spans.clone()));
        case(
            "attention",
            &[&[b, t, h, d], &[b, s, kv, d], &[b, s, kv, d]],
            3,
            move |x| kernels::attention(&x[0], &x[1], &x[2], &own),
            move |x| reference::attention(&x[0], &x[1], &x[2], &spans),
        )
    };
    let mut cases = vec![
        of(7, 7, [4, 2, 6], vec![span(0, 7), span(0, 7)]),
        of(9, 9, [4, 2, 8], vec![span(0, 9), span(0, 4), span(0, 1)]),
        of(3, 12, [6, 2, 4], vec![span(5, 8), span(9, 12), span(0, 2)]),
        of(133, 133, [2, 1, 8], vec![span(0, 133), span(0, 64)]),
        of(300, 300, [8, 2, 64], vec![span(0, 300)]),
    ];
    cases.push(packed(vec![73, 1, 30]));
    cases
}

/// Sequences one behind the other, against each of them alone.
fn packed(lengths: Vec<usize>) -> Case<'static> {
    let (h, kv, d, t) = (4, 2, 8, lengths.iter().sum());
    let sequences = Sequences::Packed(lengths.clone());
    let alone = move |x: &[Tensor]| {
        let (mut first, mut parts) = (0, Vec::new());
        for n in &lengths {
            let part = |x: &Tensor| x.narrow(1, first, *n)?.contiguous();
            let span = Span { offset: 0, keys: *n };
            parts.push(reference::attention(&part(&x[0])?, &part(&x[1])?, &part(&x[2])?, &[span])?);
            first += n;
        }
        Tensor::cat(&parts, 1)
    };
    let shapes: [&[usize]; 3] = [&[1, t, h, d], &[1, t, kv, d], &[1, t, kv, d]];
    case("attention, packed", &shapes, 3, move |x| kernels::attention(&x[0], &x[1], &x[2], &sequences), alone)
}

/// The row lengths that DoRA divides by, which have no gradient.
fn dora(device: &Device, dtype: DType) -> Result<Comparison> {
    let (weight, a, b) = (random(&[70, 41], 1)?, random(&[3, 41], 2)?, random(&[70, 3], 3)?);
    let on = |tensor: &Tensor| tensor.to_device(device);
    let ours = kernels::row_norms(&on(&weight)?.into(), &on(&a)?, &on(&b)?, 0.5)?;
    let theirs = (weight + (b.matmul(&a)? * 0.5)?)?.sqr()?.sum(1)?.sqrt()?;
    if ours.len() != theirs.elem_count() {
        bail!("{} row lengths of {}", ours.len(), theirs.elem_count());
    }
    let error = super::largest(std::iter::once((&Tensor::new(ours, &Device::Cpu)?, &theirs)))?;
    let (operation, shapes) = ("dora's row lengths", "[70, 41] [3, 41] [70, 3]".to_owned());
    Ok(Comparison { operation, shapes, dtype, error, tolerance: super::tolerance(DType::F32) })
}
