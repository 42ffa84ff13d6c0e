//! The suite that early stopping watches. Training chose its best state by it, so it is no evidence for the gate any more.

use super::{Config, Suite};

impl Config {
    /// Returns the suite that early stopping watches, with the measure it asks for; `None` where it watches the loss, or
    /// nothing. Where one suite's name begins with another's, the longer one is meant.
    pub fn watched(&self) -> Option<(&Suite, &str)> {
        let metric = &self.train.early_stopping.as_ref()?.metric;
        let named = self.suites.iter().filter_map(|suite| {
            let measure = metric.strip_prefix(&suite.name)?.strip_prefix('.')?;
            Some((suite, measure))
        });
        named.max_by_key(|(suite, _)| suite.name.len())
    }
}
