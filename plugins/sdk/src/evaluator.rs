//! Evaluators: plugins that score what a model made of samples.

use crate::bindings::evaluator::exports::diapason::plugin::evaluator as wit;
pub use crate::bindings::evaluator::exports::diapason::plugin::evaluator::{Observation, Request};
use crate::{Completion, Exported, Judgement, MeasureInfo, Result, Sample, instance};
use serde::de::DeserializeOwned;

/// Scores what a model made of samples. Plugins score, the host counts: means, intervals and tests are the host's.
pub trait Evaluator: Sized + 'static {
    /// What a user may set. Use `#[serde(deny_unknown_fields)]` and a doc comment on every field: they become the
    /// schema that the host checks settings against.
    type Settings: DeserializeOwned + schemars::JsonSchema;

    /// Prepares for these settings. An error says which setting is wrong, and why.
    fn new(settings: Self::Settings) -> Result<Self>;

    /// The measures that [`score`](Self::score) gives.
    fn measures(&self) -> Vec<MeasureInfo>;

    /// What is needed of the model for one sample: one completion unless said otherwise.
    fn plan(&self, sample: &Sample) -> Result<Request> {
        let _ = sample;
        Ok(Request::completions(1))
    }

    /// Judges one sample. Must not depend on other samples or on earlier calls.
    fn score(&self, observation: &Observation) -> Result<Judgement>;
}

impl Request {
    /// So many completions, and no likelihoods.
    pub fn completions(count: u32) -> Self {
        Self { completions: count, continuations: Vec::new() }
    }

    /// The likelihood of each answer after the prompt, and no completion.
    pub fn likelihoods(continuations: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { completions: 0, continuations: continuations.into_iter().map(Into::into).collect() }
    }
}

impl Observation {
    /// The first completion. An error if none was asked for.
    pub fn completion(&self) -> Result<&Completion> {
        self.completions.first().ok_or_else(|| format!("sample `{}` has no completion", self.sample.id))
    }

    /// The text of the first completion. An error if none was asked for.
    pub fn answer(&self) -> Result<&str> {
        Ok(&self.completion()?.text)
    }
}

impl<T: Evaluator> wit::Guest for Exported<T> {
    fn describe(settings: String) -> Result<Vec<MeasureInfo>> {
        Ok(instance::of(&settings, T::new)?.measures())
    }

    fn plan(settings: String, samples: Vec<Sample>) -> Result<Vec<Request>> {
        let evaluator = instance::of(&settings, T::new)?;
        samples.iter().map(|sample| evaluator.plan(sample).map_err(|cause| at(sample, cause))).collect()
    }

    fn score(settings: String, observations: Vec<Observation>) -> Result<Vec<Judgement>> {
        let evaluator = instance::of(&settings, T::new)?;
        observations.iter().map(|seen| evaluator.score(seen).map_err(|cause| at(&seen.sample, cause))).collect()
    }
}

/// Names the sample in an error.
pub(crate) fn at(sample: &Sample, cause: String) -> String {
    format!("sample `{}`: {cause}", sample.id)
}
