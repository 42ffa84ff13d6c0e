//! HTML, for the few templates that ask for it.

use crate::fault::Result;
use crate::show;
use crate::value::Value;

/// MarkupSafe's `escape`: safe text stays as it is.
pub fn escape(value: &Value) -> Result<String> {
    match value {
        Value::Markup(text) => Ok(text.to_string()),
        other => Ok(escape_text(&show::text(other)?)),
    }
}

/// Escapes `&`, `<`, `>` and quotes.
pub fn escape_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
