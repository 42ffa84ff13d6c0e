//! Text as one cell of a Markdown table.

use diapason_core::escape;
use std::fmt::Write as _;

/// Bytes of one cell of model text.
pub(super) const CELL: usize = 300;

/// Text as a cell, cut after [`CELL`] bytes.
pub(super) fn cell(text: &str) -> String {
    cell_of(text, CELL)
}

/// Text as one cell of a table that means nothing to Markdown or HTML: every character with a meaning is a character
/// reference. Cut, and said so, after `most` bytes.
pub(super) fn cell_of(text: &str, most: usize) -> String {
    let mut safe = String::new();
    for (place, character) in text.char_indices() {
        if place >= most {
            return safe + " … (cut)";
        }
        match character {
            // `\u{202e}` without what Markdown reads as an escape.
            _ if escape::is_hidden(character) => safe.push_str(&cell_of(&escape::text(&character.to_string()), most)),
            '\n' => safe.push_str("<br>"),
            // A zero-width space keeps `@name` from calling somebody and `#1` or a bare address from becoming a link.
            '@' | '#' => {
                safe.push(character);
                safe.push('\u{200b}');
            }
            ':' if text[place..].starts_with("://") => safe.push_str(":\u{200b}"),
            '.' if ends_in_www(&text[..place]) => safe.push_str("\u{200b}."),
            '|' | '<' | '>' | '&' | '`' | '*' | '_' | '[' | ']' | '\\' | '~' | '!' | '$' => {
                let _ = write!(safe, "&#{};", character as u32);
            }
            '\t' => safe.push(' '),
            _ => safe.push(character),
        }
    }
    safe
}

/// GitHub makes a link of `www.` too.
fn ends_in_www(text: &str) -> bool {
    text.len() >= 3 && text.as_bytes()[text.len() - 3..].eq_ignore_ascii_case(b"www")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_text_is_only_text() {
        let hidden = cell("a\u{1b}[2J\u{9b}\u{202e}\u{200b}\u{2028}\r\tb www.x.example WWW.x");
        assert!(hidden.replace('\u{200b}', "").chars().all(|c| !escape::is_hidden(c) && c != '\t'), "{hidden}");
        assert!(hidden.contains("&#92;u{202e}") && !hidden.to_lowercase().contains("www."), "{hidden}");
        let hostile = "a|b <img src=x> `code` [x](javascript:1) **b** @team #12 https://x.example\r\n| new | row |";
        let safe = cell(hostile);
        for character in ['|', '`', '[', '*', '\n', '\r'] {
            assert!(!safe.contains(character), "{character:?} is left in {safe}");
        }
        assert_eq!(safe.replace("<br>", "").matches(['<', '>']).count(), 0);
        assert!(safe.contains("@\u{200b}team") && safe.contains(" #\u{200b}12 ") && !safe.contains("://"), "{safe}");
    }

    #[test]
    fn a_long_answer_is_cut_between_characters_and_says_so() {
        let safe = cell(&"é".repeat(400));
        assert!(safe.ends_with(" … (cut)"));
        assert_eq!(safe.chars().filter(|c| *c == 'é').count(), CELL / 2);
    }
}
