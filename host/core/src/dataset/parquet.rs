//! Parquet files as the JSON lines that they could have been.

use crate::{Error, Result, files};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};
use std::path::Path;

/// Most columns, groups of columns included. A schema is a tree, and this bounds its depth.
const COLUMNS: usize = 2_000;

/// What stands before the schema's length in the footer: field 1 (version, i32), one byte, field 2 (a list).
const VERSION: u8 = 0x15;
const SCHEMA: u8 = 0x19;

/// Every row of the file as one line of JSON.
///
/// # Errors
/// It is no Parquet file, is packed in a way that is not supported, or its rows are more text than
/// [`files::LARGEST_TEXT`].
pub(super) fn lines(bytes: Vec<u8>, path: &Path) -> Result<String> {
    of(bytes::Bytes::from(bytes), path)
}

fn of(file: impl ChunkReader + 'static, path: &Path) -> Result<String> {
    let fail = |source: ParquetError| {
        Error::data(format!("failed to read {}", path.display()))
            .because(source)
            .hint("expected a Parquet file, plain or packed with snappy, gzip or zstd; is it whole?")
    };
    check_schema(&file).map_err(fail)?;
    let reader = SerializedFileReader::new(file).map_err(fail)?;
    if reader.metadata().file_metadata().schema_descr().num_columns() == 0 {
        return Err(fail(ParquetError::General("it has no columns".into())));
    }
    let mut text = String::new();
    for row in reader.get_row_iter(None).map_err(fail)? {
        text.push_str(&row.map_err(fail)?.to_json_value().to_string());
        text.push('\n');
        if text.len() as u64 > files::LARGEST_TEXT {
            return Err(Error::data(format!("{} has rows of more than {} bytes", path.display(), files::LARGEST_TEXT))
                .hint("split it into smaller files"));
        }
    }
    Ok(text)
}

/// Refuses a schema that is too large to be one, before the library builds a tree of it: its depth would be the stack's.
fn check_schema(file: &impl ChunkReader) -> Result<(), ParquetError> {
    let length = file.len();
    let wrong = |what: &str| ParquetError::General(what.into());
    let tail_at = length.checked_sub(8).ok_or_else(|| wrong("it is too short for a Parquet file"))?;
    let tail = file.get_bytes(tail_at, 8)?;
    let (size, magic) = tail.split_at(4);
    if magic != b"PAR1" {
        return Err(wrong("it does not end like a Parquet file"));
    }
    let size = size.iter().rev().fold(0, |size, byte| size << 8 | u64::from(*byte));
    let start = tail_at.checked_sub(size).ok_or_else(|| wrong("its footer is longer than the file"))?;
    let head = file.get_bytes(start, size.min(16) as usize)?;
    let elements = schema_elements(&head).ok_or_else(|| wrong("its footer does not begin with a schema"))?;
    if elements > COLUMNS {
        return Err(wrong(&format!("it has {elements} columns, at most {COLUMNS} are read")));
    }
    Ok(())
}

/// Elements of the schema: the first two fields of a footer are a version and a list, in Thrift's compact protocol.
fn schema_elements(footer: &[u8]) -> Option<usize> {
    let [VERSION, rest @ ..] = footer else { return None };
    let (_, rest) = varint(rest)?;
    let [SCHEMA, list, rest @ ..] = rest else { return None };
    // Short lists have their length in the upper half of the byte, longer ones behind it.
    if list >> 4 < 15 { Some(usize::from(list >> 4)) } else { varint(rest).map(|(size, _)| size) }
}

fn varint(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let length = 1 + bytes.iter().take(5).position(|byte| byte & 0x80 == 0)?;
    let (digits, rest) = bytes.split_at(length);
    Some((digits.iter().rev().fold(0, |value, byte| value << 7 | usize::from(byte & 0x7f)), rest))
}
