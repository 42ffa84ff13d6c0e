//! Encoded rows on disk, so that a second run neither renders nor tokenises.
//!
//! Little-endian: the magic `DIATOK01`, the SHA-256 of all that follows it, the key (64 bytes of hexadecimal), the number
//! of rows n (u64), n lengths (u32), then for each token its id (u32) with the highest bit set where it is trained.

use crate::encode::Example;
use diapason_core::{Result, digest};
use diapason_disk::{files, foreign};
use memmap2::Mmap;
use std::path::Path;

const MAGIC: &[u8; 8] = b"DIATOK01";

/// Length of a digest in hexadecimal.
const DIGEST: usize = 64;

/// Marks a trained token; vocabularies are far smaller.
const LEARN: u32 = 1 << 31;

/// Writes the rows; `key` is the SHA-256, in hexadecimal, of what they were made of.
pub fn write(path: &Path, key: &str, examples: &[Example]) -> Result<()> {
    let mut body = key.as_bytes().to_vec();
    body.extend((examples.len() as u64).to_le_bytes());
    body.extend(examples.iter().flat_map(|example| (example.ids.len() as u32).to_le_bytes()));
    for example in examples {
        let tokens = example.ids.iter().zip(&example.learn);
        body.extend(tokens.flat_map(|(id, learn)| (id | if *learn { LEARN } else { 0 }).to_le_bytes()));
    }
    let digest = digest::of_bytes(&body);
    files::write(path, &[MAGIC.as_slice(), digest.as_bytes(), &body].concat())
}

/// Reads the rows that were made of what `key` stands for; `None` if there are none, or only others or damaged ones, which
/// are made anew.
pub fn read(path: &Path, key: &str) -> Option<Vec<Example>> {
    foreign::guarded(path.display(), || Ok(examples(path, key))).ok().flatten()
}

fn examples(path: &Path, key: &str) -> Option<Vec<Example>> {
    let file = files::open(path).ok()?;
    // SAFETY: the map is only read, and files of this kind are replaced, never changed in place.
    let bytes = unsafe { Mmap::map(&file) }.ok()?;
    let rest = bytes.strip_prefix(MAGIC)?;
    let (sum, body) = rest.split_at_checked(DIGEST)?;
    let (found, rest) = body.split_at_checked(DIGEST)?;
    if found != key.as_bytes() || sum != digest::of_bytes(body).as_bytes() {
        return None;
    }
    let (rows, rest) = rest.split_first_chunk::<8>()?;
    let (lengths, tokens) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*rows)).ok()?.checked_mul(4)?)?;
    let words =
        |bytes: &[u8]| bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect::<Vec<_>>();
    let (mut tokens, mut examples) = (tokens, Vec::new());
    for length in words(lengths) {
        let (row, rest) = tokens.split_at_checked(length as usize * 4)?;
        let row = words(row);
        let learn = row.iter().map(|word| word & LEARN != 0).collect();
        examples.push(Example { ids: row.iter().map(|word| word & !LEARN).collect(), learn });
        tokens = rest;
    }
    tokens.is_empty().then_some(examples)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.bin");
        let row = |n: u32| Example { ids: (0..n).collect(), learn: (0..n).map(|i| i % 2 == 1).collect() };
        let rows = [row(3), row(0), row(50_000)];
        let key = digest::of_bytes(b"these");
        assert_eq!(read(&path, &key), None);
        write(&path, &key, &rows).unwrap();
        assert_eq!(read(&path, &key).unwrap(), rows);
        assert_eq!(read(&path, &digest::of_bytes(b"others")), None);
        let mut bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 4]).unwrap();
        assert_eq!(read(&path, &key), None);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(read(&path, &key), None);
    }
}
