//! Foreign text on its way out: what would move a cursor, hide or turn what stands there, or fake a line, is shown by its
//! number.
//!
//! Plugins, datasets, models, file names and configurations bring text along. A terminal obeys it, a log viewer and a
//! comment turn it around. `diapason-cli` sends all that it writes through [`text()`] or [`json()`]; what has to stay on
//! one line goes through [`line()`] before.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character is not shown but acts: controls (C0, DEL, C1), bidirectional and other invisible formatting, line
/// and paragraph separators, tags, noncharacters. The joiners, which scripts and emoji need, are not among them.
pub fn is_hidden(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}' => true,
        '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' => true,
        '\u{fdd0}'..='\u{fdef}' | '\u{e0000}'..='\u{e007f}' => true,
        _ => character.is_control() || u32::from(character) & 0xfffe == 0xfffe,
    }
}

/// Text of several lines; line breaks and tabs stay.
pub fn text(raw: &str) -> Cow<'_, str> {
    replaced(raw, is_hidden, shown)
}

/// Text that stays on its line: line breaks and tabs are shown as `\n` and `\t`.
pub fn line(raw: &str) -> Cow<'_, str> {
    replaced(raw, |character| matches!(character, '\n' | '\t') || is_hidden(character), shown)
}

/// An error's message: a line break stays only before an indented line, as lists have them.
pub fn message(raw: &str) -> Cow<'_, str> {
    let mut lines = raw.split('\n');
    let mut safe = line(lines.next().unwrap_or_default()).into_owned();
    for next in lines {
        safe.push_str(if next.starts_with("  ") { "\n" } else { "\\n" });
        safe.push_str(&line(next));
    }
    safe.into()
}

/// A JSON document, in which such characters occur only inside of strings: they become escapes there.
pub fn json(document: &str) -> Cow<'_, str> {
    replaced(document, is_hidden, |safe, character| {
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _ = write!(safe, "\\u{unit:04x}");
        }
    })
}

/// All texts of a JSON document, its keys included, as [`text()`].
pub fn texts(document: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match document {
        Value::String(raw) => Value::String(text(&raw).into_owned()),
        Value::Array(list) => list.into_iter().map(texts).collect(),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(key, value)| (text(&key).into_owned(), texts(value))).collect())
        }
        other => other,
    }
}

/// A character by its number, as Rust writes it.
fn shown(safe: &mut String, character: char) {
    let _ = write!(safe, "{}", character.escape_default());
}

fn replaced(raw: &str, is_wrong: impl Fn(char) -> bool, replace: impl Fn(&mut String, char)) -> Cow<'_, str> {
    if !raw.contains(&is_wrong) {
        return Cow::Borrowed(raw);
    }
    let mut safe = String::with_capacity(raw.len() + 16);
    for character in raw.chars() {
        if is_wrong(character) { replace(&mut safe, character) } else { safe.push(character) }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Every character that is not shown but acts, from the categories of Unicode.
    const HOSTILE: &str = "\u{1b}[2J\r\u{7}\u{8}\0\u{7f}\u{85}\u{9b}31m\u{9d}0;x\u{202a}\u{202e}\u{2066}\u{2069}\u{200b}\
                           \u{200e}\u{2028}\u{2029}\u{2060}\u{feff}\u{61c}\u{ad}\u{fdd0}\u{ffff}\u{e0041}";

    #[test]
    fn what_acts_is_shown_by_its_number() {
        assert_eq!(text("a\u{1b}[2Jb\u{9b}\u{202e}\r\n\tc"), "a\\u{1b}[2Jb\\u{9b}\\u{202e}\\r\n\tc");
        assert_eq!(line("a\n\tb"), "a\\n\\tb");
        assert!(matches!(text("nö, 語, 👩\u{200d}🚀, می\u{200c}خواهم"), Cow::Borrowed(_)), "what people write stays");
        for safe in [text(HOSTILE), line(HOSTILE), message(HOSTILE)] {
            assert!(safe.chars().all(|c| c.is_ascii() && !c.is_ascii_control()), "{safe:?}");
        }
    }

    #[test]
    fn no_line_of_a_message_can_be_faked() {
        assert_eq!(message("two faults:\n  line 1: x\n  line 2: y"), "two faults:\n  line 1: x\n  line 2: y");
        assert_eq!(message("no file a\nPASSED\n All"), "no file a\\nPASSED\\n All");
    }

    #[test]
    fn json_stays_the_same_document() {
        let document = serde_json::json!({HOSTILE: [HOSTILE, 1.5]});
        let raw = format!("{document:#}");
        let safe = json(&raw);
        assert!(safe.chars().all(|c| c == '\n' || (c.is_ascii() && !c.is_ascii_control())), "{safe:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), document);
        let shown = texts(document).to_string();
        assert!(!shown.contains(is_hidden) && shown.contains("\\\\u{202e}"), "{shown}");
    }
}
