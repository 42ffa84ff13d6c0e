//! `{% generation %}` blocks: a template's own word on what the assistant wrote.
//!
//! The conversation is rendered twice, plainly and with a mark at both ends of each block. The plain rendering is the
//! text; the marks say where in it the blocks are. They differ only where a template trims what has a mark at its end.

use crate::turns::{self, Turn};
use diapason_plugin::{Result, Segment};
use jinja::{MARKS, Rendered};
use std::ops::Range;

/// Refuses text that contains a mark, in whichever spelling JSON has for it.
pub(crate) fn refuse_marks(text: &str) -> Result<()> {
    let escaped = |mark: char| text.to_ascii_lowercase().contains(&format!("\\u{:x}", mark as u32));
    match MARKS.into_iter().find(|mark| text.contains(*mark) || text.contains("\\u") && escaped(*mark)) {
        Some(mark) => Err(format!("the text contains U+{:04X}, which is no character and is reserved", mark as u32)),
        None => Ok(()),
    }
}

/// The segments of a plain rendering by its marked one, without learning what `context` says is none of the model's.
pub(crate) fn segments(plain: &str, marked: &str, context: &Context) -> Result<Vec<Segment>> {
    let blocks = blocks(plain, marked)?;
    let (mut segments, mut done) = (Vec::new(), 0);
    for (number, (start, end)) in blocks.iter().copied().enumerate() {
        let learn = !context.has(number, start..end, blocks.len())?;
        segments.push(Segment::given(&plain[done..start]));
        segments.push(Segment { text: plain[start..end].into(), learn });
        done = end;
    }
    segments.push(Segment::given(&plain[done..]));
    segments.retain(|segment| !segment.text.is_empty());
    Ok(segments)
}

/// Which of the assistant's turns are context.
pub(crate) struct Context {
    /// For each of the assistant's turns whether it is.
    turns: Vec<bool>,
    /// What those wrote. None where the engine did not see one of them being written.
    written: Option<Vec<Range<usize>>>,
}

impl Context {
    pub(crate) fn of(turns: &[Turn], plain: &Rendered) -> Self {
        let is_context = |turn: &Turn| turns::is_answer(turn) && !turns::is_learnt(turn);
        let written = |index: usize| {
            let own = plain.turns.iter().filter(|turn| turn.index == index).map(|turn| turn.written.clone());
            Some(own.collect::<Vec<_>>()).filter(|own| !own.is_empty())
        };
        let indices = (0..turns.len()).filter(|index| is_context(&turns[*index]));
        let written: Option<Vec<_>> = indices.map(written).collect();
        Self {
            turns: turns.iter().filter(|turn| turns::is_answer(turn)).map(is_context).collect(),
            written: written.map(|written| written.into_iter().flatten().collect()),
        }
    }

    /// Whether a block is in a turn that is context. An error where nobody knows whose block it is.
    fn has(&self, number: usize, block: Range<usize>, blocks: usize) -> Result<bool> {
        match &self.written {
            Some(written) => Ok(written.iter().any(|turn| turn.start <= block.start && block.end <= turn.end)),
            None if blocks == self.turns.len() => Ok(self.turns[number]),
            None => Err(format!(
                "a turn is marked as context, but the template has {blocks} `generation` blocks for {} of the assistant's turns",
                self.turns.len()
            )),
        }
    }
}

/// Where the outermost blocks are in the plain rendering: both texts are walked together, and white space that only the
/// marked one has was trimmed from the other.
fn blocks(plain: &str, marked: &str) -> Result<Vec<(usize, usize)>> {
    let (mut blocks, mut at, mut depth, mut start) = (Vec::new(), 0, 0_usize, 0);
    for character in marked.chars() {
        if character == MARKS[0] {
            start = if depth == 0 { at } else { start };
            depth += 1;
        } else if character == MARKS[1] {
            depth = depth.checked_sub(1).ok_or_else(changed)?;
            if depth == 0 {
                blocks.push((start, at));
            }
        } else if plain[at..].starts_with(character) {
            at += character.len_utf8();
        } else if !character.is_whitespace() {
            return Err(changed());
        }
    }
    if at == plain.len() && depth == 0 { Ok(blocks) } else { Err(changed()) }
}

fn changed() -> String {
    "the template changes the text around its `generation` blocks, so that nobody can say what is learnt".into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_refused_in_either_spelling() {
        assert!(refuse_marks("a\u{fdd0}").is_err());
        assert!(refuse_marks(r#"{"a": "\uFDD1"}"#).is_err());
        assert!(refuse_marks(r#"{"a": "\u00e4"}"#).is_ok());
    }

    #[test]
    fn blocks_within_blocks_are_one() {
        let found = blocks("abcd", "a\u{fdd0}b\u{fdd0}c\u{fdd1}\u{fdd1}d").unwrap();
        assert_eq!(found, [(1, 3)]);
    }

    #[test]
    fn white_space_that_a_mark_kept_from_being_trimmed_is_left_out() {
        let found = blocks("<a>", "<\u{fdd0} a \u{fdd1}>").unwrap();
        assert_eq!(found, [(1, 2)]);
        assert!(blocks("<A>", "<\u{fdd0}a\u{fdd1}>").is_err());
    }
}
