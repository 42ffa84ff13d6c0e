//! Comparators: plugins that judge two arms' answers to the same sample side by side.

use crate::bindings::comparator::exports::diapason::plugin::comparator as wit;
pub use crate::bindings::comparator::exports::diapason::plugin::comparator::{Pair, Side};
use crate::reasoning::Reasoning;
use crate::{Exported, Judgement, MeasureInfo, Result, evaluator, instance};
use serde::de::DeserializeOwned;

/// Judges two answers to the same sample side by side.
pub trait Comparator: Sized + 'static {
    /// What a user may set; see [`Evaluator::Settings`](crate::Evaluator::Settings).
    type Settings: DeserializeOwned + schemars::JsonSchema;

    /// Prepares for these settings. An error says which setting is wrong, and why.
    fn new(settings: Self::Settings) -> Result<Self>;

    /// The measures that [`compare`](Self::compare) gives.
    fn measures(&self) -> Vec<MeasureInfo>;

    /// What becomes of reasoning before the answers: it is taken off unless said otherwise.
    fn reasoning(&self) -> Reasoning {
        Reasoning::TakeOff
    }

    /// Judges one pair. Must not depend on other pairs or on earlier calls.
    fn compare(&self, pair: &Pair) -> Result<Judgement>;
}

impl Side {
    fn without_reasoning(self, reasoning: Reasoning) -> Self {
        let part = |completion| evaluator::without_reasoning(completion, reasoning).0;
        Self { completions: self.completions.into_iter().map(part).collect(), ..self }
    }

    /// The value of one of the evaluators' measures, by its full name `plugin.measure`.
    pub fn measure(&self, name: &str) -> Option<f64> {
        self.measures.iter().find(|measure| measure.name == name).map(|measure| measure.value)
    }

    /// The text of the first completion, if there is one.
    pub fn answer(&self) -> Option<&str> {
        self.completions.first().map(|completion| completion.text.as_str())
    }
}

impl<T: Comparator> wit::Guest for Exported<T> {
    fn describe(settings: String) -> Result<Vec<MeasureInfo>> {
        Ok(instance::of(&settings, T::new)?.measures())
    }

    fn compare(settings: String, pairs: Vec<Pair>) -> Result<Vec<Judgement>> {
        let comparator = instance::of(&settings, T::new)?;
        let part = |side: Side| side.without_reasoning(comparator.reasoning());
        let judge = |pair: Pair| {
            let pair = Pair { reference: part(pair.reference), candidate: part(pair.candidate), ..pair };
            comparator.compare(&pair).map_err(|cause| evaluator::at(&pair.sample, cause))
        };
        pairs.into_iter().map(judge).collect()
    }
}
