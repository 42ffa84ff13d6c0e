//! A dataset's file, in any of its formats, to JSON lines: unpacked, told apart by what it holds, its columns renamed.

use super::{array, columns, folder, pack, parquet, table};
use diapason_core::config::Columns;
use diapason_core::{Error, Result, digest};
use diapason_disk::{files, foreign};
use std::path::Path;

/// The rows of the file at `path` as JSON lines, and the digest of its bytes; see [`super::read`].
pub(super) fn read(path: &Path, names: &Columns) -> Result<(String, String)> {
    if path.is_dir() {
        return Err(folder::refusal(path));
    }
    let bytes = files::contents(path, files::LARGEST_TEXT).map_err(|source| files::unreadable(path, source))?;
    let digest = digest::of_bytes(&bytes);
    let text = foreign::guarded(path.display(), || lines(bytes, names, path))?;
    Ok((columns::renamed(text, names, path)?, digest))
}

/// The rows of a file with these bytes as JSON lines; `path` names its format and is for messages.
pub(crate) fn lines(bytes: Vec<u8>, names: &Columns, path: &Path) -> Result<String> {
    let (bytes, name) = pack::unpacked(bytes, path)?;
    if let Some(what) = foreign_format(&bytes) {
        return Err(Error::data(format!("failed to read {}: it is {what}", path.display())).hint(super::FORMATS));
    }
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    if let Some(error) = folder::arrow(&bytes, &ending, path) {
        return Err(error);
    }
    match ending.as_str() {
        "parquet" => parquet::lines(bytes, names, path),
        _ if bytes.starts_with(b"PAR1") => parquet::lines(bytes, names, path),
        "csv" => table::lines(&files::decoded(bytes, path)?, b',', path),
        "tsv" | "tab" => table::lines(&files::decoded(bytes, path)?, b'\t', path),
        _ => array::lines(files::decoded(bytes, path)?, path),
    }
}

/// Formats that hold rows and are not read, by how they begin.
fn foreign_format(bytes: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 6] = [
        (b"PK\x03\x04", "a ZIP archive or an Excel file"),
        (b"BZh", "packed with bzip2"),
        (b"\xfd7zXZ\0", "packed with xz"),
        (b"\x04\x22\x4d\x18", "packed with lz4"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"Obj\x01", "an Avro file"),
    ];
    known.into_iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, what)| what)
}
