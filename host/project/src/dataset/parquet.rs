//! Parquet files as the JSON lines that they could have been.

use super::columns::is_read;
use diapason_core::config::Columns;
use diapason_core::{Error, Result};
use diapason_disk::files;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use parquet::schema::types::Type;
use std::path::Path;

/// Most columns, groups of columns included. A schema is a tree, and this bounds its depth.
const COLUMNS: usize = 2_000;

/// What stands before the schema's length in the footer: field 1 (version, i32), one byte, field 2 (a list).
const VERSION: u8 = 0x15;
const SCHEMA: u8 = 0x19;

/// Every row of the file as one line of JSON.
///
/// # Errors
/// It is no Parquet file, is packed in a way that is not supported, two columns have one name, its rows are more text
/// than [`files::LARGEST_TEXT`], or a column that rows are read from holds what JSON cannot.
pub(super) fn lines(bytes: Vec<u8>, names: &Columns, path: &Path) -> Result<String> {
    of(bytes::Bytes::from(bytes), &|row| unheld(row, names), path)
}

/// Every row of the file as one line of JSON that holds the same values.
///
/// # Errors
/// As [`lines()`], and where a column is of a type that JSON has not.
pub(super) fn exact_lines(bytes: Vec<u8>, path: &Path) -> Result<String> {
    let changed =
        |row: &Row| row.get_column_iter().find_map(|(column, field)| within(field, format!("/{column}"), true));
    of(bytes::Bytes::from(bytes), &changed, path)
}

/// What of a row cannot be written: where it stands, and what it is.
type Unwritten = Option<(String, &'static str)>;

fn of(file: impl ChunkReader + 'static, unheld: &dyn Fn(&Row) -> Unwritten, path: &Path) -> Result<String> {
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
    if let Some(name) = twice(reader.metadata().file_metadata().schema_descr().root_schema()) {
        return Err(Error::data(format!("failed to read {}: two of its columns are named `{name}`", path.display()))
            .hint("only one of them can be meant: rename or remove the other"));
    }
    let mut text = String::new();
    for (number, row) in (1..).zip(reader.get_row_iter(None).map_err(fail)?) {
        let row = row.map_err(fail)?;
        if let Some((place, what)) = unheld(&row) {
            return Err(no_json(number, &place, what, path));
        }
        text.push_str(&row.to_json_value().to_string());
        text.push('\n');
        if text.len() as u64 > files::LARGEST_TEXT {
            return Err(Error::data(format!("{} has rows of more than {} bytes", path.display(), files::LARGEST_TEXT))
                .hint("split it into smaller files"));
        }
    }
    Ok(text)
}

/// The name of two columns of one level, of which JSON would keep one.
fn twice(schema: &Type) -> Option<&str> {
    if !schema.is_group() {
        return None;
    }
    let fields = schema.get_fields();
    let again = |(at, field): (usize, &parquet::schema::types::TypePtr)| {
        fields[..at].iter().any(|before| before.name() == field.name())
    };
    let at = (0..fields.len()).find(|at| again((*at, &fields[*at])));
    at.map(|at| fields[at].name()).or_else(|| fields.iter().find_map(|field| twice(field)))
}

/// What of a row JSON cannot hold, in columns that are read: where it stands, and what it is. JSON would have bytes in
/// base64, as if that were the text, and nothing for a float that is no number.
fn unheld(row: &Row, names: &Columns) -> Unwritten {
    let read = row.get_column_iter().filter(|(column, _)| is_read(names, column));
    read.into_iter().find_map(|(column, field)| within(field, format!("/{column}"), false))
}

/// `exact` also finds values that JSON has under another form only.
fn within(field: &Field, place: String, exact: bool) -> Unwritten {
    let number = |finite: bool| (!finite).then_some("a number that is not finite");
    let what = match field {
        Field::Group(row) => {
            return row.get_column_iter().find_map(|(name, field)| within(field, format!("{place}/{name}"), exact));
        }
        Field::ListInternal(list) => {
            return (0..)
                .zip(list.elements())
                .find_map(|(at, field): (usize, _)| within(field, format!("{place}/{at}"), exact));
        }
        Field::MapInternal(map) if !exact => {
            return map.entries().iter().find_map(|(key, field)| within(field, format!("{place}/{key}"), exact));
        }
        Field::Bytes(_) => Some("bytes, not text"),
        Field::Float16(_)
        | Field::Float(_)
        | Field::Decimal(_)
        | Field::Date(_)
        | Field::TimeMillis(_)
        | Field::TimeMicros(_)
        | Field::TimestampMillis(_)
        | Field::TimestampMicros(_)
        | Field::MapInternal(_)
            if exact =>
        {
            Some("of a type that is neither text, nor an integer, nor a number of 64 bits")
        }
        Field::Float16(value) => number(value.is_finite()),
        Field::Float(value) => number(value.is_finite()),
        Field::Double(value) => number(value.is_finite()),
        _ => None,
    };
    what.map(|what| (place, what))
}

fn no_json(row: usize, place: &str, what: &str, path: &Path) -> Error {
    let hint = match what.starts_with("bytes") {
        true => "write the column with a type of text (`string` in pyarrow)",
        false if what.starts_with("of a type") => "write the column as `string`, `int64` or `double`",
        false => "write null where there is no value; a number that is infinite cannot be written as JSON",
    };
    Error::data(format!("failed to read {}: row {row} {place} is {what}", path.display())).hint(hint)
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
