//! 8-bit dynamic quantisation in blocks (Dettmers et al. 2022, <https://arxiv.org/abs/2110.02861>): a number is its
//! block's largest magnitude times one of 256 values, which lie denser towards 0.

use rayon::prelude::*;
use std::sync::LazyLock;

/// Numbers that share a largest magnitude.
pub const BLOCK: usize = 256;

/// The 256 values for numbers of either sign, ascending.
pub static SIGNED: LazyLock<[f32; 256]> = LazyLock::new(|| map(true));

/// The 256 values for numbers that are never negative, ascending.
pub static UNSIGNED: LazyLock<[f32; 256]> = LazyLock::new(|| map(false));

/// The dynamic map with up to 7 bits of exponent; every product is rounded to f32, as PyTorch does.
fn map(signed: bool) -> [f32; 256] {
    let mut values = vec![0.0, 1.0];
    for exponent in 0..7 {
        let intervals = if signed { 1 << exponent } else { 2 << exponent };
        for mean in means(intervals) {
            let value = 10_f64.powi(exponent - 6) as f32 * mean;
            values.push(value);
            values.extend(signed.then_some(-value));
        }
    }
    values.resize(256, 0.0);
    values.sort_by(f32::total_cmp);
    std::array::from_fn(|i| values[i])
}

/// The middles of `n` equal intervals of 0.1 to 1, with PyTorch's `linspace`: from either end to the middle.
fn means(n: usize) -> Vec<f32> {
    let (start, end) = (0.1_f32, 1.0_f32);
    let step = (end - start) / n as f32;
    let bound =
        |i: usize| if i < n.div_ceil(2) { step.mul_add(i as f32, start) } else { (-step).mul_add((n - i) as f32, end) };
    (0..n).map(|i| (bound(i) + bound(i + 1)) / 2.0).collect()
}

/// Quantises `values` in blocks of [`BLOCK`]; gives the codes and each block's largest magnitude.
///
/// As bitsandbytes does on the CPU: numbers are first rounded to one of 65,536 steps of −1..1, then to the nearest value
/// of the map; in a block of zeros every code is 0, which its magnitude of 0 makes 0 again.
pub fn quantize(values: &[f32], map: &[f32; 256]) -> (Vec<u8>, Vec<f32>) {
    let middles: Vec<f32> = map.windows(2).map(|pair| (pair[0] + pair[1]) * 0.5).collect();
    let mut codes = vec![0; values.len()];
    let blocks = codes.par_chunks_mut(BLOCK).zip(values.par_chunks(BLOCK));
    let absmax = blocks.map(|(codes, values)| quantize_block(values, &middles, codes)).collect();
    (codes, absmax)
}

fn quantize_block(values: &[f32], middles: &[f32], codes: &mut [u8]) -> f32 {
    let absmax = values.iter().fold(0.0_f32, |max, value| max.max(value.abs()));
    if absmax == 0.0 {
        codes.fill(0);
        return absmax;
    }
    let reciprocal = 1.0 / absmax;
    for (code, value) in codes.iter_mut().zip(values) {
        *code = nearest((value * reciprocal).clamp(-1.0, 1.0), middles);
    }
    absmax
}

/// Quantises one block of `values` exactly to the nearest value of `map`, and gives its largest magnitude. A number that
/// is not 0 never becomes 0 of [`UNSIGNED`]: an optimizer divides by it.
pub(crate) fn quantize_nearest(values: &[f32], map: &[f32; 256], codes: &mut [u8]) -> f32 {
    let absmax = values.iter().fold(0.0_f32, |max, value| max.max(value.abs()));
    let reciprocal = if absmax > 0.0 { 1.0 / absmax } else { 0.0 };
    // 0 is the first value of the map without negative ones.
    let floor = u8::from(map[0] == 0.0);
    for (code, value) in codes.iter_mut().zip(values) {
        let scaled = (value * reciprocal).clamp(-1.0, 1.0);
        let above = map.partition_point(|candidate| *candidate < scaled).min(255);
        let below = above.saturating_sub(1);
        let nearest = if scaled - map[below] < map[above] - scaled { below } else { above };
        *code = if *value > 0.0 { (nearest as u8).max(floor) } else { nearest as u8 };
    }
    absmax
}

fn nearest(scaled: f32, middles: &[f32]) -> u8 {
    let step = ((scaled + 1.0) * 0.5).mul_add(65535.0, 0.5) as u16;
    let rounded = f32::from(step) * 2.0 / 65535.0 - 1.0;
    middles.partition_point(|middle| *middle < rounded) as u8
}

/// What PyTorch's `mean` gives for f32 on one thread of an x86 processor: the order in which it adds decides the last
/// bit, and the file format keeps that bit.
///
/// Its `cascade_sum` adds in 4 columns of vectors of 8, with partial sums on four levels.
pub fn mean(values: &[f32]) -> f32 {
    const LANES: usize = 8;
    const COLUMNS: usize = 4;
    let (vectors, rest) = values.as_chunks::<LANES>();
    let (rows, tail) = vectors.as_chunks::<COLUMNS>();
    let mut columns = cascade(rows);
    for vector in tail {
        add(&mut columns[0], vector);
    }
    let [mut first, others @ ..] = columns;
    others.iter().for_each(|column| add(&mut first, column));
    let total = rest.iter().chain(&first).fold(0.0, |sum, value| sum + value);
    total / values.len() as f32
}

fn add(sum: &mut [f32; 8], values: &[f32; 8]) {
    sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}

fn cascade(rows: &[[[f32; 8]; 4]]) -> [[f32; 8]; 4] {
    const LEVELS: u32 = 4;
    let power = (rows.len().next_power_of_two().trailing_zeros() / LEVELS).max(4);
    let (step, mask) = (1_usize << power, (1_usize << power) - 1);
    let mut sums = [[[0.0_f32; 8]; 4]; LEVELS as usize];
    let merge =
        |to: &mut [[f32; 8]; 4], from: &[[f32; 8]; 4]| to.iter_mut().zip(from).for_each(|(to, from)| add(to, from));
    for (i, row) in (1..).zip(rows) {
        merge(&mut sums[0], row);
        if i % step != 0 {
            continue;
        }
        for level in 1..LEVELS as usize {
            let below = std::mem::take(&mut sums[level - 1]);
            merge(&mut sums[level], &below);
            if i & (mask << (level as u32 * power)) != 0 {
                break;
            }
        }
    }
    let [mut first, others @ ..] = sums;
    others.iter().for_each(|level| merge(&mut first, level));
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_symmetric_and_dense_towards_zero() {
        assert_eq!((SIGNED[127], SIGNED[255], UNSIGNED[0], UNSIGNED[255]), (0.0, 1.0, 0.0, 1.0));
        assert!(SIGNED.is_sorted() && UNSIGNED.is_sorted());
        assert!((0..127).all(|i| SIGNED[i] == -SIGNED[254 - i]));
    }

    #[test]
    fn quantising_keeps_two_digits() {
        let values: Vec<f32> = (0..1000).map(|i| ((i * 37 % 211) as f32 - 105.0) / 30.0).collect();
        let (codes, absmax) = quantize(&values, &SIGNED);
        for (i, value) in values.iter().enumerate() {
            let back = SIGNED[usize::from(codes[i])] * absmax[i / BLOCK];
            assert!((back - value).abs() <= 0.01 * absmax[i / BLOCK], "{value} became {back}");
        }
    }
}
