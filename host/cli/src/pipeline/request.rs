//! What the model has to do for a suite: the union of what its evaluators ask for.

use super::consistency;
use super::suite::{LoadedSuite, Scorer};
use diapason_core::score::Request;
use diapason_core::{Result, digest};
use diapason_sandbox::Grants;

/// The requests of a suite.
pub(super) struct Requests {
    /// For each evaluator, for each sample.
    pub(super) single: Vec<Vec<Request>>,
    /// For each sample: as many completions as any evaluator wants, and every continuation once.
    pub(super) merged: Vec<Request>,
}

impl Requests {
    /// Asks every evaluator of the suite. Comparators see the completions that evaluators asked for, but at least one.
    pub(super) fn of(suite: &LoadedSuite, grants: &Grants, seed: u64) -> Result<Self> {
        let plan = |scorer: &Scorer| {
            let mut evaluator = scorer.evaluator(grants)?;
            let requests = evaluator.plan(&suite.samples)?;
            consistency::plan(suite, scorer, &evaluator, &requests, seed)?;
            Ok(requests)
        };
        let single = suite.evaluators.iter().map(plan).collect::<Result<Vec<_>>>()?;
        let least = usize::from(!suite.comparators.is_empty());
        let merged = (0..suite.samples.len()).map(|index| merge(single.iter().map(|list| &list[index]), least));
        Ok(Self { merged: merged.collect(), single })
    }

    /// Digest of what the model has to do.
    pub(super) fn digest(&self) -> String {
        digest::of_bytes(serde_json::json!(self.merged).to_string().as_bytes())
    }
}

fn merge<'a>(requests: impl Iterator<Item = &'a Request>, least: usize) -> Request {
    let mut merged = Request { completions: least, continuations: Vec::new() };
    for request in requests {
        merged.completions = merged.completions.max(request.completions);
        for text in &request.continuations {
            if !merged.continuations.contains(text) {
                merged.continuations.push(text.clone());
            }
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_union_of_requests() {
        let request = |completions, continuations: &[&str]| Request {
            completions,
            continuations: continuations.iter().map(|text| (*text).into()).collect(),
        };
        let all = [request(1, &["a", "b"]), request(5, &["c", "b"]), request(0, &[])];
        assert_eq!(merge(all.iter(), 0), request(5, &["a", "b", "c"]));
        assert_eq!(merge([].iter(), 1), request(1, &[]));
    }
}
