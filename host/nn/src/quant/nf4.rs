//! 4-bit NormalFloat (Dettmers et al. 2023, QLoRA, <https://arxiv.org/abs/2305.14314>), bit for bit as bitsandbytes.
//!
//! A weight is cut into blocks of 64 numbers in row-major order. A number is its block's largest magnitude (`absmax`)
//! times one of 16 values. The magnitudes may be quantised themselves: 8 bits each, in blocks of 256, after their mean
//! (`offset`) was taken off. That makes 4 + 8/64 + 32/16,384 = 4.127 bits a number.

use super::dynamic;
use crate::SaveType;
use half::{bf16, f16};
use rayon::prelude::*;
use safetensors::Dtype;

/// Numbers that share a largest magnitude.
pub const BLOCK: usize = 64;

/// The 16 values, ascending: quantiles of a normal distribution, scaled to −1..1, with 0 among them.
pub const CODEBOOK: [f32; 16] = [
    -1.0,
    -0.696_192_8,
    -0.525_073_05,
    -0.394_917_5,
    -0.284_441_38,
    -0.184_773_43,
    -0.091_050_036,
    0.0,
    0.079_580_3,
    0.160_930_2,
    0.246_112_3,
    0.337_915_24,
    0.440_709_83,
    0.562_617,
    0.722_956_84,
    1.0,
];

/// The code of 0.
const ZERO: u8 = 7;

/// A weight in 4 bits.
#[derive(Debug, Clone, PartialEq)]
pub struct Nf4 {
    /// [out, in]
    pub(super) shape: [usize; 2],
    /// Two codes a byte, the earlier one in the high half.
    pub(crate) packed: Vec<u8>,
    pub(crate) absmax: Absmax,
    /// What the weight was before, and what a number is rounded to when it is read.
    pub(super) dtype: SaveType,
    /// As what the bytes are stored: files call them U8, or numbers of two or four bytes.
    pub(super) storage: Dtype,
}

/// The blocks' largest magnitudes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Absmax {
    Plain(Vec<f32>),
    Double { codes: Vec<u8>, nested: Vec<f32>, offset: f32 },
}

impl Absmax {
    fn get(&self, block: usize) -> f32 {
        match self {
            Self::Plain(values) => values[block],
            Self::Double { codes, nested, offset } => {
                dynamic::SIGNED[usize::from(codes[block])] * nested[block / dynamic::BLOCK] + offset
            }
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Plain(values) => values.len() * 4,
            Self::Double { codes, nested, .. } => codes.len() + nested.len() * 4 + 4,
        }
    }
}

impl Nf4 {
    /// Quantises the weight `values` of `shape` [out, in], which were numbers of type `dtype`; `double` quantises the
    /// blocks' magnitudes too.
    ///
    /// # Panics
    /// If there are not out × in values.
    pub fn quantize(values: &[f32], shape: [usize; 2], dtype: SaveType, double: bool) -> Self {
        assert_eq!(values.len(), shape[0] * shape[1], "as many values as the shape has");
        let middles: [f32; 15] = std::array::from_fn(|i| (CODEBOOK[i] + CODEBOOK[i + 1]) / 2.0);
        let mut packed = vec![0; values.len().div_ceil(2)];
        let blocks = packed.par_chunks_mut(BLOCK / 2).zip(values.par_chunks(BLOCK));
        let absmax: Vec<f32> = blocks.map(|(packed, values)| quantize_block(values, &middles, packed)).collect();
        let absmax = if double { doubled(&absmax) } else { Absmax::Plain(absmax) };
        Self { shape, packed, absmax, dtype, storage: Dtype::U8 }
    }

    /// Out and in.
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// What the weight was before it was quantised.
    pub fn dtype(&self) -> SaveType {
        self.dtype
    }

    /// Whether the blocks' magnitudes are quantised too.
    pub fn is_double(&self) -> bool {
        matches!(self.absmax, Absmax::Double { .. })
    }

    /// The same weight, whose file calls its bytes numbers of this type; `None` if they do not fill up whole numbers.
    pub fn stored_as(mut self, storage: Dtype) -> Option<Self> {
        self.storage = storage;
        self.packed.len().is_multiple_of(storage.bitsize() / 8).then_some(self)
    }

    /// Memory that the weight takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.packed.len() + self.absmax.bytes()
    }

    /// Writes the numbers from element `start` on (row-major) into `out`.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn dequantize(&self, start: usize, out: &mut [f32]) {
        assert!(start + out.len() <= self.shape[0] * self.shape[1], "more numbers than the weight has");
        let (mut at, mut rest) = (start, out);
        while !rest.is_empty() {
            let block = at / BLOCK;
            let (now, later) = rest.split_at_mut(rest.len().min((block + 1) * BLOCK - at));
            self.dequantize_block(block, at, now);
            at += now.len();
            rest = later;
        }
    }

    /// All of `out` lies in one block.
    fn dequantize_block(&self, block: usize, at: usize, out: &mut [f32]) {
        let scale = self.absmax.get(block);
        let values = CODEBOOK.map(|value| round(value * scale, self.dtype));
        let code = |at: usize| values[usize::from(self.packed[at / 2] >> (4 * (1 - at % 2)) & 15)];
        if !at.is_multiple_of(2) || !out.len().is_multiple_of(2) {
            out.iter_mut().enumerate().for_each(|(i, out)| *out = code(at + i));
            return;
        }
        let (pairs, _) = out.as_chunks_mut::<2>();
        for (pair, packed) in pairs.iter_mut().zip(&self.packed[at / 2..]) {
            *pair = [values[usize::from(packed >> 4)], values[usize::from(packed & 15)]];
        }
    }
}

/// Fills `packed` and gives the block's largest magnitude. A short block, the last one, goes its own ways in
/// bitsandbytes: it divides where others multiply by the reciprocal, and its magnitude is at least 1e-38.
fn quantize_block(values: &[f32], middles: &[f32; 15], packed: &mut [u8]) -> f32 {
    let largest = values.iter().fold(0.0_f32, |max, value| max.max(value.abs()));
    let floored = largest.max(1e-38);
    let short = values.len() < BLOCK;
    let reciprocal = 1.0 / floored;
    let code = |value: f32| {
        let scaled = if short { value / floored } else { value * reciprocal }.clamp(-1.0, 1.0);
        middles.iter().map(|middle| u8::from(*middle < scaled)).sum::<u8>()
    };
    for (packed, pair) in packed.iter_mut().zip(values.chunks(2)) {
        *packed = code(pair[0]) << 4 | pair.get(1).map_or(ZERO, |value| code(*value));
    }
    if short { floored } else { largest }
}

fn doubled(absmax: &[f32]) -> Absmax {
    let offset = dynamic::mean(absmax);
    let centred: Vec<f32> = absmax.iter().map(|value| value - offset).collect();
    let (codes, nested) = dynamic::quantize(&centred, &dynamic::SIGNED);
    Absmax::Double { codes, nested, offset }
}

fn round(value: f32, dtype: SaveType) -> f32 {
    match dtype {
        SaveType::F32 => value,
        SaveType::Bf16 => bf16::from_f32(value).to_f32(),
        SaveType::F16 => f16::from_f32(value).to_f32(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 7919 % 1009) as f32 - 504.0) / 700.0).collect()
    }

    #[test]
    fn any_part_reads_as_in_the_whole() {
        let weight = Nf4::quantize(&numbers(5 * 77), [5, 77], SaveType::Bf16, true);
        let mut whole = vec![0.0; 5 * 77];
        weight.dequantize(0, &mut whole);
        for (start, end) in [(0, 1), (1, 2), (63, 65), (61, 200), (128, 192), (300, 385), (7, 7)] {
            let mut part = vec![0.0; end - start];
            weight.dequantize(start, &mut part);
            assert_eq!(part, whole[start..end]);
        }
    }

    #[test]
    fn numbers_stay_close_and_zeros_stay_zero() {
        let mut values = numbers(640);
        values[64..128].fill(0.0);
        let weight = Nf4::quantize(&values, [10, 64], SaveType::F32, false);
        let mut back = vec![0.0; 640];
        weight.dequantize(0, &mut back);
        assert!(values.iter().zip(&back).all(|(value, back)| (value - back).abs() < 0.12));
        assert_eq!(back[64..128], [0.0; 64]);
        assert_eq!(weight.packed[32..64], [0x77; 32]);
    }

    #[test]
    fn a_number_takes_4_127_bits() {
        let weight = Nf4::quantize(&vec![0.5; 1 << 20], [1024, 1024], SaveType::F32, true);
        let bits = weight.bytes() as f64 * 8.0 / f64::from(1 << 20);
        assert!((bits - 4.127).abs() < 0.001, "{bits}");
    }
}
