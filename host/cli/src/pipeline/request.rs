//! What the model has to do for a suite: the union of what its evaluators ask for.

use super::consistency;
use super::suite::{LoadedSuite, Scorer};
use diapason_core::config::{Config, Generate};
use diapason_core::score::Request;
use diapason_core::{Error, Result, digest};
use diapason_sandbox::Grants;
use serde::Serialize;

/// The requests of a suite.
pub(super) struct Requests {
    /// For each evaluator, for each sample.
    pub(super) single: Vec<Vec<Request>>,
    /// For each sample.
    pub(super) merged: Vec<Asked>,
}

/// What all evaluators together ask of the model for one sample.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Asked {
    /// Whether the ordinary completion is wanted: by an evaluator that asks for one, or by a comparator.
    pub(super) ordinary: bool,
    /// Draws at one temperature, as many as the evaluator wants that asks for most; 0 where none asks for more than one.
    pub(super) draws: usize,
    /// Every continuation once.
    pub(super) continuations: Vec<String>,
}

impl Requests {
    /// Asks every evaluator of the suite. Comparators see the ordinary completion.
    ///
    /// Errors if an evaluator asks for several completions and `generate` has no temperature to draw them at, or asks for
    /// something else when it is asked again.
    pub(super) fn of(suite: &LoadedSuite, grants: &Grants, config: &Config) -> Result<Self> {
        let plan = |scorer: &Scorer| {
            let mut evaluator = scorer.evaluator(grants)?;
            let requests = evaluator.plan(&suite.samples)?;
            consistency::plan(suite, scorer, &evaluator, &requests, config.run.seed)?;
            drawable(&requests, scorer, &suite.config.name, &config.generate)?;
            Ok(requests)
        };
        let single = suite.evaluators.iter().map(plan).collect::<Result<Vec<_>>>()?;
        let compared = !suite.comparators.is_empty();
        let merged = (0..suite.samples.len()).map(|index| merge(single.iter().map(|list| &list[index]), compared));
        Ok(Self { merged: merged.collect(), single })
    }

    /// Digest of what the model has to do.
    pub(super) fn digest(&self) -> String {
        digest::of_bytes(serde_json::json!(self.merged).to_string().as_bytes())
    }
}

/// The temperature of several draws, if there is one.
pub(super) fn sampling(generate: &Generate) -> Option<f64> {
    generate.sampling_temperature.or_else(|| Some(generate.temperature).filter(|temperature| *temperature > 0.0))
}

/// Refuses several completions at temperature 0: all of them would be the same one.
pub(super) fn drawable(requests: &[Request], scorer: &Scorer, suite: &str, generate: &Generate) -> Result<()> {
    let most = requests.iter().map(|request| request.completions).max().unwrap_or(0);
    if most <= 1 || sampling(generate).is_some() {
        return Ok(());
    }
    let label = &scorer.label;
    Err(Error::config(format!(
        "`{label}` of suite `{suite}` asks for {most} completions of a prompt, which at temperature 0 are all the same"
    ))
    .hint(
        "set `generate.sampling_temperature`, for example 0.8: these completions are drawn at it, and evaluators that ask \
         for one completion still get the greedy one; or set `generate.temperature` for all",
    ))
}

fn merge<'a>(requests: impl Iterator<Item = &'a Request>, compared: bool) -> Asked {
    let mut merged = Asked { ordinary: compared, ..Asked::default() };
    for request in requests {
        merged.ordinary |= request.completions == 1;
        if request.completions > 1 {
            merged.draws = merged.draws.max(request.completions);
        }
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
        let asked = |ordinary, draws, continuations: &[&str]| Asked {
            ordinary,
            draws,
            continuations: continuations.iter().map(|text| (*text).into()).collect(),
        };
        let all = [request(1, &["a", "b"]), request(5, &["c", "b"]), request(0, &[])];
        assert_eq!(merge(all.iter(), false), asked(true, 5, &["a", "b", "c"]));
        assert_eq!(merge(all[1..].iter(), false), asked(false, 5, &["c", "b"]), "nobody wants the ordinary one");
        assert_eq!(merge([].iter(), true), asked(true, 0, &[]));
    }

    #[test]
    fn several_draws_have_one_temperature() {
        let generate =
            |temperature, sampling_temperature| Generate { temperature, sampling_temperature, ..Generate::default() };
        assert_eq!(sampling(&generate(0.0, None)), None);
        assert_eq!(sampling(&generate(0.7, None)), Some(0.7));
        assert_eq!(sampling(&generate(0.0, Some(0.8))), Some(0.8));
        assert_eq!(sampling(&generate(0.7, Some(0.2))), Some(0.2));
    }
}
