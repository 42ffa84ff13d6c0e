//! Plugins that are unknown, stand where they cannot work, or do not take their settings.

use super::super::request;
use super::super::suite::{self, Scorer};
use super::{Outline, Scope, at};
use crate::wire::{self, Origin, origin};
use diapason_core::config::{Plugin as Entry, Suite};
use diapason_core::sample::Sample;
use diapason_core::schema::{Problem, settings_problems};
use diapason_core::{Class, Error, Result};
use diapason_project::dataset::{self, Selection};
use diapason_sandbox::{Capability, Permission, Plugin, Validator};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Loads every plugin and checks its settings against its schema.
pub(super) fn problems(scope: &mut Scope<'_>, found: &mut Vec<Problem>) -> Result<()> {
    template(scope, found)?;
    for (index, entry) in scope.plan.config.validators.clone().iter().enumerate() {
        let place = format!("/validator/{index}");
        if let Some(plugin) = plugin(scope, entry, &place, found)?
            && fits(&plugin, &[Capability::Validator], "a validator", &place, found)
        {
            settings(&plugin, &entry.settings, &place, found);
        }
    }
    for (number, suite) in scope.plan.config.suites.clone().iter().enumerate() {
        self::suite(scope, suite, &format!("/suite/{number}"), found)?;
    }
    Ok(())
}

fn suite(scope: &mut Scope<'_>, suite: &Suite, at: &str, found: &mut Vec<Problem>) -> Result<()> {
    let mut labels: BTreeMap<String, usize> = BTreeMap::new();
    for (index, entry) in suite.evaluators.iter().enumerate() {
        let place = format!("{at}/evaluator/{index}");
        let Some(plugin) = plugin(scope, entry, &place, found)? else { continue };
        let label = suite::label(entry, &plugin);
        if let Some(first) = labels.insert(label.clone(), index) {
            let message = format!("`{label}` is evaluator {first} of this suite already");
            found.push(Problem::new(place.clone(), message, "give one of them another `name`"));
        }
        let capabilities = [Capability::Evaluator, Capability::Comparator];
        if fits(&plugin, &capabilities, "an evaluator or a comparator", &place, found) {
            settings(&plugin, &entry.settings, &place, found);
        }
    }
    Ok(())
}

fn plugin(scope: &mut Scope<'_>, entry: &Entry, place: &str, found: &mut Vec<Problem>) -> Result<Option<Plugin>> {
    named(scope, &entry.plugin, format!("{place}/plugin"), found)
}

fn named(scope: &mut Scope<'_>, name: &str, pointer: String, found: &mut Vec<Problem>) -> Result<Option<Plugin>> {
    match scope.plugins.get(name) {
        Ok(plugin) => Ok(Some(plugin)),
        Err(error) => {
            found.push(at(pointer, error)?);
            Ok(None)
        }
    }
}

fn fits(plugin: &Plugin, wanted: &[Capability], kind: &str, place: &str, found: &mut Vec<Problem>) -> bool {
    let fits = plugin.capabilities().iter().any(|capability| wanted.contains(capability));
    if !fits {
        let hint = "validators belong under `[[validator]]`, chat templates under `[template]`, evaluators and comparators \
                    under `[[suite.evaluator]]`";
        found.push(Problem::new(format!("{place}/plugin"), format!("plugin {} is not {kind}", plugin.id()), hint));
    }
    fits
}

fn settings(plugin: &Plugin, settings: &Map<String, Value>, place: &str, found: &mut Vec<Problem>) {
    let inspect = format!("`diapason plugin inspect {}` shows the settings it takes", plugin.id());
    found.extend(settings_problems(plugin.settings_schema(), settings).into_iter().map(|problem| Problem {
        pointer: format!("{place}/settings{}", problem.pointer),
        message: problem.message,
        hint: problem.hint.or_else(|| Some(inspect.clone())),
    }));
}

/// The template's text and the model's special tokens come later, so only what is given can be checked.
fn template(scope: &mut Scope<'_>, found: &mut Vec<Problem>) -> Result<()> {
    let template = scope.plan.config.template.clone();
    if let Err(error) = Origin::of(&template, scope.plan.config.adapter()) {
        found.push(at("/template/template".into(), error)?);
    }
    let Some(plugin) = named(scope, &template.plugin, "/template/plugin".into(), found)? else { return Ok(()) };
    if fits(&plugin, &[Capability::ChatTemplate], "a chat template", "/template", found) {
        if let Err(error) = origin::check_name(&scope.plan.config) {
            found.push(at(format!("/template/settings/{}", wire::TEMPLATE_NAME), error)?);
        }
        let given = settings_problems(plugin.settings_schema(), &template.settings).into_iter();
        let given = given.filter(|problem| !problem.pointer.is_empty());
        found.extend(
            given.map(|problem| Problem { pointer: format!("/template/settings{}", problem.pointer), ..problem }),
        );
    }
    Ok(())
}

/// Asks every plugin of every suite what it measures, and starts every validator.
pub(super) fn outlines(scope: &mut Scope<'_>, found: &mut Vec<Problem>) -> Result<Vec<Outline>> {
    for (index, entry) in scope.plan.config.validators.clone().iter().enumerate() {
        let plugin = scope.plugins.get(&entry.plugin)?;
        let place = format!("/validator/{index}/settings");
        let started = Validator::new(&plugin, &entry.settings, scope.grants);
        started.map(|_| ()).or_else(|error| refused(scope, place, error).map(|problem| found.extend(problem)))?;
    }
    let suites = scope.plan.config.suites.clone();
    suites.iter().enumerate().map(|(number, suite)| outline(scope, suite, number, found)).collect()
}

fn outline(scope: &mut Scope<'_>, suite: &Suite, number: usize, found: &mut Vec<Problem>) -> Result<Outline> {
    let (evaluators, comparators) = suite::scorers(suite, &mut |entry| scope.plugins.get(&entry.plugin))?;
    let mut described = Vec::new();
    for (scorer, comparator) in
        evaluators.iter().map(|one| (one, false)).chain(comparators.iter().map(|one| (one, true)))
    {
        match suite::describe(scorer, comparator, scope.grants) {
            Ok(one) => described.push(one),
            Err(error) => {
                let index = index_of(suite, scorer, scope);
                let place = format!("/suite/{number}/evaluator/{index}");
                found.extend(refused(scope, place, error)?);
            }
        }
    }
    Ok(Outline { evaluators, described })
}

/// Position of a scorer among the suite's entries.
fn index_of(suite: &Suite, scorer: &Scorer, scope: &mut Scope<'_>) -> usize {
    let label = |entry: &Entry| scope.plugins.get(&entry.plugin).map(|plugin| suite::label(entry, &plugin));
    suite.evaluators.iter().map(label).position(|label| label.is_ok_and(|label| label == scorer.label)).unwrap_or(0)
}

/// What a plugin says against its settings: a problem of the configuration where it is one, else an error with its line.
fn refused(scope: &Scope<'_>, pointer: String, error: Error) -> Result<Option<Problem>> {
    if error.class() == Class::Config {
        return at(pointer, error).map(Some);
    }
    let plan = scope.plan;
    Err(match diapason_project::config::line(&plan.text, &pointer) {
        Some(line) => error.context(format!("{} line {line}", plan.name)),
        None => error,
    })
}

/// Refuses several completions at temperature 0, as far as the first row of a suite tells; `eval` looks at all of them.
pub(super) fn draws(scope: &Scope<'_>, outlines: &[Outline], found: &mut Vec<Problem>) -> Result<()> {
    let config = &scope.plan.config;
    for (number, (suite, outline)) in config.suites.iter().zip(outlines).enumerate() {
        let Some(sample) = first(suite) else { continue };
        // One that asks the model or its tokenizer would open them: too much work for this.
        let light = |scorer: &&Scorer| scorer.plugin.permissions().iter().all(|one| *one == Permission::Log);
        for scorer in outline.evaluators.iter().filter(light) {
            let planned = scorer.evaluator(scope.grants)?.plan(std::slice::from_ref(&sample));
            // What a plugin says of a sample is for the verb that asks about all of them.
            let Ok(requests) = planned else { continue };
            if let Err(error) = request::drawable(&requests, scorer, &suite.name, &config.generate) {
                found.push(at(format!("/suite/{number}"), error)?);
            }
        }
    }
    Ok(())
}

/// The first row, if it can be read: a row that cannot be is for the verbs that read all.
fn first(suite: &Suite) -> Option<Sample> {
    let (text, _) = dataset::read(&suite.data, &suite.columns).ok()?;
    let selection = Selection { limit: Some(1), ..suite::selection(suite) };
    dataset::parse(&text, &suite.name, &selection).ok()?.into_iter().next()
}
