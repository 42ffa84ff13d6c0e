//! Rows that early stopping has seen are no evidence for the gate, under whatever name they come again.

use super::super::overlap;
use diapason_core::Result;
use diapason_core::config::{Config, Suite};
use diapason_core::schema::Problem;
use diapason_disk::files;
use diapason_project::dataset::{self, Selection};
use std::collections::BTreeSet;

/// Suites with rules that share rows with the suite that early stopping watches.
pub(super) fn problems(config: &Config, found: &mut Vec<Problem>) -> Result<()> {
    let Some((watched, _)) = config.watched() else { return Ok(()) };
    let seen = prompts(watched);
    for (index, suite) in config.suites.iter().enumerate() {
        let gated = config.rules.iter().any(|rule| rule.suite == suite.name);
        if !gated || suite.name == watched.name {
            continue;
        }
        if let Some(message) = shared(suite, watched, &seen)? {
            let hint = "the gate needs rows that training has not chosen its best state by: give early stopping a \
                        development split of its own, or watch `loss`";
            found.push(Problem::new(format!("/suite/{index}/data"), message, hint));
        }
    }
    Ok(())
}

fn shared(suite: &Suite, watched: &Suite, seen: &[String]) -> Result<Option<String>> {
    let name = &watched.name;
    if files::digest(&suite.data)? == files::digest(&watched.data)? {
        return Ok(Some(format!("it is the file of `{name}`, which early stopping watches")));
    }
    let seen: BTreeSet<&String> = seen.iter().collect();
    let mine = prompts(suite);
    let shared = mine.iter().filter(|prompt| seen.contains(prompt)).count();
    let message = format!("{shared} of its {} prompts are in `{name}` too, which early stopping watches", mine.len());
    Ok((shared > 0).then_some(message))
}

/// The prompts that the suite takes of its file; none where it cannot be read, which the verbs that read it say.
fn prompts(suite: &Suite) -> Vec<String> {
    let selection = Selection { limit: suite.limit, ..Selection::default() };
    let samples = dataset::load(&suite.data, &suite.columns, &selection).unwrap_or_default();
    samples.iter().map(overlap::prompt).collect()
}
