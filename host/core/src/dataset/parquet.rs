//! Parquet files as the JSON lines that they could have been.

use crate::{Error, Result};
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::fs::File;
use std::path::Path;

/// Every row of the file as one line of JSON.
///
/// # Errors
/// The file cannot be opened, is no Parquet file, or is packed in a way that is not supported.
pub(super) fn lines(path: &Path) -> Result<String> {
    let file = File::open(path).map_err(|source| {
        Error::data(format!("failed to read {}", path.display())).because(source).hint("check the path")
    })?;
    let fail = |source: parquet::errors::ParquetError| {
        Error::data(format!("failed to read {}", path.display()))
            .because(source)
            .hint("expected a Parquet file, plain or packed with snappy, gzip or zstd; is it whole?")
    };
    let reader = SerializedFileReader::new(file).map_err(fail)?;
    let mut text = String::new();
    for row in reader.get_row_iter(None).map_err(fail)? {
        text.push_str(&row.map_err(fail)?.to_json_value().to_string());
        text.push('\n');
    }
    Ok(text)
}
