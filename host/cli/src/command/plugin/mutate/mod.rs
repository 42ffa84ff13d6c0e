//! `diapason plugin test --mutate`: plants known changes into right answers and counts what an evaluator makes of them.
//!
//! Right answers are those of the cases that score best on a measure. A *fault* makes an answer wrong: the measure has to
//! fall, or the sample to be unscored. A *harmless* change leaves it right: the measure has to stay. Which is which depends
//! on the measure ([`expectation`]). The share of faults seen is the sensitivity, the share of harmless changes left alone
//! the specificity. Nothing is drawn at random.

mod answer;
mod document;
mod expectation;
mod pair;
mod table;

use super::case;
use super::execute::{self, Failure};
use crate::exit::Exit;
use crate::ui::Ui;
use diapason_case_format::Case;
use diapason_core::language_model::{Completion, Likelihood};
use diapason_core::score::{Judgement, MeasureInfo, Observation, Outcome};
use diapason_core::{Error, Result};
use diapason_sandbox::{Evaluator, Grants, Plugin};
use expectation::Expected;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A change to an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mutation {
    /// As the table names it.
    name: &'static str,
    plant: Plant,
}

/// What a change is made to, and how: variants of it, none where an answer has nothing of the kind.
#[derive(Debug, Clone, Copy)]
enum Plant {
    Text(fn(&str) -> Vec<String>),
    Likelihoods(fn(&[Likelihood]) -> Vec<Vec<Likelihood>>),
}

/// What became of one kind of change under one measure.
#[derive(Debug, Clone, Default)]
struct Count {
    planted: usize,
    /// Fell, where the change was a fault.
    lower: usize,
    unscored: usize,
    /// Stayed right.
    kept: usize,
}

/// The changes planted under one measure, by expectation and name of the change, in the order of their definition.
#[derive(Debug, Clone)]
struct Row {
    measure: String,
    right: usize,
    counts: Vec<(Expected, &'static str, Count)>,
}

/// Prints the table. The exit code says only whether the evaluator could be run: a low figure is a finding, no error.
pub(super) fn run(plugin: &Plugin, paths: &[PathBuf], ui: &Ui) -> Result<Exit> {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let mut order = Vec::new();
    for (file, case) in case::load(paths)? {
        let fail = |failure: Failure| {
            let cause = match failure {
                Failure::Plugin(error) => error,
                Failure::Case(text) => Error::data(text),
            };
            Error::data(format!("failed to mutate case `{}` of {}", case.name, file.display())).because(cause)
        };
        let judged = match case.capability.as_str() {
            _ if case.error.is_some() => continue,
            "evaluator" => evaluator(plugin, &case).map_err(fail)?,
            "comparator" => pair::comparator(plugin, &case).map_err(fail)?,
            _ => continue,
        };
        for judged in judged {
            count(judged, &mut rows, &mut order);
        }
    }
    let rows: Vec<Row> =
        order.iter().filter_map(|name| rows.remove(name)).filter(|row| !row.counts.is_empty()).collect();
    if rows.is_empty() {
        return Err(Error::config("there is nothing to mutate")
            .hint("cases of evaluators and comparators are needed whose samples score best on a measure with bounds"));
    }
    let json = table::document(plugin, &rows);
    ui.result(|_| table::markdown(plugin, &rows), &json);
    Ok(Exit::Passed)
}

/// A right answer under one measure, or a changed one.
struct Judged {
    measure: String,
    /// Whether it is the right answer itself.
    first: bool,
    change: Option<(Expected, &'static str, Verdict)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Kept,
    Lower,
    Unscored,
}

fn count(judged: Judged, rows: &mut BTreeMap<String, Row>, order: &mut Vec<String>) {
    let row = rows.entry(judged.measure.clone()).or_insert_with(|| {
        order.push(judged.measure.clone());
        Row { measure: judged.measure, right: 0, counts: Vec::new() }
    });
    row.right += usize::from(judged.first);
    let Some((expected, name, verdict)) = judged.change else { return };
    let known = row.counts.iter().position(|(known, other, _)| *known == expected && *other == name);
    let index = known.unwrap_or_else(|| {
        row.counts.push((expected, name, Count::default()));
        row.counts.len() - 1
    });
    let count = &mut row.counts[index].2;
    count.planted += 1;
    match verdict {
        Verdict::Kept => count.kept += 1,
        Verdict::Lower => count.lower += 1,
        Verdict::Unscored => count.unscored += 1,
    }
}

fn evaluator(plugin: &Plugin, case: &Case) -> Result<Vec<Judged>, Failure> {
    let observations = execute::observations(case)?;
    let mut evaluator = Evaluator::new(plugin, &case.settings, &Grants::default())?;
    let measures = evaluator.describe()?;
    evaluator.plan(&observations.iter().map(|one| one.sample.clone()).collect::<Vec<_>>())?;
    let before = evaluator.score(&observations)?;
    let mut judged = Vec::new();
    for (observation, before) in observations.iter().zip(&before) {
        let changed = changes(observation);
        let after = evaluator.score(&changed.iter().map(|(_, one)| one.clone()).collect::<Vec<_>>())?;
        for measure in &measures {
            let Some(best) = right(measure, before) else { continue };
            judged.push(Judged { measure: measure.name.clone(), first: true, change: None });
            for ((mutation, _), after) in changed.iter().zip(&after) {
                let Some(expected) = expectation::of(&measure.name, mutation.name) else { continue };
                let change = Some((expected, mutation.name, verdict(measure, best, after)));
                judged.push(Judged { measure: measure.name.clone(), first: false, change });
            }
        }
    }
    Ok(judged)
}

/// An observation with every change that it has room for; each differs from the original.
fn changes(observation: &Observation) -> Vec<(Mutation, Observation)> {
    let mut changed = Vec::new();
    for mutation in answer::ALL.iter().chain(&document::ALL).chain(&answer::LIKELIHOODS) {
        match mutation.plant {
            Plant::Text(plant) => changed.extend(texts(observation, plant).into_iter().map(|one| (*mutation, one))),
            Plant::Likelihoods(plant) => changed.extend(
                plant(&observation.likelihoods)
                    .into_iter()
                    .map(|likelihoods| (*mutation, Observation { likelihoods, ..observation.clone() })),
            ),
        }
    }
    changed.retain(|(_, one)| one != observation);
    changed
}

/// All completions changed in the same way, once for each variant of the first.
fn texts(observation: &Observation, plant: fn(&str) -> Vec<String>) -> Vec<Observation> {
    let Some(first) = observation.completions.first() else { return Vec::new() };
    let variants = plant(&first.text).len();
    let changed = |variant: usize| {
        let change = |completion: &Completion| {
            let text = plant(&completion.text).into_iter().nth(variant).unwrap_or_else(|| completion.text.clone());
            Completion { text, ..completion.clone() }
        };
        Observation { completions: observation.completions.iter().map(change).collect(), ..observation.clone() }
    };
    (0..variants).map(changed).collect()
}

/// The best value of the measure, if the answer has it.
fn right(measure: &MeasureInfo, judgement: &Judgement) -> Option<f64> {
    let (least, most) = measure.bounds?;
    let best = if measure.higher_is_better { most } else { least };
    value(measure, judgement).filter(|value| (value - best).abs() < 1e-9)
}

fn value(measure: &MeasureInfo, judgement: &Judgement) -> Option<f64> {
    match &judgement.outcome {
        Outcome::Scored(measures) => measures.iter().find(|one| one.name == measure.name).map(|one| one.value),
        Outcome::Unscored(_) => None,
    }
}

fn verdict(measure: &MeasureInfo, best: f64, after: &Judgement) -> Verdict {
    match value(measure, after) {
        None => Verdict::Unscored,
        Some(value) if (value - best).abs() < 1e-9 => Verdict::Kept,
        Some(_) => Verdict::Lower,
    }
}

#[cfg(test)]
mod tests;
