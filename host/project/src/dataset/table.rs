//! CSV and TSV as the JSON lines that they could have been: the first line names the columns, every cell is a text.

use diapason_core::{Error, Result};
use serde_json::{Map, Value};
use std::path::Path;

/// Every record as one line of JSON, on the line where it begins in the file, so that messages name that one. An empty cell
/// is an absent value.
///
/// # Errors
/// A record has more or fewer cells than the header, a name stands twice in the header, or a quote is not closed.
pub(super) fn lines(text: &str, delimiter: u8, path: &Path) -> Result<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let fail =
        |message: String, hint: &str| Error::data(format!("failed to read {}: {message}", path.display())).hint(hint);
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text.as_bytes());
    let names = reader.headers().map_err(|source| fail(reason(&source), CELLS))?.clone();
    check_names(&names, delimiter).map_err(|(message, hint)| fail(message, hint))?;
    let mut lines = String::new();
    // The line that comes next, where the last record begins, and on which line that is.
    let (mut line, mut last, mut counted) = (1, 0, 1);
    for record in reader.records() {
        let record = record.map_err(|source| fail(reason(&source), CELLS))?;
        // A position may lie before the line feed that ends the line before.
        let at = record.position().map_or(last, |at| at.byte() as usize);
        let at = at + text[at..].bytes().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let start = counted + text[last..at].bytes().filter(|byte| *byte == b'\n').count();
        lines.extend(std::iter::repeat_n('\n', start.saturating_sub(line)));
        (line, last, counted) = (line.max(start), at, start);
        let filled = names.iter().zip(&record).filter(|(_, cell)| !cell.is_empty());
        let row: Map<String, Value> = filled.map(|(name, cell)| (name.to_owned(), cell.into())).collect();
        lines.push_str(&Value::Object(row).to_string());
        lines.push('\n');
        line += 1;
    }
    match is_closed(text.get(last..).unwrap_or_default(), delimiter) {
        true => Ok(lines),
        false => {
            Err(fail(format!("line {counted}: a quote is not closed"), "close it; a quote inside a cell is doubled"))
        }
    }
}

const CELLS: &str = "every line has as many cells as the first, which names the columns; cells with line breaks, quotes or \
                     delimiters stand in double quotes";

fn reason(source: &csv::Error) -> String {
    match source.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            let cells = if *len == 1 { "1 cell".into() } else { format!("{len} cells") };
            format!("line {line} has {cells}, the first line {expected_len}")
        }
        _ => source.to_string(),
    }
}

fn check_names(names: &csv::StringRecord, delimiter: u8) -> std::result::Result<(), (String, &'static str)> {
    let twice = names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|before| before == *name));
    if let Some((_, name)) = twice {
        return Err((format!("the first line names the column `{name}` twice"), "give each column a name of its own"));
    }
    let other = [';', '\t', ',', '|'].into_iter().find(|other| {
        *other as u32 != u32::from(delimiter) && names.len() == 1 && names.iter().any(|name| name.contains(*other))
    });
    match other {
        Some(other) => Err((
            format!("its columns seem to be separated by {other:?}"),
            "CSV is separated by commas, TSV (a file that ends in .tsv) by tabs",
        )),
        None => Ok(()),
    }
}

/// Whether no quoted cell of the record is left open: a reader would take the rest of the file for it without a word.
fn is_closed(record: &str, delimiter: u8) -> bool {
    let (mut quoted, mut at_start) = (false, true);
    let mut bytes = record.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match (quoted, byte) {
            (true, b'"') if bytes.peek() == Some(&b'"') => {
                bytes.next();
            }
            (true, b'"') => quoted = false,
            (false, b'"') if at_start => quoted = true,
            _ => {}
        }
        at_start = !quoted && (byte == delimiter || byte == b'\n');
    }
    !quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, delimiter: u8) -> std::result::Result<String, String> {
        lines(text, delimiter, Path::new("t.csv")).map_err(|error| error.to_string())
    }

    #[test]
    fn records_stand_on_their_lines() {
        let text = "\u{feff}prompt,completion,n\r\n\"a, \"\"b\"\"\nc\",d,\r\n5\" pipe,e,3\r\n";
        let expected = "\n{\"prompt\":\"a, \\\"b\\\"\\nc\",\"completion\":\"d\"}\n\n{\"prompt\":\"5\\\" pipe\",\"completion\":\"e\",\"n\":\"3\"}\n";
        assert_eq!(read(text, b',').as_deref(), Ok(expected));
        assert_eq!(read("a\tb\nx\ty", b'\t').as_deref(), Ok("\n{\"a\":\"x\",\"b\":\"y\"}\n"));
        assert_eq!(read("a,b\n", b',').as_deref(), Ok(""));
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for (text, part) in [
            ("a,b\nx,y\nx\n", "line 3 has 1 cell, the first line 2"),
            ("a,a\nx,y\n", "`a` twice"),
            ("a;b\nx;y\n", "separated by ';'"),
            ("a,b\nx,\"y\nz,w\n", "line 2: a quote is not closed"),
        ] {
            let message = read(text, b',').expect_err(text);
            assert!(message.contains(part), "{part} in {message}");
        }
    }
}
