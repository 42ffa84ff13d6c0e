//! Rows of whole numbers in lists, written as Parquet: tokens for another trainer.

use diapason_core::Result;
use diapason_disk::files;
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::Int32Type;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::fs::File;
use std::io;
use std::path::Path;

/// Numbers of a column that are kept in memory before they are written.
const BUFFERED: usize = 1 << 22;

/// Writes `rows` into the file at `path`, whole or not at all: for each of `columns` one list of a row. Returns the number
/// of rows.
///
/// Errors if a row has more or fewer lists than there are columns, or the file cannot be written.
pub fn write(path: &Path, columns: &[&str], rows: impl Iterator<Item = Vec<Vec<i32>>>) -> Result<u64> {
    let mut count = 0;
    files::write_with(path, |file| fill(file, columns, rows, &mut count).map_err(io::Error::other))?;
    Ok(count)
}

fn fill(
    file: &mut File,
    columns: &[&str],
    rows: impl Iterator<Item = Vec<Vec<i32>>>,
    count: &mut u64,
) -> Result<(), ParquetError> {
    let list =
        |name: &&str| format!("required group {name} (LIST) {{ repeated group list {{ required int32 element; }} }}");
    let schema = format!("message rows {{ {} }}", columns.iter().map(list).collect::<Vec<_>>().join(" "));
    let packed = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let mut writer = SerializedFileWriter::new(file, parse_message_type(&schema)?.into(), packed.into())?;
    let mut lists: Vec<Lists> = columns.iter().map(|_| Lists::default()).collect();
    for row in rows {
        if row.len() != lists.len() {
            return Err(ParquetError::General(format!("a row has {} lists, expected {}", row.len(), lists.len())));
        }
        lists.iter_mut().zip(row).for_each(|(lists, list)| lists.push(&list));
        *count += 1;
        if lists.iter().any(|lists| lists.values.len() >= BUFFERED) {
            flush(&mut writer, &mut lists)?;
        }
    }
    flush(&mut writer, &mut lists)?;
    writer.close().map(drop)
}

/// Writes what is buffered as a group of rows.
fn flush(writer: &mut SerializedFileWriter<&mut File>, lists: &mut [Lists]) -> Result<(), ParquetError> {
    if lists.iter().all(|lists| lists.levels.is_empty()) {
        return Ok(());
    }
    let mut group = writer.next_row_group()?;
    for lists in lists {
        let Some(mut column) = group.next_column()? else { break };
        let Lists { values, levels, starts } = std::mem::take(lists);
        column.typed::<Int32Type>().write_batch(&values, Some(&levels), Some(&starts))?;
        column.close()?;
    }
    group.close().map(drop)
}

/// A column of lists, in Parquet's levels.
#[derive(Default)]
struct Lists {
    values: Vec<i32>,
    /// 1 for each value, 0 for a list without one.
    levels: Vec<i16>,
    /// 0 where a list starts.
    starts: Vec<i16>,
}

impl Lists {
    fn push(&mut self, list: &[i32]) {
        self.values.extend_from_slice(list);
        self.starts.push(0);
        self.starts.extend(std::iter::repeat_n(1, list.len().saturating_sub(1)));
        self.levels.extend(std::iter::repeat_n(i16::from(!list.is_empty()), list.len().max(1)));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use diapason_core::config::Columns;

    #[test]
    fn lists_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.parquet");
        let rows = [vec![vec![1, -100, 3], vec![7]], vec![vec![], vec![i32::MAX, i32::MIN]], vec![vec![5], vec![]]];
        assert_eq!(write(&path, &["a", "b"], rows.iter().cloned()).unwrap(), 3);
        let (text, _) = super::super::read(&path, &Columns::default()).unwrap();
        let read: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let expected = rows.map(|row| serde_json::json!({"a": row[0], "b": row[1]}));
        assert_eq!(read, expected);
    }

    #[test]
    fn a_row_without_a_column_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.parquet");
        let error = write(&path, &["a", "b"], [vec![vec![1]]].into_iter()).unwrap_err();
        assert!(error.to_string().contains("a row has 1 lists, expected 2"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
