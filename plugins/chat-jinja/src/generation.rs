//! `{% generation %}` blocks: a template's own word on what the assistant wrote.
//!
//! The template engine has no tags of our own. A tag is therefore rewritten to an ordinary block that prints a mark,
//! with the tag's whitespace control on the outside, where it was:
//! `{%- generation +%}` becomes `{%- if true %}{{ mark }}{% endif +%}`. No line is added, so errors still name the
//! template's own lines. The marks are Unicode noncharacters; text that contains them is refused.

use diapason_plugin::{Result, Segment};
use minijinja::Environment;

const START: char = '\u{fdd0}';
const END: char = '\u{fdd1}';

/// A template with its tags rewritten, and whether there were any. An error names the line of a tag that is left open.
pub(crate) fn rewrite(source: &str) -> Result<(String, bool)> {
    refuse_marks(source)?;
    let (mut text, mut rest) = (String::with_capacity(source.len()), source);
    let mut open = None;
    let mut found = false;
    while let Some(at) = rest.find("{%").into_iter().chain(rest.find("{#")).min() {
        let tag = &rest[at..];
        text.push_str(&rest[..at]);
        let line = 1 + source[..source.len() - tag.len()].matches('\n').count();
        let length = match Tag::read(tag) {
            Some(tag) => {
                open = tag.toggle(open, line)?;
                found = true;
                text.push_str(&tag.block());
                tag.length
            }
            None => {
                let length = if tag.starts_with("{#") { tag.find("#}").map_or(tag.len(), |end| end + 2) } else { 2 };
                text.push_str(&tag[..length]);
                length
            }
        };
        rest = &tag[length..];
    }
    text.push_str(rest);
    match open {
        Some(line) => Err(format!("failed to read line {line} of the template: `generation` is not ended")),
        None => Ok((text, found)),
    }
}

/// Makes the marks known to the template under names that no template has.
pub(crate) fn add_marks(environment: &mut Environment) {
    environment.add_global("__generation", START.to_string());
    environment.add_global("__endgeneration", END.to_string());
}

/// Refuses text that contains a mark.
pub(crate) fn refuse_marks(text: &str) -> Result<()> {
    // JSON may have escaped them.
    let escaped = |mark: char| text.to_ascii_lowercase().contains(&format!("\\u{:x}", mark as u32));
    match [START, END].into_iter().find(|mark| text.contains(*mark) || text.contains("\\u") && escaped(*mark)) {
        Some(mark) => Err(format!("the text contains U+{:04X}, which is no character and is reserved", mark as u32)),
        None => Ok(()),
    }
}

/// Splits rendered text at its marks: what is between them is learnt.
pub(crate) fn segments(rendered: &str) -> Result<Vec<Segment>> {
    let (mut segments, mut learn, mut rest) = (Vec::new(), false, rendered);
    while let Some(at) = rest.find([START, END]) {
        let starts = rest[at..].starts_with(START);
        if starts == learn {
            return Err("the template's `generation` blocks are nested or out of order".into());
        }
        push(&mut segments, &rest[..at], learn);
        learn = starts;
        rest = &rest[at + START.len_utf8()..];
    }
    push(&mut segments, rest, false);
    Ok(segments)
}

/// The segments without learning those of turns that are context: `learnt` says it of each of the assistant's turns. An error
/// where the template has another number of blocks, so that nobody knows whose they are.
pub(crate) fn without_context(mut segments: Vec<Segment>, learnt: &[bool]) -> Result<Vec<Segment>> {
    if learnt.iter().all(|learnt| *learnt) {
        return Ok(segments);
    }
    let blocks: Vec<&mut Segment> = segments.iter_mut().filter(|segment| segment.learn).collect();
    if blocks.len() != learnt.len() {
        return Err(format!(
            "a turn is marked as context, but the template has {} `generation` blocks for {} of the assistant's turns",
            blocks.len(),
            learnt.len()
        ));
    }
    blocks.into_iter().zip(learnt).for_each(|(block, learnt)| block.learn = *learnt);
    Ok(segments)
}

/// Rendered text without marks.
pub(crate) fn unmarked(rendered: &str) -> String {
    rendered.replace([START, END], "")
}

fn push(segments: &mut Vec<Segment>, text: &str, learn: bool) {
    if !text.is_empty() {
        segments.push(Segment { text: text.to_owned(), learn });
    }
}

/// `{% generation %}` or `{% endgeneration %}`.
struct Tag<'a> {
    name: &'a str,
    /// The whitespace control of each side: `-`, `+` or nothing.
    left: &'a str,
    right: &'a str,
    /// In bytes, delimiters included.
    length: usize,
}

impl<'a> Tag<'a> {
    /// The tag that the text starts with, if it is one of the two.
    fn read(text: &'a str) -> Option<Self> {
        let inner = text.strip_prefix("{%")?;
        let (inner, _) = inner.split_once("%}")?;
        let length = inner.len() + 4;
        let (left, inner) = inner.split_at(usize::from(inner.starts_with(['-', '+'])));
        let (inner, right) = inner.split_at(inner.len() - usize::from(inner.ends_with(['-', '+'])));
        let name = inner.trim();
        matches!(name, "generation" | "endgeneration").then_some(Self { name, left, right, length })
    }

    /// The line of the block that is open after this tag.
    fn toggle(&self, open: Option<usize>, line: usize) -> Result<Option<usize>> {
        match (self.name, open) {
            ("generation", None) => Ok(Some(line)),
            ("endgeneration", Some(_)) => Ok(None),
            ("generation", Some(_)) => {
                Err(format!("failed to read line {line} of the template: `generation` is nested"))
            }
            _ => Err(format!("failed to read line {line} of the template: `endgeneration` without `generation`")),
        }
    }

    fn block(&self) -> String {
        format!("{{%{} if true %}}{{{{ __{} }}}}{{% endif {}%}}", self.left, self.name, self.right)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_left_alone() {
        let source = "{# {% generation %} #}{% if a %}x{% endif %}";
        assert_eq!(rewrite(source).unwrap(), (source.to_owned(), false));
    }

    #[test]
    fn open_and_nested_blocks_are_named_by_line() {
        assert!(rewrite("a\n{% generation %}b").unwrap_err().contains("line 2"));
        assert!(rewrite("{% generation %}\n{% generation %}").unwrap_err().contains("nested"));
        assert!(rewrite("\n\n{% endgeneration %}").unwrap_err().contains("line 3"));
    }

    #[test]
    fn marks_are_refused_in_either_spelling() {
        assert!(refuse_marks("a\u{fdd0}").is_err());
        assert!(refuse_marks(r#"{"a": "\uFDD1"}"#).is_err());
        assert!(refuse_marks(r#"{"a": "\u00e4"}"#).is_ok());
    }
}
