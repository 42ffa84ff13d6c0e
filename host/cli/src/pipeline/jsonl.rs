//! Rows of the run folder's `.jsonl` files.

use diapason_core::escape;
use diapason_core::{Error, Result};
use diapason_disk::{files, foreign};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;

/// Replaces the file at `path` by one JSON document a line.
pub(super) fn write<T: Serialize>(path: &Path, rows: &[T]) -> Result<()> {
    let mut text = String::new();
    for row in rows {
        let line = serde_json::to_string(row)
            .map_err(|source| Error::run(format!("failed to write {}", path.display())).because(source))?;
        // Somebody will print the file.
        text.push_str(&escape::json(&line));
        text.push('\n');
    }
    files::write(path, text.as_bytes())
}

/// The rows of the file at `path`; `verb` writes it.
pub(super) fn read<T: DeserializeOwned>(path: &Path, verb: &str) -> Result<Vec<T>> {
    rows(&text(path, verb)?, path, verb)
}

/// The rows of `text`, which `verb` wrote to the file at `path`.
pub(super) fn rows<T: DeserializeOwned>(text: &str, path: &Path, verb: &str) -> Result<Vec<T>> {
    foreign::guarded(path.display(), || parse(text, path, verb))
}

fn parse<T: DeserializeOwned>(text: &str, path: &Path, verb: &str) -> Result<Vec<T>> {
    let row = |(index, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|source| {
            Error::data(format!("failed to understand {} line {}", path.display(), index + 1))
                .because(source)
                .hint(format!("`diapason {verb}` writes it again once it is removed"))
        })
    };
    text.lines().enumerate().map(row).collect()
}

/// An artefact's text; `verb` writes it.
pub(super) fn text(path: &Path, verb: &str) -> Result<String> {
    if !path.exists() {
        return Err(Error::run(format!("{} is missing", path.display())).hint(format!("run `diapason {verb}` first")));
    }
    files::read_text(path)
}
