//! Random parameters, for training from scratch.

use super::Llama;
use crate::families::Config;
use candle_core::{Device, Tensor};
use diapason_core::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f64::consts::TAU;

/// Standard deviation of the weights: transformers' `initializer_range`.
const DEVIATION: f64 = 0.02;

impl Llama {
    /// A decoder with random parameters, as transformers initialises one: matrices normal with deviation 0.02, norms 1,
    /// biases 0. The same seed gives the same parameters.
    ///
    /// # Errors
    /// The configuration contradicts itself.
    pub fn init(config: Config, seed: u64) -> Result<Self> {
        config.check()?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let made = Self::build(config, |name: &str, shape: &[usize]| {
            let n: usize = shape.iter().product();
            let values = match (name.ends_with(".bias"), shape.len()) {
                (true, _) => vec![0.0; n],
                (false, 1) => vec![1.0; n],
                _ => (0..n).map(|_| (DEVIATION * normal(&mut rng)) as f32).collect(),
            };
            Tensor::from_vec(values, shape, &Device::Cpu)
        });
        made.map_err(|source| Error::run("failed to set up random parameters").because(source))
    }
}

/// A standard normal number (Box and Muller 1958).
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    // 1 − u is in (0, 1]: its logarithm is finite.
    let (u, angle) = (rng.random::<f64>(), rng.random::<f64>());
    (-2.0 * (1.0 - u).ln()).sqrt() * (TAU * angle).cos()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn normal_numbers_have_mean_0_and_deviation_1() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let numbers: Vec<f64> = (0..100_000).map(|_| normal(&mut rng)).collect();
        let mean = |power: i32| numbers.iter().map(|x| x.powi(power)).sum::<f64>() / numbers.len() as f64;
        assert!(mean(1).abs() < 0.02 && (mean(2) - 1.0).abs() < 0.02 && (mean(4) - 3.0).abs() < 0.15);
    }
}
