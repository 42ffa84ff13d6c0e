//! A project for one's own data: its rows, split into training and test data, and a configuration for its task.

mod answers;
mod data;
mod labels;
mod model;
mod parts;
mod schema;
mod text;

use super::File;
use crate::args::Task;
use crate::number::{count, counted};
use data::Data;
use diapason_core::Result;
use diapason_core::config::Columns;
use model::Facts;
use parts::Parts;
use std::path::Path;

/// What a project is made of.
pub(crate) struct Wanted<'a> {
    /// The file of rows.
    pub(crate) data: &'a Path,
    /// What it calls its columns.
    pub(crate) columns: Columns,
    /// What the rows teach; without it, the error says what they could.
    pub(crate) task: Option<Task>,
    /// The base model.
    pub(crate) model: &'a Path,
    /// A chat template instead of the model's own.
    pub(crate) template: Option<&'a str>,
}

/// A project, and what is to be said of it.
pub(crate) struct Project {
    /// All but the schema.
    pub(crate) files: Vec<File<'static>>,
    /// What was found and done, line by line.
    pub(crate) summary: Vec<(&'static str, String)>,
}

/// Makes a project; `seed` draws the test rows.
///
/// Errors if the rows cannot be read, do not fit the task, or are too few to decide anything, or if the model cannot be
/// opened.
pub(crate) fn project(wanted: &Wanted<'_>, seed: u64) -> Result<Project> {
    let data = Data::read(wanted.data, &wanted.columns)?;
    let task = answers::check(wanted.task, &data)?;
    let parts = Parts::of(&data.samples, task, seed)?;
    let facts = Facts::of(wanted, &data.samples)?;
    let config = text::config(task, &data, &parts, &facts, seed)?;
    let summary = summary(&data, task, &parts, &facts);
    let files = vec![
        ("diapason.toml", config.into_bytes().into()),
        ("train.jsonl", lines(&data, &parts.train).into_bytes().into()),
        ("test.jsonl", lines(&data, &parts.test).into_bytes().into()),
    ];
    Ok(Project { files, summary })
}

/// The rows as they stand in the file, under our names of the columns.
fn lines(data: &Data, rows: &[usize]) -> String {
    rows.iter().map(|row| format!("{}\n", data.samples[*row].row)).collect()
}

fn summary(data: &Data, task: Task, parts: &Parts, facts: &Facts) -> Vec<(&'static str, String)> {
    let all = data.samples.len();
    let alike = match all - parts.groups {
        0 => "no two of them alike".to_owned(),
        _ => format!("in {} of rows that are alike and stay together", counted(parts.groups, "group")),
    };
    let untested = match parts.untested {
        0 => String::new(),
        rows => format!(", {} of them not for testing: the answer is not to be learned", count(rows as u64)),
    };
    let test = format!("{}, {}", counted(parts.test.len(), "row"), parts.shows());
    let tokens = |tokens: usize| count(tokens as u64);
    vec![
        ("task", format!("{}, measured by {}", task.name(), task.measure())),
        ("rows", format!("{} in the shape {}, {alike}", count(all as u64), data.shapes)),
        ("train.jsonl", format!("{}{untested}", counted(parts.train.len(), "row"))),
        ("test.jsonl", test),
        ("longest", format!("answer of {} tokens, limit {}", tokens(facts.longest_answer), tokens(facts.max_tokens))),
    ]
}
