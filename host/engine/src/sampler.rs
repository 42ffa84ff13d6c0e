//! Choosing the next token.

use diapason_core::language_model::Decoding;
use diapason_models::decoder::argmax;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

/// Chooses tokens for one prompt.
#[derive(Debug)]
pub(crate) struct Sampler {
    temperature: f64,
    top_p: f64,
    rng: ChaCha12Rng,
}

impl Sampler {
    /// `stream` is the prompt's own.
    pub(crate) fn new(decoding: &Decoding, stream: u64) -> Self {
        let mut rng = ChaCha12Rng::seed_from_u64(decoding.seed);
        rng.set_stream(stream);
        Self { temperature: decoding.temperature, top_p: decoding.top_p, rng }
    }

    /// The next token: the likeliest (of equals the first) at temperature 0, otherwise one drawn from the smallest set of
    /// tokens whose probability reaches `top_p` (Holtzman et al. 2020, <https://arxiv.org/abs/1904.09751>).
    pub(crate) fn pick(&mut self, logits: &[f32]) -> u32 {
        if self.temperature == 0.0 {
            return argmax(logits) as u32;
        }
        let mut tokens = self.weights(logits);
        tokens.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let total: f64 = tokens.iter().map(|(_, weight)| weight).sum();
        let kept = enough(&tokens, self.top_p * total);
        let kept_total: f64 = tokens[..kept].iter().map(|(_, weight)| weight).sum();
        let mut draw = self.rng.random::<f64>() * kept_total;
        for (token, weight) in &tokens[..kept] {
            draw -= weight;
            if draw < 0.0 {
                return *token;
            }
        }
        tokens[kept - 1].0
    }

    /// Tokens with weights proportional to their probabilities; the likeliest has weight 1.
    fn weights(&self, logits: &[f32]) -> Vec<(u32, f64)> {
        let top = f64::from(logits[argmax(logits)]);
        let weight = |logit: &f32| ((f64::from(*logit) - top) / self.temperature).exp();
        (0..).zip(logits.iter().map(weight)).collect()
    }
}

/// How many of the sorted tokens it takes to reach `weight`; at least one.
fn enough(tokens: &[(u32, f64)], weight: f64) -> usize {
    let mut sum = 0.0;
    let reaches = |(_, each): &(u32, f64)| {
        sum += each;
        sum >= weight
    };
    tokens.iter().position(reaches).map_or(tokens.len(), |last| last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(top_p: f64, temperature: f64) -> [usize; 3] {
        let decoding = Decoding { temperature, top_p, seed: 3, ..Decoding::default() };
        let mut sampler = Sampler::new(&decoding, 7);
        let logits = [0.5f32.ln(), 0.3f32.ln(), 0.2f32.ln()];
        (0..10_000).fold([0; 3], |mut counts, _| {
            counts[sampler.pick(&logits) as usize] += 1;
            counts
        })
    }

    #[test]
    fn draws_follow_the_probabilities() {
        for (count, expected) in counts(1.0, 1.0).into_iter().zip([5000, 3000, 2000]) {
            assert!(count.abs_diff(expected) < 200, "{count} for {expected}");
        }
    }

    #[test]
    fn top_p_keeps_the_smallest_set_that_reaches_it() {
        assert_eq!(counts(0.5, 1.0), [10_000, 0, 0]);
        let [first, second, third] = counts(0.6, 1.0);
        assert_eq!((first + second, third), (10_000, 0));
        assert!(first.abs_diff(6250) < 200, "{first}");
    }

    #[test]
    fn temperature_zero_takes_the_first_of_the_likeliest() {
        let mut sampler = Sampler::new(&Decoding::default(), 0);
        assert_eq!(sampler.pick(&[0.0, 2.0, 2.0, f32::NAN]), 1);
    }
}
