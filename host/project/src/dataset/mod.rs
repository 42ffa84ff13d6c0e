//! Datasets: files of rows to samples. Rows are read by `diapason-rows`, the reader that validators use too, in four shapes:
//! `instruction`/`input`/`output` (Alpaca), `messages`, `prompt`/`completion`, and `conversations` (ShareGPT). Files are
//! JSONL, a JSON list, Parquet, CSV or TSV, plain or packed. Nothing is dropped silently: a file with a row that cannot
//! be read is refused, with every such row listed.

mod array;
mod columns;
pub(crate) mod file;
mod folder;
pub mod lists;
pub(crate) mod pack;
mod parquet;
mod shape;
mod split;
mod table;
pub mod task;
mod turns;

pub use diapason_rows::RESERVED;
pub use split::split;

use diapason_core::config::{Columns, Task as TaskConfig};
use diapason_core::finding::Row;
use diapason_core::sample::Sample;
use diapason_core::{Error, Result};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::path::Path;

/// What is readable, for messages.
const FORMATS: &str =
    "readable are JSONL, a JSON list of objects, Parquet, CSV and TSV, each also packed with gzip or zstd";

/// At most this many bad rows are listed; an error has to fit on a screen.
const LISTED: usize = 10;

/// What to take of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection<'a> {
    /// Only the first rows.
    pub limit: Option<usize>,
    /// A system message for rows that have none.
    pub system: Option<&'a str>,
    /// Variables of the template for rows that do not set them.
    pub variables: Option<&'a Map<String, Value>>,
    /// The task that the rows are of.
    pub task: Option<&'a TaskConfig>,
}

/// The rows of the file at `path` as JSON lines under our names of its `columns`, each on the line where it stands in the
/// file as far as the format has lines, with the SHA-256 of the file's bytes.
///
/// A task's YAML is read with its data: the digest is that of the YAML alone.
///
/// Errors with [`diapason_core::Class::Data`] where the file cannot be read, is in a format that is not, or lacks a column.
pub fn read(path: &Path, columns: &Columns) -> Result<(String, String)> {
    if task::is_task(path) { task::read(path) } else { file::read(path, columns) }
}

/// Reads the samples of the file at `path`; see [`read()`].
///
/// Errors with [`diapason_core::Class::Data`] where the file cannot be read, a row is no sample, an id is used twice or there is
/// no row at all. The message names file, line and column.
pub fn load(path: &Path, columns: &Columns, selection: &Selection<'_>) -> Result<Vec<Sample>> {
    parse(&read(path, columns)?.0, &path.display().to_string(), selection)
}

/// Reads the samples of `text`, called `name` in messages; see [`load`].
pub fn parse(text: &str, name: &str, selection: &Selection<'_>) -> Result<Vec<Sample>> {
    let mut bad = Vec::new();
    let mut samples = Vec::new();
    let mut seen: HashMap<String, u32> = HashMap::new();
    for row in rows(text, "", selection.limit) {
        match shape::sample(&row.text, row.line) {
            Ok(sample) => match seen.insert(sample.id.clone(), row.line) {
                Some(first) => bad.push(Fault::duplicate(row.line, &sample.id, first)),
                None => {
                    samples.push(completed(Sample { place: place(&sample.id, row.line, name), ..sample }, selection))
                }
            },
            Err(faults) => bad.extend(faults),
        }
    }
    match bad.is_empty() {
        false => Err(refuse(name, &bad)),
        true if samples.is_empty() => Err(Error::data(format!("{name} has no rows")).hint(NO_ROWS)),
        true => Ok(samples),
    }
}

const NO_ROWS: &str = "write one JSON object a line; check that the right file is named";

/// Where a row stands, with its id where it has one of its own.
fn place(id: &str, line: u32, name: &str) -> String {
    let id = if *id == line.to_string() { String::new() } else { format!(" (id `{id}`)") };
    format!("line {line} of {name}{id}")
}

/// The non-blank lines of `text` as validators see them; `limit` counts rows, not lines.
pub fn rows(text: &str, split: &str, limit: Option<usize>) -> Vec<Row> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty())
        .take(limit.unwrap_or(usize::MAX))
        .map(|(line, text)| Row { split: split.into(), line, text: text.into() })
        .collect()
}

/// The sample of a row.
///
/// # Errors
/// All that is wrong with the row.
pub fn sample(row: &Row) -> std::result::Result<Sample, Vec<Fault>> {
    shape::sample(&row.text, row.line)
}

/// The name of the shape that a row is written in; `None` if it cannot be read.
pub fn shape(row: &str) -> Option<&'static str> {
    diapason_rows::read(row).ok().map(|read| read.shape.name())
}

/// What a validator says of the turns of a row that can be read: roles that are not known, an order that few templates take.
pub fn doubts(row: &Row) -> Vec<Fault> {
    let doubts = diapason_rows::read(&row.text).map(|read| read.doubts).unwrap_or_default();
    doubts.into_iter().map(|fault| Fault::of(row.line, fault)).collect()
}

/// Why a row is no sample, or not one for its purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Line of the file, from 1.
    pub line: u32,
    /// Column of the line, from 1, where the row is not JSON.
    pub column: Option<usize>,
    /// The rule that is broken, in kebab-case.
    pub rule: &'static str,
    /// JSON Pointer into the row; empty for the whole row.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl Fault {
    fn of(line: u32, fault: diapason_rows::Fault) -> Self {
        let diapason_rows::Fault { rule, path, column, message, hint } = fault;
        Self { line, column, rule, path, message, hint }
    }

    /// A fault of a row as a whole.
    pub fn of_row(rule: &'static str, message: String, hint: &str) -> Self {
        Self { line: 0, column: None, rule, path: String::new(), message, hint: hint.into() }
    }

    /// A row's id that an earlier row has.
    pub fn duplicate(line: u32, id: &str, first: u32) -> Self {
        let hint = "pairs of base and tuned are made by id: give each row its own, or none at all";
        let message = format!("id `{id}` is already used on line {first}");
        Self { line, ..Self::of_row("duplicate-id", message, hint) }
    }

    fn place(&self) -> String {
        match self.column {
            Some(column) => format!("line {}, column {column}", self.line),
            None if self.path.is_empty() => format!("line {}", self.line),
            None => format!("line {} {}", self.line, self.path),
        }
    }
}

/// The error of a file called `name` with these faults, at least one.
pub fn refuse(name: &str, bad: &[Fault]) -> Error {
    let hint = bad.first().map(|fault| fault.hint.clone()).unwrap_or_default();
    if let [only] = bad {
        return Error::data(format!("failed to read {name}: {}: {}", only.place(), only.message)).hint(hint);
    }
    let mut lines: Vec<String> =
        bad.iter().take(LISTED).map(|fault| format!("  {}: {}", fault.place(), fault.message)).collect();
    if bad.len() > LISTED {
        lines.push(format!("  … and {} more", bad.len() - LISTED));
    }
    let message = format!("failed to read {name}: {} bad rows:\n{}", bad.len(), lines.join("\n"));
    Error::data(message).hint(format!("for the first one: {hint}"))
}

/// The sample with what is selected for rows that do not say it themselves.
pub fn completed(mut sample: Sample, selection: &Selection<'_>) -> Sample {
    if let Some(text) = selection.system.filter(|_| sample.messages.iter().all(|message| message.role != "system")) {
        sample.messages.insert(0, diapason_core::sample::Message::new("system", text));
    }
    for (name, value) in selection.variables.into_iter().flatten() {
        sample.variables.entry(name).or_insert_with(|| value.clone());
    }
    match selection.task {
        Some(task) => turns::joined(sample, task),
        None => sample,
    }
}

#[cfg(test)]
mod tests;
