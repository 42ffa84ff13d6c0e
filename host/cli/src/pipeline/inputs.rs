//! The files that a session works from, with their digests: each is read once, and what is made of them is kept only if
//! they are still the same when the work is done.

use crate::wire;
use diapason_core::{Error, Result};
use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Models, adapters and files that were looked at.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    seen: BTreeMap<PathBuf, Seen>,
}

#[derive(Debug)]
struct Seen {
    stamps: Vec<Stamp>,
    /// Names and digests.
    files: Vec<(String, String)>,
}

impl Inputs {
    /// Names and digests of the files of a model, or of a file, as they were when they were first asked for.
    pub(super) fn files(&mut self, path: &Path) -> Result<&[(String, String)]> {
        if !self.seen.contains_key(path) {
            // The stamps come first: what is written while the digest is taken shows in the next ones.
            let seen = Seen { stamps: stamps(path), files: wire::digests_of(path)? };
            self.seen.insert(path.into(), seen);
        }
        Ok(self.seen.get(path).map(|seen| seen.files.as_slice()).unwrap_or_default())
    }

    /// Forgets a path that is being written.
    pub(super) fn forget(&mut self, path: &Path) {
        self.seen.remove(path);
    }

    /// Errors with [`diapason_core::Class::Data`] where a file is another one by now: nobody can say which of the two was
    /// at work. Digests are taken again only of what was touched.
    pub(super) fn unchanged(&mut self) -> Result<()> {
        for (path, seen) in &mut self.seen {
            let stamps = stamps(path);
            if stamps == seen.stamps {
                continue;
            }
            let now = if path.exists() { wire::digests_of(path)? } else { Vec::new() };
            if let Some(name) = differing(&seen.files, &now) {
                let place = if path.is_dir() { path.join(name) } else { path.clone() };
                return Err(Error::data(format!("{} changed while it was in use", place.display())).hint(
                    "results based on it are discarded, since they may stem from either version: run the same command again",
                ));
            }
            seen.stamps = stamps;
        }
        Ok(())
    }
}

/// The first file that is in one list only, or in both with two digests.
fn differing<'a>(old: &'a [(String, String)], new: &'a [(String, String)]) -> Option<&'a str> {
    let other = |list: &[(String, String)], entry: &&(String, String)| !list.contains(entry);
    let lost = old.iter().find(|entry| other(new, entry));
    lost.or_else(|| new.iter().find(|entry| other(old, entry))).map(|(name, _)| name.as_str())
}

/// What changes with a file's content, and costs nothing to read.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    path: PathBuf,
    length: u64,
    modified: Option<SystemTime>,
    /// Inode, and the time of its last change, which no program can set.
    inode: Option<(u64, i64, i64)>,
}

/// Of a file, or of the files in a folder. What cannot be read has none, which differs from what it had.
fn stamps(path: &Path) -> Vec<Stamp> {
    let mut paths = vec![path.to_owned()];
    if path.is_dir() {
        paths = wire::files(path).unwrap_or_default();
        paths.sort();
    }
    let stamp = |path: PathBuf| {
        let metadata = std::fs::metadata(&path).ok()?;
        Some(Stamp { path, length: metadata.len(), modified: metadata.modified().ok(), inode: inode(&metadata) })
    };
    paths.into_iter().filter_map(stamp).collect()
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> Option<(u64, i64, i64)> {
    use std::os::unix::fs::MetadataExt as _;
    Some((metadata.ino(), metadata.ctime(), metadata.ctime_nsec()))
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> Option<(u64, i64, i64)> {
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn another_content_is_named_and_a_touched_file_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("a", "one");
        let mut inputs = Inputs::default();
        let known = inputs.files(folder.path()).unwrap().to_vec();
        write("a", "one");
        inputs.unchanged().unwrap();
        write("a", "two");
        assert_eq!(inputs.files(folder.path()).unwrap(), known, "it stays what it was at first");
        let error = inputs.unchanged().unwrap_err().to_string();
        assert!(error.contains("a changed while it was in use"), "{error}");
        write("a", "one");
        inputs.unchanged().unwrap();
        write("b", "new");
        let error = inputs.unchanged().unwrap_err().to_string();
        assert!(error.contains("b changed while it was in use"), "{error}");
        std::fs::remove_dir_all(folder.path()).unwrap();
        inputs.unchanged().unwrap_err();
    }

    #[test]
    fn the_same_length_and_time_hide_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.gguf");
        std::fs::write(&path, "one").unwrap();
        let then = std::fs::metadata(&path).unwrap().modified().unwrap();
        let mut inputs = Inputs::default();
        inputs.files(&path).unwrap();
        std::fs::write(&path, "two").unwrap();
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(then).unwrap();
        inputs.unchanged().unwrap_err();
    }
}
