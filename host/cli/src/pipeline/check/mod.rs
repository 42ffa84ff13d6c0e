//! The configuration against all that it names: files, plugins, settings, measures. Every verb of a run starts with it, so
//! that no work begins which a later verb would refuse.

mod evidence;
mod files;
mod plugins;
mod rules;

use super::suite::Scorer;
use crate::plan::Plan;
use crate::wire::Plugins;
use diapason_core::compare::Described;
use diapason_core::schema::Problem;
use diapason_core::{Class, Error, Result};
use diapason_project::config::refuse;
use diapason_sandbox::Grants;

/// A configuration with the plugins that it names and what they are granted.
struct Scope<'a> {
    plan: &'a Plan,
    plugins: &'a mut Plugins,
    grants: &'a Grants,
}

/// A suite without its samples.
struct Outline {
    evaluators: Vec<Scorer>,
    described: Vec<Described>,
}

/// Refuses a configuration that cannot be carried out, or whose gate would show nothing.
///
/// Errors with [`Class::Config`] and the line of each problem, or with the error of a plugin that does not work.
pub(super) fn configuration(plan: &Plan, plugins: &mut Plugins, grants: &Grants) -> Result<()> {
    let scope = &mut Scope { plan, plugins, grants };
    settle(plan, files::problems(&plan.config))?;
    let mut found = Vec::new();
    plugins::problems(scope, &mut found)?;
    settle(plan, std::mem::take(&mut found))?;
    let outlines = plugins::outlines(scope, &mut found)?;
    settle(plan, std::mem::take(&mut found))?;
    rules::problems(&plan.config, &outlines, &mut found);
    evidence::problems(&plan.config, &mut found)?;
    plugins::draws(scope, &outlines, &mut found)?;
    settle(plan, found)
}

fn settle(plan: &Plan, found: Vec<Problem>) -> Result<()> {
    if found.is_empty() { Ok(()) } else { Err(refuse(&plan.text, &plan.name, &found)) }
}

/// An error about the configuration as a problem at `pointer`; any other stays an error.
fn at(pointer: String, error: Error) -> Result<Problem> {
    if error.class() == Class::Config {
        let hint = error.hint_text().map(String::from);
        return Ok(Problem { pointer, message: error.to_string(), hint });
    }
    Err(error)
}
