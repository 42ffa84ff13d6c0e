//! What was looked at before this decision: earlier looks at the same model, and other models on the same samples.

use crate::config::Gate;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How the error rate is to be spent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// `gate.alpha`.
    pub alpha: f64,
    /// `gate.looks`.
    pub looks: usize,
    /// `gate.candidates`.
    pub candidates: usize,
}

impl Plan {
    /// What the configuration says.
    pub fn of(gate: &Gate) -> Self {
        Self { alpha: gate.alpha, looks: gate.looks, candidates: gate.candidates }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "alpha = {}, looks = {}, candidates = {}", self.alpha, self.looks, self.candidates)
    }
}

/// A decision's look at an evaluation, as the manifest records it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// Digest of the tuned model.
    pub model: String,
    /// Digest of the test data.
    pub data: String,
    /// Digest of the comparison: to decide on it again is the same look.
    pub comparison: String,
    /// Suite to its number of samples.
    pub samples: BTreeMap<String, usize>,
    /// What it was planned to spend.
    pub plan: Plan,
}

/// What a decision has to take into account.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// Looks at the same model before this one, in their order.
    pub earlier: Vec<Look>,
    /// Models that were held against these samples, this one among them.
    pub models: usize,
    /// The plans of all looks at the same model, of this comparison too.
    pub plans: Vec<Plan>,
}

impl History {
    /// What came before `now`, of `all` looks in their order; `now` may be one of them.
    pub fn before(now: &Look, all: &[Look]) -> Self {
        let known = all.iter().position(|look| look.model == now.model && look.comparison == now.comparison);
        let before = &all[..known.unwrap_or(all.len())];
        let earlier = before.iter().filter(|look| look.model == now.model).cloned().collect();
        let models: BTreeSet<&str> =
            before.iter().chain([now]).filter(|look| look.data == now.data).map(|look| look.model.as_str()).collect();
        let end = known.map_or(all.len(), |index| index + 1);
        let plans = all[..end].iter().filter(|look| look.model == now.model).map(|look| look.plan).collect();
        Self { earlier, models: models.len(), plans }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(model: &str, data: &str, comparison: &str) -> Look {
        let plan = Plan { alpha: 0.05, looks: 1, candidates: 1 };
        Look { model: model.into(), data: data.into(), comparison: comparison.into(), samples: BTreeMap::new(), plan }
    }

    #[test]
    fn the_same_comparison_again_is_the_same_look() {
        let all = [look("m", "a", "1"), look("m", "b", "2"), look("m", "c", "3")];
        assert_eq!(History::before(&all[1], &all).earlier, [all[0].clone()]);
        assert_eq!(History::before(&look("m", "d", "4"), &all).earlier.len(), 3);
        assert_eq!(History::before(&all[0], &[]), History { models: 1, ..History::default() });
        assert_eq!(History::before(&all[1], &all).plans.len(), 2);
    }

    #[test]
    fn other_models_on_the_same_samples_are_candidates() {
        let all = [look("one", "a", "1"), look("two", "a", "2"), look("three", "b", "3")];
        assert_eq!(History::before(&look("four", "a", "4"), &all), History { models: 3, ..History::default() });
        assert_eq!(History::before(&all[0], &all).models, 1, "what came later does not change what was decided");
    }
}
