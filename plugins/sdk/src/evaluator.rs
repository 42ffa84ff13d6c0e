//! Evaluators: plugins that score what a model made of samples.

use crate::bindings::evaluator::exports::diapason::plugin::evaluator as wit;
pub use crate::bindings::evaluator::exports::diapason::plugin::evaluator::Request;
use crate::reasoning::{Parted, Reasoning};
use crate::{Completion, Exported, Judgement, Likelihood, MeasureInfo, Result, Sample, instance};
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

    /// What becomes of reasoning before the answers: it is taken off unless said otherwise.
    fn reasoning(&self) -> Reasoning {
        Reasoning::TakeOff
    }

    /// What is needed of the model for one sample: one completion unless said otherwise.
    fn plan(&self, sample: &Sample) -> Result<Request> {
        let _ = sample;
        Ok(Request::completions(1))
    }

    /// Judges one sample. Must not depend on other samples or on earlier calls.
    fn score(&self, observation: &Observation) -> Result<Judgement>;
}

/// What a model made of a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The sample.
    pub sample: Sample,
    /// The expected answers, of which any will do; their reasoning is off. See [`Sample::references`].
    pub references: Vec<String>,
    /// As many as were asked for, with the reasoning off.
    pub completions: Vec<Completion>,
    /// One for each continuation that was asked for.
    pub likelihoods: Vec<Likelihood>,
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
    /// Takes an observation as the host gives it, and the reasoning off. Also gives what there is to say of it.
    fn new(seen: wit::Observation, reasoning: Reasoning) -> (Self, Vec<String>) {
        let wit::Observation { mut sample, completions, likelihoods } = seen;
        let references: Vec<String> =
            sample.references().iter().map(|reference| reasoning.part(reference).answer).collect();
        if let (Some(reference), Some(first)) = (&mut sample.reference, references.first()) {
            reference.clone_from(first);
        }
        let (completions, summaries): (Vec<_>, Vec<_>) =
            completions.into_iter().map(|completion| without_reasoning(completion, reasoning)).unzip();
        (Self { sample, references, completions, likelihoods }, summaries.into_iter().flatten().collect())
    }

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

    fn score(settings: String, observations: Vec<wit::Observation>) -> Result<Vec<Judgement>> {
        let evaluator = instance::of(&settings, T::new)?;
        let score = |seen: wit::Observation| {
            let (seen, reasoning) = Observation::new(seen, evaluator.reasoning());
            let judgement = evaluator.score(&seen).map_err(|cause| at(&seen.sample, cause))?;
            Ok(reasoning.into_iter().take(NOTES).fold(judgement, |judged, line| judged.note("reasoning", line)))
        };
        observations.into_iter().map(score).collect()
    }
}

/// At most so many notes on reasoning: one for each of the first completions.
const NOTES: usize = 3;

/// The completion's answer, and a line on the reasoning that was taken off. `tokens` stays what the model wrote.
pub(crate) fn without_reasoning(completion: Completion, reasoning: Reasoning) -> (Completion, Option<String>) {
    let parted: Parted = reasoning.part(&completion.text);
    let summary = parted.summary();
    (Completion { text: parted.answer, ..completion }, summary)
}

/// Names the sample in an error.
pub(crate) fn at(sample: &Sample, cause: String) -> String {
    format!("sample `{}`: {cause}", sample.id)
}
