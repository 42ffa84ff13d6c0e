//! `random.Random` of Python, as far as samples are drawn with it.

use rand_mt::Mt;
use std::collections::HashSet;

/// Python's generator with a seed.
pub(super) struct Random(Mt);

impl Random {
    pub(super) fn new(seed: u32) -> Self {
        Self(Mt::new_with_key([seed]))
    }

    /// `sample(range(population), count)`: different numbers, in the order in which they are drawn. `count` is at most
    /// `population`.
    pub(super) fn sample(&mut self, population: usize, count: usize) -> Vec<usize> {
        if population <= largest_pool(count) {
            let mut pool: Vec<usize> = (0..population).collect();
            return (0..count).map(|_| pool.swap_remove(self.below(pool.len()))).collect();
        }
        let mut seen = HashSet::new();
        let mut draw = || loop {
            let drawn = self.below(population);
            if seen.insert(drawn) {
                return drawn;
            }
        };
        (0..count).map(|_| draw()).collect()
    }

    /// `_randbelow`: a number below `limit`, by rejection.
    fn below(&mut self, limit: usize) -> usize {
        let bits = usize::BITS - limit.leading_zeros();
        loop {
            let drawn = (self.0.next_u32() >> (32 - bits)) as usize;
            if drawn < limit {
                return drawn;
            }
        }
    }
}

/// Up to so many, Python draws from a list instead of looking for numbers that it has not drawn.
fn largest_pool(count: usize) -> usize {
    let more = if count > 5 { 4_f64.powf(((count * 3) as f64).log(4.0).ceil()) as usize } else { 0 };
    21 + more
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A run of draws with one generator: the population, how many, and what Python drew.
    type Golden = Vec<(usize, usize, Vec<usize>)>;

    #[test]
    fn samples_are_those_of_python() {
        let golden: Golden = serde_json::from_str(include_str!("golden/samples.json")).unwrap();
        let mut random = Random::new(1234);
        assert!(golden.len() > 100);
        for (population, count, expected) in golden {
            assert_eq!(random.sample(population, count), expected, "{count} of {population}");
        }
    }
}
