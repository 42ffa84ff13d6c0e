//! Case files, as `plugins/README.md` describes them.

use diapason_case_format::Case;
use diapason_core::{Error, Result};
use diapason_disk::{files, foreign};
use std::path::{Path, PathBuf};

/// The cases of the given files and folders, each with its file's path.
pub(super) fn load(paths: &[PathBuf]) -> Result<Vec<(PathBuf, Case)>> {
    let mut cases = Vec::new();
    for path in paths {
        for file in files_of(path)? {
            let read = foreign::guarded(file.display(), || read(&file))?;
            cases.extend(read.into_iter().map(|case| (file.clone(), case)));
        }
    }
    if cases.is_empty() {
        return Err(Error::config("there are no cases").hint("name case files, or folders with .json files in them"));
    }
    Ok(cases)
}

fn files_of(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.into()]);
    }
    let fail = |source| Error::data(format!("failed to list {}", path.display())).because(source);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(fail)? {
        let file = entry.map_err(fail)?.path();
        if file.extension().is_some_and(|ending| ending == "json") {
            found.push(file);
        }
    }
    found.sort();
    Ok(found)
}

fn read(file: &Path) -> Result<Vec<Case>> {
    Case::read(&files::read_text(file)?).map_err(|cause| {
        Error::data(format!("failed to understand {}: {cause}", file.display()))
            .hint("a case has a name, a capability, an input, and one of `expect` and `error`")
    })
}
