//! Columns of a file that go by other names than ours.

use diapason_core::config::Columns;
use diapason_core::{Error, Result};
use serde_json::{Map, Value};
use std::path::Path;

/// Whether a column of a file, under the name that it has there, is one that rows are read from.
pub(super) fn is_read(columns: &Columns, column: &str) -> bool {
    diapason_rows::is_read(column) || columns.pairs().iter().any(|(_, theirs)| theirs == column)
}

/// JSON lines with their columns under our names. A line that is no object stays as it is, for the reader to refuse.
///
/// # Errors
/// No row has one of the columns, or a row has a column of our name beside the one that is to take it.
pub(super) fn renamed(text: String, columns: &Columns, path: &Path) -> Result<String> {
    if columns.is_empty() {
        return Ok(text);
    }
    let names = columns.pairs();
    let mut found = vec![false; names.len()];
    let mut seen = Vec::new();
    let mut lines = String::with_capacity(text.len());
    for (number, line) in (1..).zip(text.lines()) {
        match diapason_rows::object(line) {
            Ok(row) => {
                check_numbers(line, &row, columns).map_err(|fault| inexact(&fault, number, path))?;
                seen.extend(row.keys().filter(|key| number < 100 && !seen.contains(*key)).cloned().collect::<Vec<_>>());
                let row = rename(row, &names, &mut found).map_err(|name| clash(&name, number, path))?;
                lines.push_str(&Value::Object(row).to_string());
            }
            Err(_) => lines.push_str(line),
        }
        lines.push('\n');
    }
    match names.iter().zip(&found).find(|(_, found)| !**found) {
        Some(((ours, theirs), _)) if !seen.is_empty() => Err(absent(ours, theirs, &seen, path)),
        _ => Ok(lines),
    }
}

/// The row is written anew, which not every number survives.
fn check_numbers(
    line: &str,
    row: &Map<String, Value>,
    columns: &Columns,
) -> std::result::Result<(), diapason_rows::Fault> {
    let unread: Vec<String> = row.keys().filter(|key| !is_read(columns, key)).cloned().collect();
    diapason_rows::inexact(line, &unread).map_or(Ok(()), Err)
}

fn inexact(fault: &diapason_rows::Fault, line: usize, path: &Path) -> Error {
    let message = format!("failed to read {}: line {line} {}: {}", path.display(), fault.path, fault.message);
    Error::data(message).hint(fault.hint.clone())
}

fn rename(
    row: Map<String, Value>,
    names: &[(String, String)],
    found: &mut [bool],
) -> std::result::Result<Map<String, Value>, String> {
    let taken = |key: &str| names.iter().any(|(_, theirs)| theirs == key);
    let mut renamed = Map::new();
    for (at, (ours, theirs)) in names.iter().enumerate() {
        if let Some(value) = row.get(theirs) {
            found[at] = true;
            renamed.insert(ours.clone(), value.clone());
        }
    }
    for (key, value) in row.into_iter().filter(|(key, _)| !taken(key)) {
        if names.iter().any(|(ours, _)| *ours == key) && !value.is_null() {
            return Err(key);
        }
        renamed.entry(key).or_insert(value);
    }
    Ok(renamed)
}

fn clash(name: &str, line: usize, path: &Path) -> Error {
    let message = format!("failed to read {}: line {line}: it has a column `{name}` of its own", path.display());
    Error::data(message).hint(format!("`columns.{name}` names another column: remove one of the two"))
}

fn absent(ours: &str, theirs: &str, seen: &[String], path: &Path) -> Error {
    let message = format!("{} has no column `{theirs}`, which `columns.{ours}` names", path.display());
    Error::data(message).hint(format!("its columns are {}", seen.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(pairs: &str) -> Columns {
        serde_json::from_str(pairs).expect("columns")
    }

    fn read(text: &str, columns: &Columns) -> std::result::Result<String, String> {
        renamed(text.into(), columns, Path::new("t.jsonl")).map_err(|error| error.to_string())
    }

    #[test]
    fn columns_take_our_names() {
        let columns = names(r#"{"prompt": "question", "completion": "prompt"}"#);
        let text = "{\"question\":\"a\",\"prompt\":\"b\",\"x\":1}\n\nbroken\n";
        assert_eq!(read(text, &columns).as_deref(), Ok("{\"prompt\":\"a\",\"completion\":\"b\",\"x\":1}\n\nbroken\n"));
        assert_eq!(read(text, &Columns::default()).as_deref(), Ok(text));
    }

    #[test]
    fn a_column_that_is_not_there_or_there_twice_is_named() {
        let columns = names(r#"{"prompt": "question"}"#);
        let message = read("{\"qestion\": \"a\"}\n", &columns).expect_err("absent");
        assert!(message.contains("no column `question`, which `columns.prompt` names"), "{message}");
        let message = read("{\"question\": 12345678901234567890123}\n", &columns).expect_err("a number");
        assert!(message.contains("line 1 /question: the integer 12345678901234567890123 would not stay"), "{message}");
        assert!(read("{\"question\": \"a\", \"hash\": 12345678901234567890123}\n", &columns).is_ok());
        let message = read("{\"question\": \"a\", \"prompt\": \"b\"}\n", &columns).expect_err("a clash");
        assert!(message.contains("line 1: it has a column `prompt` of its own"), "{message}");
    }
}
