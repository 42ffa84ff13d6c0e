//! Vectorised loops without assuming the build machine's processor, and an exponential that vectorises.

use std::sync::LazyLock;

/// Elements or rows are handed to threads in pieces of about this many numbers.
pub(crate) const PIECE: usize = 16 * 1024;

/// What a processor's vectors can do, as x86-64 is divided into levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// What every processor of this architecture has.
    Baseline,
    /// AVX2 with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    V3,
    /// AVX-512.
    #[cfg(target_arch = "x86_64")]
    V4,
}

/// What this processor has.
pub(crate) fn level() -> Level {
    static LEVEL: LazyLock<Level> = LazyLock::new(detect);
    *LEVEL
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Level {
    use std::arch::is_x86_feature_detected as has;
    let v3 = has!("avx2") && has!("fma") && has!("bmi2") && has!("f16c");
    let v4 = v3 && has!("avx512f") && has!("avx512bw") && has!("avx512cd") && has!("avx512dq") && has!("avx512vl");
    match (v4, v3) {
        (true, _) => Level::V4,
        (_, true) => Level::V3,
        _ => Level::Baseline,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Level {
    Level::Baseline
}

/// Defines functions that are compiled once for each [`Level`]; a call runs the widest that this processor has.
///
/// What the body calls must be marked `#[inline(always)]`: what is left out of line is compiled for the baseline. A
/// generic function that takes the body as a value will not do, since the shim that calls a function as a value cannot be
/// marked.
macro_rules! vectorised {
    ($($(#[$attribute:meta])* $see:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $out:ty)? $body:block)+) => {$(
        $(#[$attribute])*
        $see fn $name($($argument: $type),*) $(-> $out)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body($($argument: $type),*) $(-> $out)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,bmi2,f16c")]
            #[allow(clippy::too_many_arguments)]
            fn v3($($argument: $type),*) $(-> $out)? {
                body($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,bmi2,f16c,avx512f,avx512bw,avx512cd,avx512dq,avx512vl")]
            #[allow(clippy::too_many_arguments)]
            fn v4($($argument: $type),*) $(-> $out)? {
                body($($argument),*)
            }

            match $crate::kernels::simd::level() {
                // SAFETY: the level says that this processor has the features of the function.
                #[cfg(target_arch = "x86_64")]
                $crate::kernels::simd::Level::V4 => unsafe { v4($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::kernels::simd::Level::V3 => unsafe { v3($($argument),*) },
                $crate::kernels::simd::Level::Baseline => body($($argument),*),
            }
        }
    )+};
}
pub(crate) use vectorised;

/// `e^x` to about 1e-7 relative, branch-free so that loops over it vectorise; saturates at 2^±126, keeps NaN.
///
/// Cody-Waite reduction to |r| ≤ ln 2 / 2, then a polynomial (Cephes `expf`).
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    const SHIFT: f32 = 12_582_912.0; // 1.5 · 2^23: adding it rounds to an integer, kept in the low bits
    let x = x.clamp(-87.3, 87.3);
    let shifted = x.mul_add(std::f32::consts::LOG2_E, SHIFT);
    let n = shifted - SHIFT;
    let r = n.mul_add(2.121_944_4e-4, n.mul_add(-0.693_359_4, x));
    let p = 1.987_569_1e-4_f32;
    let p = p.mul_add(r, 1.398_199_9e-3);
    let p = p.mul_add(r, 8.333_452e-3);
    let p = p.mul_add(r, 4.166_579_6e-2);
    let p = p.mul_add(r, 0.166_666_66);
    let p = p.mul_add(r, 0.5);
    let value = p.mul_add(r * r, r) + 1.0;
    let exponent = shifted.to_bits().wrapping_sub(SHIFT.to_bits()).wrapping_add(127) << 23;
    value * f32::from_bits(exponent)
}

/// Σ of `term(i)` for i below `n`, in 16 interleaved partial sums: the same order on every machine.
#[inline(always)]
pub(crate) fn sum(n: usize, term: impl Fn(usize) -> f32) -> f32 {
    let mut lanes = [0.0_f32; 16];
    let whole = n / 16 * 16;
    for start in (0..whole).step_by(16) {
        for (lane, total) in lanes.iter_mut().enumerate() {
            *total += term(start + lane);
        }
    }
    for i in whole..n {
        lanes[i % 16] += term(i);
    }
    lanes.iter().sum()
}

/// The largest value; NaN is passed over.
#[inline(always)]
pub(crate) fn max(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 16];
    let (whole, rest) = values.as_chunks::<16>();
    for values in whole {
        for lane in 0..16 {
            lanes[lane] = larger(lanes[lane], values[lane]);
        }
    }
    let mut found = f32::NEG_INFINITY;
    for value in lanes.iter().chain(rest) {
        found = larger(found, *value);
    }
    found
}

#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

/// `values = e^(values − shift)`
#[inline(always)]
pub(crate) fn exp_minus(values: &mut [f32], shift: f32) {
    for value in values {
        *value = exp(*value - shift);
    }
}

/// `values = values · factor`
#[inline(always)]
pub(crate) fn multiply(values: &mut [f32], factor: f32) {
    for value in values {
        *value *= factor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_close_over_its_range() {
        let worst = (-87_000..=87_000).map(|i| i as f32 / 1000.0).map(|x| (exp(x) / x.exp() - 1.0).abs());
        assert!(worst.fold(0.0, f32::max) < 3e-7);
        assert!(exp(f32::NAN).is_nan());
        assert!(exp(-1e30) < 1e-37 && exp(-1e30) >= 0.0);
    }

    #[test]
    fn max_finds_the_largest_wherever_it_is() {
        for n in [1, 15, 16, 17, 100] {
            for at in 0..n {
                let values: Vec<f32> = (0..n).map(|i| if i == at { -1.0 } else { -2.0 - i as f32 }).collect();
                assert_eq!(max(&values), -1.0);
            }
        }
    }

    #[test]
    fn sum_takes_every_term_once() {
        for n in [0, 1, 15, 16, 17, 100] {
            assert_eq!(sum(n, |i| i as f32), (n * n.saturating_sub(1) / 2) as f32);
        }
    }
}
