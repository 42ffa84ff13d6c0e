//! The texts of a folder, in a fixed order: nothing is left out without a word.

use diapason_core::escape::line;
use diapason_core::{Error, Result};
use diapason_disk::files;
use std::fs::{DirEntry, FileType};
use std::path::{Path, PathBuf};

/// Endings of Markdown files, and of plain texts.
const MARKDOWN: [&str; 2] = ["md", "markdown"];
const PLAIN: [&str; 2] = ["txt", "text"];

/// What a folder may hold; more is no folder of texts, or a link in a circle of some other kind.
const MOST_BYTES: u64 = 256 << 20;
const MOST_ENTRIES: usize = 100_000;
const DEEPEST: usize = 32;

/// Something in a folder that is not read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its path in the folder.
    pub path: String,
    /// Why it is not read.
    pub why: &'static str,
}

/// A text file.
pub(super) struct Text {
    /// Its path in the folder, with `/` between the parts.
    pub(super) source: String,
    pub(super) is_markdown: bool,
    /// In UTF-8, without a byte order mark, lines ending in line feeds.
    pub(super) text: String,
}

/// Reads the text and Markdown files in `folder` and the folders in it, sorted by path, with what else it holds.
///
/// Errors if the folder or a text cannot be read, something in it is a link, or it holds too much.
pub(super) fn read(folder: &Path) -> Result<(Vec<Text>, Vec<LeftOut>)> {
    if !folder.is_dir() {
        let what = if folder.exists() { "it is not a folder" } else { "it does not exist" };
        return Err(unreadable(folder, what).hint("name a folder of text and Markdown files in `retrieve.folder`"));
    }
    let mut found = Found::default();
    found.walk(folder, "", 0)?;
    found.files.sort();
    found.left_out.sort_by(|one, other| one.path.cmp(&other.path));
    let mut remaining = MOST_BYTES;
    let texts = found.files.into_iter().map(|(source, path)| text(source, &path, &mut remaining, folder));
    Ok((texts.collect::<Result<_>>()?, found.left_out))
}

#[derive(Default)]
struct Found {
    files: Vec<(String, PathBuf)>,
    left_out: Vec<LeftOut>,
    entries: usize,
}

impl Found {
    /// Takes what is in `folder`, which is called `within` in the folder that is read.
    fn walk(&mut self, folder: &Path, within: &str, depth: usize) -> Result<()> {
        if depth > DEEPEST {
            return Err(unreadable(folder, format!("it lies more than {DEEPEST} folders deep")).hint("move it up"));
        }
        let fail = |source| unreadable(folder, source).hint("check the path and its permissions");
        for entry in std::fs::read_dir(folder).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            self.take(&entry, entry.file_type().map_err(fail)?, within, depth)?;
        }
        Ok(())
    }

    fn take(&mut self, entry: &DirEntry, kind: FileType, within: &str, depth: usize) -> Result<()> {
        let path = entry.path();
        self.entries += 1;
        if self.entries > MOST_ENTRIES {
            return Err(unreadable(&path, format!("its folder holds more than {MOST_ENTRIES} files"))
                .hint("name a folder of documents in `retrieve.folder`"));
        }
        let Ok(name) = entry.file_name().into_string() else {
            return Err(unreadable(&path, "its name is not UTF-8").hint("rename it"));
        };
        let source = format!("{within}{name}");
        if name.starts_with('.') {
            self.leave(source, "it is hidden");
        } else if kind.is_symlink() {
            return Err(unreadable(&path, "it is a link")
                .hint("put what it points to in its place: what a folder says must not change from outside"));
        } else if kind.is_dir() {
            self.walk(&path, &format!("{source}/"), depth + 1)?;
        } else if is_text(&name) {
            self.files.push((source, path));
        } else {
            self.leave(source, "it is neither text (.txt, .text) nor Markdown (.md, .markdown)");
        }
        Ok(())
    }

    fn leave(&mut self, path: String, why: &'static str) {
        self.left_out.push(LeftOut { path, why });
    }
}

fn text(source: String, path: &Path, remaining: &mut u64, folder: &Path) -> Result<Text> {
    let bytes = files::contents(path, files::LARGEST_TEXT).map_err(|source| files::unreadable(path, source))?;
    *remaining = remaining.checked_sub(bytes.len() as u64).ok_or_else(|| {
        unreadable(folder, format!("its texts have more than {} MiB", MOST_BYTES >> 20))
            .hint("leave in it what the answers need")
    })?;
    let text = files::decoded(bytes, path)?;
    if let Some(at) = text.find('\0') {
        let number = 1 + text[..at].matches('\n').count();
        return Err(unreadable(path, format!("line {number} holds NUL bytes")).hint("is it a text file?"));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).replace("\r\n", "\n").replace('\r', "\n");
    Ok(Text { is_markdown: has_ending(&source, MARKDOWN), source, text })
}

fn is_text(name: &str) -> bool {
    has_ending(name, MARKDOWN) || has_ending(name, PLAIN)
}

fn has_ending(name: &str, endings: [&str; 2]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| endings.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

fn unreadable(path: &Path, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::data(format!("failed to read {}", line(&path.display().to_string()))).because(why)
}
