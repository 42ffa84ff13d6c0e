//! Parquet files as the JSON lines that they could have been.

use crate::{Error, Result, digest};
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::path::Path;

/// Every row of the file as one line of JSON, and the file's digest.
///
/// # Errors
/// The file cannot be read, is no Parquet file, or is packed in a way that is not supported.
pub(super) fn lines(path: &Path) -> Result<(String, String)> {
    let bytes = std::fs::read(path).map_err(|source| {
        Error::data(format!("failed to read {}", path.display())).because(source).hint("check the path")
    })?;
    let digest = digest::of_bytes(&bytes);
    let fail = |source: parquet::errors::ParquetError| {
        Error::data(format!("failed to read {}", path.display()))
            .because(source)
            .hint("expected a Parquet file, plain or packed with snappy, gzip or zstd; is it whole?")
    };
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).map_err(fail)?;
    let mut text = String::new();
    for row in reader.get_row_iter(None).map_err(fail)? {
        text.push_str(&row.map_err(fail)?.to_json_value().to_string());
        text.push('\n');
    }
    Ok((text, digest))
}
