//! Plugins that are unknown, stand where they cannot work, or do not take their settings.

use super::super::Session;
use super::super::request;
use super::super::suite::{self, Scorer};
use super::{Outline, at};
use crate::wire::{Origin, origin};
use diapason_core::config::{Plugin as Entry, Suite};
use diapason_core::sample::Sample;
use diapason_core::schema::{Problem, settings_problems};
use diapason_core::{Class, Error, Result};
use diapason_project::dataset::{self, Selection};
use diapason_sandbox::{Capability, Permission, Plugin, Validator};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Loads every plugin and checks its settings against its schema.
pub(super) fn problems(session: &mut Session, found: &mut Vec<Problem>) -> Result<()> {
    template(session, found)?;
    for (index, entry) in session.plan.config.validators.clone().iter().enumerate() {
        let place = format!("/validator/{index}");
        if let Some(plugin) = plugin(session, entry, &place, found)?
            && fits(&plugin, &[Capability::Validator], "a validator", &place, found)
        {
            settings(&plugin, &entry.settings, &place, found);
        }
    }
    for (number, suite) in session.plan.config.suites.clone().iter().enumerate() {
        self::suite(session, suite, &format!("/suite/{number}"), found)?;
    }
    Ok(())
}

fn suite(session: &mut Session, suite: &Suite, at: &str, found: &mut Vec<Problem>) -> Result<()> {
    let mut labels: BTreeMap<String, usize> = BTreeMap::new();
    for (index, entry) in suite.evaluators.iter().enumerate() {
        let place = format!("{at}/evaluator/{index}");
        let Some(plugin) = plugin(session, entry, &place, found)? else { continue };
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

fn plugin(session: &mut Session, entry: &Entry, place: &str, found: &mut Vec<Problem>) -> Result<Option<Plugin>> {
    named(session, &entry.plugin, format!("{place}/plugin"), found)
}

fn named(session: &mut Session, name: &str, pointer: String, found: &mut Vec<Problem>) -> Result<Option<Plugin>> {
    match session.plugins.get(name) {
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
fn template(session: &mut Session, found: &mut Vec<Problem>) -> Result<()> {
    let template = session.plan.config.template.clone();
    if let Err(error) = Origin::of(&template, session.plan.config.model.adapter.as_deref()) {
        found.push(at("/template/template".into(), error)?);
    }
    let Some(plugin) = named(session, &template.plugin, "/template/plugin".into(), found)? else { return Ok(()) };
    if fits(&plugin, &[Capability::ChatTemplate], "a chat template", "/template", found) {
        if let Err(error) = origin::check_name(&session.plan.config) {
            found.push(at(format!("/template/settings/{}", origin::NAME), error)?);
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
pub(super) fn outlines(session: &mut Session, found: &mut Vec<Problem>) -> Result<Vec<Outline>> {
    for (index, entry) in session.plan.config.validators.clone().iter().enumerate() {
        let plugin = session.plugins.get(&entry.plugin)?;
        let place = format!("/validator/{index}/settings");
        let started = Validator::new(&plugin, &entry.settings, &session.grants);
        started.map(|_| ()).or_else(|error| refused(session, place, error).map(|problem| found.extend(problem)))?;
    }
    let suites = session.plan.config.suites.clone();
    suites.iter().enumerate().map(|(number, suite)| outline(session, suite, number, found)).collect()
}

fn outline(session: &mut Session, suite: &Suite, number: usize, found: &mut Vec<Problem>) -> Result<Outline> {
    let (evaluators, comparators) = suite::scorers(suite, &mut |entry| session.plugins.get(&entry.plugin))?;
    let mut described = Vec::new();
    for (scorer, comparator) in
        evaluators.iter().map(|one| (one, false)).chain(comparators.iter().map(|one| (one, true)))
    {
        match suite::describe(scorer, comparator, &session.grants) {
            Ok(one) => described.push(one),
            Err(error) => {
                let index = index_of(suite, scorer, session);
                let place = format!("/suite/{number}/evaluator/{index}");
                found.extend(refused(session, place, error)?);
            }
        }
    }
    Ok(Outline { evaluators, described })
}

/// Position of a scorer among the suite's entries.
fn index_of(suite: &Suite, scorer: &Scorer, session: &mut Session) -> usize {
    let label = |entry: &Entry| session.plugins.get(&entry.plugin).map(|plugin| suite::label(entry, &plugin));
    suite.evaluators.iter().map(label).position(|label| label.is_ok_and(|label| label == scorer.label)).unwrap_or(0)
}

/// What a plugin says against its settings: a problem of the configuration where it is one, else an error with its line.
fn refused(session: &Session, pointer: String, error: Error) -> Result<Option<Problem>> {
    if error.class() == Class::Config {
        return at(pointer, error).map(Some);
    }
    let plan = &session.plan;
    Err(match diapason_project::config::line(&plan.text, &pointer) {
        Some(line) => error.context(format!("{} line {line}", plan.name)),
        None => error,
    })
}

/// Refuses several completions at temperature 0, as far as the first row of a suite tells; `eval` looks at all of them.
pub(super) fn draws(session: &Session, outlines: &[Outline], found: &mut Vec<Problem>) -> Result<()> {
    let config = &session.plan.config;
    for (number, (suite, outline)) in config.suites.iter().zip(outlines).enumerate() {
        let Some(sample) = first(suite) else { continue };
        // One that asks the model or its tokenizer would open them: too much work for this.
        let light = |scorer: &&Scorer| scorer.plugin.permissions().iter().all(|one| *one == Permission::Log);
        for scorer in outline.evaluators.iter().filter(light) {
            let planned = scorer.evaluator(&session.grants)?.plan(std::slice::from_ref(&sample));
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
