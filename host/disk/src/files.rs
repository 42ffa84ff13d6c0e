//! Files: read if they are files and fit, written whole or not at all.

pub mod folder;

use diapason_core::{Error, Result, digest};
use sha2::{Digest, Sha256};
use std::fs::{File, FileType, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Largest text that is read into memory, in bytes: datasets and artefacts of a run.
pub const LARGEST_TEXT: u64 = 4 << 30;

/// Opens a regular file, or a link to one. A named pipe would wait for a writer, and a device may never end.
///
/// # Errors
/// It is something else, or cannot be opened.
pub fn open(path: &Path) -> io::Result<File> {
    regular(&std::fs::metadata(path)?)?;
    File::open(path)
}

/// The content of a regular file of at most `most` bytes. No more memory is taken than the file has bytes.
///
/// # Errors
/// It is no regular file, is larger, does not fit into memory, or cannot be read.
pub fn contents(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let length = file.metadata()?.len();
    let too_large = |what: &str| io::Error::new(io::ErrorKind::FileTooLarge, format!("it has {length} bytes, {what}"));
    if length > most {
        return Err(too_large(&format!("at most {most} are read")));
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length as usize).map_err(|_| too_large("more than there is memory for"))?;
    // A file that grows meanwhile is cut at the limit, and refused.
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_large(&format!("at most {most} are read"))) } else { Ok(bytes) }
}

/// Reads a text file.
///
/// # Errors
/// It is no regular file, has more than [`LARGEST_TEXT`] bytes, or is not UTF-8.
pub fn read_text(path: &Path) -> Result<String> {
    text(contents(path, LARGEST_TEXT), path)
}

/// A file's content as text; `path` is for messages.
fn text(contents: io::Result<Vec<u8>>, path: &Path) -> Result<String> {
    decoded(contents.map_err(|source| unreadable(path, source))?, path)
}

/// The error for a file whose content cannot be had.
pub fn unreadable(path: &Path, source: io::Error) -> Error {
    let hint = match source.kind() {
        io::ErrorKind::FileTooLarge => "split it into smaller files",
        _ => "check the path",
    };
    Error::data(format!("failed to read {}", path.display())).because(source).hint(hint)
}

/// Bytes as text. Errors with the line that is not UTF-8; `path` is for messages.
pub fn decoded(bytes: Vec<u8>, path: &Path) -> Result<String> {
    let fail = || Error::data(format!("failed to read {}", path.display()));
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        match error.as_bytes() {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                fail().because("it is in UTF-16").hint("save it as UTF-8, which every editor can do")
            }
            bytes => {
                let line = 1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count();
                fail().because(format!("line {line} is not UTF-8")).hint("save it as UTF-8; is it a text file?")
            }
        }
    })
}

/// The SHA-256 of a file's content as lowercase hexadecimal, read in pieces.
pub fn digest(path: &Path) -> Result<String> {
    let fail =
        |source| Error::data(format!("failed to read {}", path.display())).because(source).hint("check the path");
    let mut file = open(path).map_err(fail)?;
    let mut hasher = Sha256::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut piece).map_err(fail)?;
        if read == 0 {
            return Ok(digest::hex(&hasher.finalize()));
        }
        hasher.update(&piece[..read]);
    }
}

fn regular(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {}, not a file", kind(metadata.file_type()))))
}

fn kind(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a named pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    if kind.is_dir() { "a folder" } else { "something else" }
}

/// Replaces `path` by `bytes`: written beside it, synced, then renamed, so that a reader sees the old file or the new one.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_with(path, |file| file.write_all(bytes))
}

/// Like [`write()`], for content that is produced piece by piece.
pub fn write_with(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
    stage(path, fill)?.commit()
}

/// Writes the content of `path` beside it; [`Staged::commit`] then puts it there. What is dropped before is removed.
///
/// # Errors
/// `path` is a device, a pipe or a folder, or its folder cannot be written to.
pub fn stage(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<Staged> {
    let fail = |source| unwritable(path, source);
    let target = target(path).map_err(fail)?;
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(fail)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(fail)?;
    fill(file.as_file_mut()).map_err(fail)?;
    file.as_file().sync_all().map_err(fail)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).map_err(fail)?;
    }
    Ok(Staged { file, target })
}

/// A file that is written but not yet in its place.
#[derive(Debug)]
pub struct Staged {
    file: tempfile::NamedTempFile,
    target: PathBuf,
}

impl Staged {
    /// Puts the file in its place.
    pub fn commit(self) -> Result<()> {
        self.file.persist(&self.target).map(drop).map_err(|error| unwritable(&self.target, error.error))
    }
}

/// Where a file is written: what a link points to, or the path itself. A rename onto a device would replace the device.
fn target(path: &Path) -> io::Result<PathBuf> {
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return Ok(path.into()) };
    if metadata.is_symlink() {
        let target = path.canonicalize()?;
        return regular(&std::fs::metadata(&target)?).map(|()| target);
    }
    regular(&metadata).map(|()| path.into())
}

fn unwritable(path: &Path, source: io::Error) -> Error {
    let hint = match source.kind() {
        io::ErrorKind::StorageFull => "free some space; the previous file, if any, is untouched",
        io::ErrorKind::InvalidInput => "name a file; nothing was written",
        _ => "check that the folder exists and can be written to; the previous file, if any, is untouched",
    };
    Error::run(format!("failed to write {}", path.display())).because(source).hint(hint)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
