//! Files packed with gzip or zstd, told by how they begin.

use diapason_core::{Error, Result};
use diapason_disk::files;
use std::io::Read;
use std::path::Path;

/// The bytes that were packed, and the file's name without the packing's ending. What is not packed stays as it is.
///
/// # Errors
/// The packing is damaged or cut off, or holds more than [`files::LARGEST_TEXT`] bytes.
pub(crate) fn unpacked(bytes: Vec<u8>, path: &Path) -> Result<(Vec<u8>, String)> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let without = |endings: &[&str]| {
        let end = endings.iter().find_map(|ending| {
            let at = name.len().checked_sub(ending.len())?;
            name.get(at..)?.eq_ignore_ascii_case(ending).then_some(at)
        });
        name[..end.unwrap_or(name.len())].to_owned()
    };
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let all = read(flate2::read::MultiGzDecoder::new(bytes.as_slice()), "gzip", path, files::LARGEST_TEXT)?;
        return Ok((all, without(&[".gz", ".gzip"])));
    }
    if bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let decoder = zstd::stream::read::Decoder::with_buffer(bytes.as_slice());
        let decoder = decoder.map_err(|source| damaged(source, "zstd", path))?;
        return Ok((read(decoder, "zstd", path, files::LARGEST_TEXT)?, without(&[".zst", ".zstd"])));
    }
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    if matches!(ending.as_str(), "gz" | "gzip" | "zst" | "zstd") {
        let message = format!("failed to read {}: it is not packed, although it ends in .{ending}", path.display());
        return Err(Error::data(message).hint("fetch it again, or remove the ending"));
    }
    Ok((bytes, name))
}

fn read(packed: impl Read, method: &str, path: &Path, most: u64) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    packed.take(most + 1).read_to_end(&mut all).map_err(|source| damaged(source, method, path))?;
    if all.len() as u64 > most {
        return Err(Error::data(format!("{} holds more than {most} bytes, unpacked", path.display()))
            .hint("split it into smaller files"));
    }
    Ok(all)
}

fn damaged(source: std::io::Error, method: &str, path: &Path) -> Error {
    Error::data(format!("failed to unpack {} ({method})", path.display()))
        .because(source)
        .hint("the file is damaged or cut off: fetch or pack it again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_unpacks_to_more_than_the_limit_is_refused() {
        let endless = std::io::repeat(b'a');
        let error = read(endless, "gzip", Path::new("bomb.gz"), 1000).expect_err("a bomb");
        assert!(error.to_string().contains("more than 1000 bytes"), "{error}");
    }
}
