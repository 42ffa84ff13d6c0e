//! Dropout masks that are computed from a counter wherever they are needed, so that none is ever stored.

/// Which elements are dropped: a function of seed, layer and the element's index.
#[derive(Debug, Clone, Copy)]
pub struct Dropout {
    pub(super) key: u32,
    /// An element is kept if its hash is at least this.
    pub(super) threshold: u32,
    /// What a kept element is multiplied by: 1 / (1 − p).
    pub(super) scale: f32,
}

impl Dropout {
    /// Drops each element with `probability`; `None` if that is 0.
    pub fn new(probability: f64, seed: u64, stream: u64) -> Option<Self> {
        let key = mix64(seed ^ mix64(stream.wrapping_add(1)));
        let threshold = (probability * 2_f64.powi(32)) as u32;
        (probability > 0.0).then_some(Self {
            key: (key >> 32) as u32,
            threshold,
            scale: (1.0 / (1.0 - probability)) as f32,
        })
    }

    /// What element `index` is multiplied by.
    #[inline(always)]
    pub(crate) fn factor(&self, index: usize) -> f32 {
        if mix32(index as u32 ^ self.key).wrapping_add((index >> 32) as u32) >= self.threshold {
            self.scale
        } else {
            0.0
        }
    }
}

/// Numbers uniform in −1..1, computed from a counter: the noise that NEFTune (Jain et al. 2023,
/// <https://arxiv.org/abs/2310.05914>) adds to embeddings. Gives `n` of them times `scale`, from number `first` on.
pub fn noise(seed: u64, first: usize, n: usize, scale: f32) -> impl Iterator<Item = f32> {
    let key = (mix64(seed ^ mix64(u64::MAX)) >> 32) as u32;
    let uniform = move |i: usize| mix32(i as u32 ^ key).wrapping_add((i >> 32) as u32) as f32 / 2_f32.powi(31) - 1.0;
    (first..first + n).map(move |i| uniform(i) * scale)
}

/// splitmix64's finaliser (Steele et al. 2014).
fn mix64(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// A 32-bit integer hash with little bias ("lowbias32", Wellons 2018); 32 bits vectorise.
#[inline(always)]
fn mix32(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x7FEB_352D);
    let x = (x ^ (x >> 15)).wrapping_mul(0x846C_A68B);
    x ^ (x >> 16)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn drops_the_wanted_share_and_keeps_the_mean() {
        for seed in 0..4 {
            let dropout = Dropout::new(0.1, seed, 3).unwrap();
            let n = 100_000;
            let mean = (0..n).map(|i| dropout.factor(i)).sum::<f32>() / n as f32;
            assert!((mean - 1.0).abs() < 0.01, "{mean}");
        }
        assert!(Dropout::new(0.0, 1, 1).is_none());
    }

    #[test]
    fn noise_is_uniform_and_can_be_had_in_parts() {
        let whole: Vec<f32> = noise(7, 0, 10_000, 2.0).collect();
        let parts: Vec<f32> = noise(7, 0, 10, 2.0).chain(noise(7, 10, 9990, 2.0)).collect();
        assert_eq!(whole, parts);
        let mean = |power: i32| whole.iter().map(|x| x.powi(power)).sum::<f32>() / 10_000.0;
        assert!(mean(1).abs() < 0.05 && (mean(2) - 4.0 / 3.0).abs() < 0.05);
        assert!(whole.iter().all(|x| x.abs() <= 2.0) && noise(8, 0, 1, 2.0).next() != Some(whole[0]));
    }

    #[test]
    fn layers_and_passes_have_masks_of_their_own() {
        let mask = |seed, stream| {
            let dropout = Dropout::new(0.5, seed, stream).unwrap();
            (0..256).map(|i| dropout.factor(i) > 0.0).collect::<Vec<_>>()
        };
        assert_eq!(mask(1, 2), mask(1, 2));
        assert_ne!(mask(1, 2), mask(1, 3));
        assert_ne!(mask(1, 2), mask(2, 2));
    }
}
