//! Comparators: plugins that judge the base and the tuned model's answers to the same sample side by side.

use crate::bindings::comparator::exports::diapason::plugin::comparator as wit;
pub use crate::bindings::comparator::exports::diapason::plugin::comparator::{Pair, Side};
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

    /// Judges one pair. Must not depend on other pairs or on earlier calls.
    fn compare(&self, pair: &Pair) -> Result<Judgement>;
}

impl Side {
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
        let judge = |pair: &Pair| comparator.compare(pair).map_err(|cause| evaluator::at(&pair.sample, cause));
        pairs.iter().map(judge).collect()
    }
}
