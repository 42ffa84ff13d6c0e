//! Projects that `init` writes: for one's own data, and starters with what some need beyond their files.

pub mod address;
pub(crate) mod own;

use diapason_core::{Error, Result};
use diapason_disk::files;
use std::borrow::Cow;
use std::path::Path;

/// Path in the project, and content.
pub(crate) type File<'a> = (&'a str, Cow<'a, [u8]>);

/// Writes all of the files, or none where one of them exists; gives their paths.
pub(crate) fn write(folder: &Path, contents: &[File<'_>]) -> Result<Vec<String>> {
    let targets: Vec<_> = contents.iter().map(|(path, _)| folder.join(path)).collect();
    if let Some(existing) = targets.iter().find(|path| path.exists()) {
        return Err(Error::config(format!("{} exists already", existing.display()))
            .hint("name another folder; a starter replaces nothing"));
    }
    for (target, (_, content)) in targets.iter().zip(contents) {
        files::write(target, content)?;
    }
    Ok(targets.iter().map(|path| path.display().to_string()).collect())
}
