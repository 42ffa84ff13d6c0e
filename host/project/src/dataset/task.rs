//! A task's YAML with its data, as rows.

use super::{array, pack, parquet, table};
use crate::tasks::{Format, Task};
use diapason_core::{Error, Result, digest};
use diapason_disk::{files, foreign};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// A task is written by hand; a larger file is none.
const LARGEST: u64 = 1 << 20;

/// A task as it was read.
pub struct Read {
    /// What its YAML says.
    pub task: Task,
    /// SHA-256 of the YAML.
    pub digest: String,
    /// The data files, as the YAML names them, with their SHA-256.
    pub data: BTreeMap<String, String>,
}

/// Whether a path is one of a task rather than of rows.
pub fn is_task(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("yaml") || ending.eq_ignore_ascii_case("yml"))
}

/// Reads a task and takes the digests of its data.
///
/// Errors where the YAML is no task that is supported, or a file is not there.
pub fn open(path: &Path) -> Result<Read> {
    let (task, digest) = task(path)?;
    let mut data = BTreeMap::new();
    for name in task.files().1.iter().flat_map(|(_, names)| names) {
        let file = beside(path, name);
        let hint = "relative paths of `data_files` start from the task's folder";
        let absent = || Error::config(format!("{}: {} does not exist", path.display(), file.display())).hint(hint);
        data.insert(name.clone(), if file.is_file() { files::digest(&file)? } else { return Err(absent()) });
    }
    Ok(Read { task, digest, data })
}

/// The rows of a task as JSON lines, and the digest of its YAML; see [`super::read()`].
pub(super) fn read(path: &Path) -> Result<(String, String)> {
    let (task, digest) = task(path)?;
    let (format, splits) = task.files();
    let mut read = Vec::new();
    for (split, names) in splits {
        let mut rows = Vec::new();
        for name in names {
            rows.extend(rows_of(&beside(path, name), format)?);
        }
        read.push((split.clone(), rows));
    }
    let rows = foreign::guarded(path.display(), || task.rows(read));
    Ok((rows.map_err(|error| error.context(path.display().to_string()))?, digest))
}

fn task(path: &Path) -> Result<(Task, String)> {
    let bytes = files::contents(path, LARGEST).map_err(|source| files::unreadable(path, source))?;
    let digest = digest::of_bytes(&bytes);
    let text = files::decoded(bytes, path)?;
    let task = foreign::guarded(path.display(), || Task::parse(text.trim_start_matches('\u{feff}')));
    Ok((task.map_err(|error| error.context(path.display().to_string()))?, digest))
}

fn beside(path: &Path, name: &str) -> std::path::PathBuf {
    path.parent().unwrap_or(Path::new("")).join(name)
}

/// The rows of a data file, nothing of them changed.
fn rows_of(path: &Path, format: Format) -> Result<Vec<Map<String, Value>>> {
    let bytes = files::contents(path, files::LARGEST_TEXT).map_err(|source| files::unreadable(path, source))?;
    foreign::guarded(path.display(), || {
        let (bytes, name) = pack::unpacked(bytes, path)?;
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
        let text = match (format, ending.as_str()) {
            (Format::Json, "csv" | "tsv" | "tab" | "parquet") => return Err(mistaken(path, "json")),
            (Format::Json, _) => array::lines(files::decoded(bytes, path)?, path)?,
            (Format::Csv, "csv") => table::lines(&files::decoded(bytes, path)?, b',', path)?,
            (Format::Csv, _) => return Err(mistaken(path, "csv")),
            (Format::Parquet, _) => parquet::exact_lines(bytes, path)?,
        };
        rows(&text, path)
    })
}

fn mistaken(path: &Path, format: &str) -> Error {
    let message = format!("failed to read {}: its name is not one of `dataset_path: {format}`", path.display());
    Error::data(message).hint("`dataset_path` says how the files are read: json, csv or parquet")
}

fn rows(text: &str, path: &Path) -> Result<Vec<Map<String, Value>>> {
    let lines = (1..).zip(text.trim_start_matches('\u{feff}').lines()).filter(|(_, line)| !line.trim().is_empty());
    let row = |(number, line): (usize, &str)| {
        let fault = match diapason_rows::object(line) {
            Ok(row) => match diapason_rows::inexact(line, &[]) {
                None => return Ok(row),
                Some(fault) => fault,
            },
            Err(fault) => fault,
        };
        let message = format!("failed to read {}: line {number}: {}", path.display(), fault.message);
        Err(Error::data(message).hint(fault.hint))
    };
    lines.map(row).collect()
}
