//! The examples that stand before a question, drawn as the harness draws them.

use super::field::Doc;
use super::python_random::Random;
use diapason_core::{Error, Result};

/// What the harness draws with unless it is told otherwise.
const SEED: u32 = 1234;

/// Draws examples, question by question, in the order of the rows.
pub(super) struct Sampler<'a> {
    pool: &'a [Doc],
    count: usize,
    /// The same first ones for all questions.
    first: bool,
    /// Whether a question may be among the examples and is left out of its own.
    own: bool,
    random: Random,
}

impl<'a> Sampler<'a> {
    pub(super) fn new(pool: &'a [Doc], count: usize, first: bool, own: bool) -> Self {
        Self { pool, count, first, own, random: Random::new(SEED) }
    }

    /// The examples of the next question.
    ///
    /// # Errors
    /// There are too few.
    pub(super) fn next(&mut self, question: &Doc) -> Result<Vec<&'a Doc>> {
        if self.count == 0 {
            return Ok(Vec::new());
        }
        let others = |docs: Vec<&'a Doc>| docs.into_iter().filter(|doc| *doc != question).collect::<Vec<_>>();
        let all: Vec<&Doc> = self.pool.iter().collect();
        if self.first {
            return self.enough(if self.own { others(all) } else { all });
        }
        if !self.own {
            return self.draw(&all, self.count);
        }
        // One more is drawn, in case that the question is among them.
        let drawn = others(self.draw(&all, self.count + 1)?);
        if drawn.len() >= self.count {
            return self.enough(drawn);
        }
        self.draw(&others(all), self.count)
    }

    fn enough(&self, mut docs: Vec<&'a Doc>) -> Result<Vec<&'a Doc>> {
        if docs.len() < self.count {
            return Err(self.too_few(docs.len(), self.count));
        }
        docs.truncate(self.count);
        Ok(docs)
    }

    fn draw(&mut self, from: &[&'a Doc], count: usize) -> Result<Vec<&'a Doc>> {
        if count > from.len() {
            return Err(self.too_few(from.len(), count));
        }
        Ok(self.random.sample(from.len(), count).into_iter().map(|index| from[index]).collect())
    }

    fn too_few(&self, there: usize, needed: usize) -> Error {
        let more = if needed > self.count { ", one of which may be the question itself" } else { "" };
        Error::data(format!("there are {there} rows to draw examples from, and {needed} are needed{more}"))
            .hint("lower `num_fewshot`, or name another `fewshot_split`")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn docs(names: &[&str]) -> Vec<Doc> {
        names.iter().map(|name| json!({"q": name}).as_object().unwrap().clone()).collect()
    }

    #[test]
    fn the_question_is_none_of_its_examples() {
        let pool = docs(&["a", "b", "a", "c"]);
        for first in [true, false] {
            for _ in 0..20 {
                let mut sampler = Sampler::new(&pool, 2, first, true);
                let drawn = sampler.next(&pool[0]).unwrap();
                assert!(drawn.len() == 2 && drawn.iter().all(|doc| **doc != pool[0]), "{drawn:?}");
            }
        }
        assert_eq!(Sampler::new(&pool, 1, true, false).next(&pool[0]).unwrap(), [&pool[0]]);
    }

    #[test]
    fn too_few_rows_are_refused() {
        let pool = docs(&["a", "b"]);
        for (count, first, own) in [(3, true, false), (2, true, true), (3, false, false), (2, false, true)] {
            let error = Sampler::new(&pool, count, first, own).next(&pool[0]).unwrap_err();
            assert!(error.to_string().contains("to draw examples from"), "{error}");
        }
    }
}
