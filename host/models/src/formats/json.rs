//! The JSON files beside weights.

use diapason_core::{Error, Result};
use diapason_disk::files;
use serde_json::Value;
use std::path::Path;

/// Parses the `text` of the file at `path`.
///
/// # Errors
/// It is no JSON.
pub(crate) fn parse(path: &Path, text: &str) -> Result<Value> {
    serde_json::from_str(text)
        .map_err(|source| Error::data(format!("failed to read {}", path.display())).because(source).hint(DAMAGED))
}

/// What to do about a description that is no JSON.
const DAMAGED: &str = "the file is cut short or was edited; fetch it again";

/// A JSON file, or null where there is none.
pub(crate) fn optional(folder: &Path, name: &str) -> Result<Value> {
    let path = folder.join(name);
    // What is there but is no file is refused, not passed over.
    if path.symlink_metadata().is_err() {
        return Ok(Value::Null);
    }
    parse(&path, &files::read_text(&path)?)
}
