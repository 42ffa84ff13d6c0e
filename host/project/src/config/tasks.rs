//! Suites that are tasks of lm-evaluation-harness: what their YAML says becomes part of the configuration.

use crate::dataset::task;
use diapason_core::config::{Config, Generate, Plugin, Suite};
use diapason_core::{Error, Result};

/// Reads the task of every suite that has one: its evaluators come first, its limit of tokens is the suite's.
///
/// Errors where a task is not supported, its data are missing, or the configuration says something else of it.
pub fn adopt(config: &mut Config) -> Result<()> {
    let Config { suites, generate, .. } = config;
    suites
        .iter_mut()
        .try_for_each(|suite| of(suite, generate).map_err(|error| error.context(format!("suite `{}`", suite.name))))
}

fn of(suite: &mut Suite, generate: &Generate) -> Result<()> {
    let Some(task) = &mut suite.task else { return Ok(()) };
    let read = task::open(&suite.data)?;
    let mut evaluators = read.task.evaluators(task.apply_chat_template);
    (task.delimiters, task.data) = (read.task.delimiters(), read.data);
    if let Some(most) = read.task.max_tokens() {
        written(suite.max_tokens, generate)?;
        suite.max_tokens = Some(most);
    }
    let label = |plugin: &Plugin| plugin.name.clone().unwrap_or_else(|| plugin.plugin.clone());
    if let Some(own) = suite.evaluators.iter().find(|own| evaluators.iter().any(|one| label(one) == label(own))) {
        let message = format!("an evaluator is named `{}`, as one of the task's", label(own));
        return Err(Error::config(message).hint("give it another `name`"));
    }
    evaluators.append(&mut suite.evaluators);
    suite.evaluators = evaluators;
    Ok(())
}

/// What the task says of how answers are written, nothing else may.
fn written(max_tokens: Option<usize>, generate: &Generate) -> Result<()> {
    let (what, hint) = if max_tokens.is_some() {
        ("`max_tokens` is given", "write `max_gen_toks` under the task's `generation_kwargs`")
    } else if generate.temperature != 0.0 {
        ("`generate.temperature` is not 0", "the task's answers are greedy, as the harness makes them")
    } else if !generate.stop.is_empty() {
        ("`generate.stop` is given", "write `until` under the task's `generation_kwargs`")
    } else {
        return Ok(());
    };
    Err(Error::config(format!("{what}, beside a task that says how answers are written")).hint(hint))
}
