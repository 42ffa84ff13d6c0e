//! Texts of JSON: lines as they stand, or a list of objects as the lines that it could have been.

use diapason_core::{Error, Result};
use std::path::Path;

/// The rows of `text` as JSON lines. The elements of a list stand on the lines where they begin, as far as each begins on one
/// of its own; otherwise they are counted.
///
/// # Errors
/// A list that is not closed, or one JSON object spread over several lines, which is no list of rows.
pub(super) fn lines(text: String, path: &Path) -> Result<String> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(&text);
    match body.trim_start().as_bytes().first() {
        Some(b'[') => match elements(body) {
            Ok(Some(elements)) => Ok(joined(&elements)),
            Ok(None) => Ok(text),
            Err((line, what)) => Err(Error::data(format!("failed to read {}: line {line}: {what}", path.display()))
                .hint("a file is one JSON object a line, or a whole list: [{…}, {…}]")),
        },
        Some(b'{') => whole_object(body, path).map_or(Ok(()), Err).map(|()| text),
        _ => Ok(text),
    }
}

/// An element's line and its text.
type Element<'a> = (usize, &'a str);

/// The elements of a list that is all of the text; `None` where lines follow the list, of which each is a row then.
fn elements(text: &str) -> std::result::Result<Option<Vec<Element<'_>>>, (usize, &'static str)> {
    let mut elements = Vec::new();
    let (mut depth, mut line, mut in_text, mut escaped) = (0_usize, 1, false, false);
    let mut start: Option<(usize, usize)> = None;
    for (at, byte) in text.bytes().enumerate() {
        if in_text {
            match (byte, escaped) {
                (b'\n', _) => return Err((line, "a line break inside a text")),
                (b'\\', false) => escaped = true,
                (b'"', false) => in_text = false,
                _ => escaped = false,
            }
            continue;
        }
        let ends = matches!((byte, depth), (b',' | b']', 1));
        if ends {
            match start.take() {
                Some((line, from)) => elements.push((line, text[from..at].trim_end())),
                None if byte == b']' && elements.is_empty() => {}
                None => return Err((line, "an element is missing between commas")),
            }
        } else if depth >= 1 && !byte.is_ascii_whitespace() {
            start = start.or(Some((line, at)));
        }
        match byte {
            b'\n' => line += 1,
            b'"' => in_text = true,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && byte == b']' {
            return Ok(text[at + 1..].trim().is_empty().then_some(elements));
        }
    }
    Err((line, "the list is not closed"))
}

fn joined(elements: &[Element<'_>]) -> String {
    let own = elements.windows(2).all(|pair| pair[0].0 < pair[1].0);
    let mut lines = String::new();
    let mut line = 1;
    for (start, element) in elements {
        while own && line < *start {
            lines.push('\n');
            line += 1;
        }
        // A line break between an element's parts means nothing; inside its texts there is none.
        lines.extend(element.chars().map(|character| if matches!(character, '\n' | '\r') { ' ' } else { character }));
        lines.push('\n');
        line += 1;
    }
    lines
}

/// One object over several lines: its rows may stand under one of its keys.
fn whole_object(text: &str, path: &Path) -> Option<Error> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next()?;
    lines.next()?;
    if serde_json::from_str::<serde::de::IgnoredAny>(first).is_ok() {
        return None;
    }
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).ok()?;
    let message = format!("failed to read {}: it is one JSON object over several lines", path.display());
    let list =
        object.iter().find(|(_, value)| value.as_array().is_some_and(|list| list.iter().any(|one| one.is_object())));
    let hint = match list.filter(|(key, _)| !["messages", "conversations"].contains(&key.as_str())) {
        Some((key, _)) => format!("its rows seem to be under `{key}`: write that list into a file of its own"),
        None => "write each row on one line, or all rows as a list: [{…}, {…}]".into(),
    };
    Some(Error::data(message).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> std::result::Result<String, String> {
        lines(text.into(), Path::new("t.json")).map_err(|error| error.to_string())
    }

    #[test]
    fn elements_stand_on_their_lines() {
        assert_eq!(
            read("[\n  {\"a\": \"]\\\"},\"},\n  {\n\"b\": [1,\n2]}\n]\n").as_deref(),
            Ok("\n{\"a\": \"]\\\"},\"}\n{ \"b\": [1, 2]}\n")
        );
        assert_eq!(read("[{\"a\": 1}, {\"b\": 2}]").as_deref(), Ok("{\"a\": 1}\n{\"b\": 2}\n"));
        assert_eq!(read(" [ ] ").as_deref(), Ok(""));
        for lines in ["[1]\n[2]\n", "{\"a\": 1}\n{\"b\": 2}\n", "{broken\n{\"b\": 2}\n"] {
            assert_eq!(read(lines).as_deref(), Ok(lines));
        }
    }

    #[test]
    fn what_is_no_list_of_rows_is_refused() {
        for (text, part) in [
            ("[{\"a\": 1},\n{\"b\": 2}", "line 2: the list is not closed"),
            ("[{\"a\": 1},]", "an element is missing"),
            ("[{\"a\": \"x\ny\"}]", "line 1: a line break inside a text"),
            ("{\n\"data\": [{\"a\": 1}]\n}", "one JSON object over several lines"),
        ] {
            let message = read(text).expect_err(text);
            assert!(message.contains(part), "{part} in {message}");
        }
    }
}
