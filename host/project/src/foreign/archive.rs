//! Inspect's `.eval` logs: ZIP archives of JSON, one entry for every sample and epoch, packed with zstd or deflate.

use super::answer::Answer;
use super::inspect::{self, Header};
use super::json::{self, Problem};
use diapason_disk::files;
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// At most this many entries are read.
const MOST_ENTRIES: usize = 2_000_000;

/// The answers of an archive with these bytes.
pub(super) fn answers(bytes: Vec<u8>) -> Result<Vec<Answer>, Problem> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error.to_string()))?;
    let names = archive.file_names().map(|name| name.map(String::from)).collect::<Result<Vec<String>, _>>();
    let names = names.map_err(|error| damaged(&error.to_string()))?;
    if names.len() > MOST_ENTRIES {
        return Err(Problem::new(format!("it has {} entries, at most {MOST_ENTRIES} are read", names.len()), SPLIT));
    }
    let mut left = files::LARGEST_TEXT;
    // The header is written when a log is finished.
    let known = ["header.json", "_journal/start.json"].into_iter().find(|known| names.iter().any(|name| name == known));
    let header = known.ok_or_else(|| {
        Problem::new("it is a ZIP archive, but no Inspect log", "name the file of answers itself; unpack it first")
    })?;
    let header: Header = entry(&mut archive, header, &mut left)?;
    let mut samples = Vec::new();
    for name in names.iter().filter(|name| name.starts_with("samples/") && name.ends_with(".json")) {
        samples.push((name.clone(), entry(&mut archive, name, &mut left)?));
    }
    inspect::gathered(&header.eval, samples)
}

const SPLIT: &str = "split it into smaller files";

/// Reads one entry as JSON, and takes its size from what is `left` to read.
fn entry<T: serde::de::DeserializeOwned>(
    archive: &mut ZipArchive<Cursor<Vec<u8>>>,
    name: &str,
    left: &mut u64,
) -> Result<T, Problem> {
    let entry = archive.by_name(name).map_err(|error| damaged(&error.to_string()).at(name))?;
    let mut text = String::new();
    let read = entry.take(*left + 1).read_to_string(&mut text).map_err(|error| damaged(&error.to_string()).at(name))?;
    *left = left
        .checked_sub(read as u64)
        .ok_or_else(|| Problem::new(format!("it holds more than {} bytes, unpacked", files::LARGEST_TEXT), SPLIT))?;
    json::parsed(&text).map_err(|problem| problem.at(name))
}

fn damaged(what: &str) -> Problem {
    Problem::new(what, "the archive is damaged or cut off: fetch it again, or write the log as JSON")
}
