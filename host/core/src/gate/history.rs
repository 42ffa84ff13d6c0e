//! What was looked at before this decision: earlier looks at the same model, and other models on the same samples.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A decision's look at an evaluation, as the manifest records it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// What a decision has to take into account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Looks at the same model before this one, in their order.
    pub earlier: Vec<Look>,
    /// Models that were held against these samples, this one among them.
    pub models: usize,
}

impl History {
    /// What came before `now`, of `all` looks in their order; `now` may be one of them.
    pub fn before(now: &Look, all: &[Look]) -> Self {
        let known = all.iter().position(|look| look.model == now.model && look.comparison == now.comparison);
        let before = &all[..known.unwrap_or(all.len())];
        let earlier = before.iter().filter(|look| look.model == now.model).cloned().collect();
        let models: BTreeSet<&str> =
            before.iter().chain([now]).filter(|look| look.data == now.data).map(|look| look.model.as_str()).collect();
        Self { earlier, models: models.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(model: &str, data: &str, comparison: &str) -> Look {
        Look { model: model.into(), data: data.into(), comparison: comparison.into(), samples: BTreeMap::new() }
    }

    #[test]
    fn the_same_comparison_again_is_the_same_look() {
        let all = [look("m", "a", "1"), look("m", "b", "2"), look("m", "c", "3")];
        assert_eq!(History::before(&all[1], &all).earlier, [all[0].clone()]);
        assert_eq!(History::before(&look("m", "d", "4"), &all).earlier.len(), 3);
        assert_eq!(History::before(&all[0], &[]), History { earlier: vec![], models: 1 });
    }

    #[test]
    fn other_models_on_the_same_samples_are_candidates() {
        let all = [look("one", "a", "1"), look("two", "a", "2"), look("three", "b", "3")];
        assert_eq!(History::before(&look("four", "a", "4"), &all), History { earlier: vec![], models: 3 });
        assert_eq!(History::before(&all[0], &all).models, 1, "what came later does not change what was decided");
    }
}
