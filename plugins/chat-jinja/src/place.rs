//! Where in a rendering each of the assistant's turns is.

use crate::Scene;
use crate::stand_in::StandIn;
use crate::turns::{self, Turn};
use diapason_plugin::Result;
use jinja::{Rendered, Trace, Value};
use std::ops::Range;

/// A conversation rendered as it is, and with words of our own for the assistant's.
pub(crate) struct Stage<'a> {
    turns: &'a [Turn],
    values: Vec<Value>,
    whole: Rendered,
    words: StandIn,
    stood_in: Option<Rendered>,
    eos: Option<String>,
}

/// What one of the assistant's turns wrote.
pub(crate) struct Place {
    /// The bytes of the whole.
    pub(crate) written: Range<usize>,
    /// What the template puts before the turn's own text and after it, where our words show it.
    pub(crate) before: Option<String>,
    after: Option<String>,
}

impl Place {
    /// Where the turn's own text starts at the latest.
    pub(crate) fn own_start(&self, whole: &str) -> usize {
        match &self.before {
            Some(before) if whole[self.written.clone()].starts_with(before.as_str()) => {
                self.written.start + before.len()
            }
            _ => self.written.end,
        }
    }
}

impl<'a> Stage<'a> {
    pub(crate) fn set(scene: &Scene, turns: &'a [Turn]) -> Result<Self> {
        let values = turns::values(turns);
        let whole = scene.render(&values, false, Trace::Turns)?;
        let words = StandIn::absent_from(&whole.text);
        // A template may ask for more of an answer than our words have; then the answers themselves have to do.
        let stood_in = scene.render(&turns::values(&words.turns(turns)), false, Trace::Turns).ok();
        Ok(Self { turns, values, whole, words, stood_in, eos: scene.eos() })
    }

    pub(crate) fn text(&self) -> &str {
        &self.whole.text
    }

    pub(crate) fn values(&self) -> &[Value] {
        &self.values
    }

    pub(crate) fn role(&self, index: usize) -> &str {
        turns::text(&self.turns[index], "role").unwrap_or_default()
    }

    /// Where one of the assistant's turns is. An error if the template does not write it.
    pub(crate) fn place(&self, index: usize) -> Result<Place> {
        let missing = || format!("turn {}: the template does not write the answer", index + 1);
        let written = ranges(&self.whole, index);
        let stood_in = self.stood_in.as_ref().map(|rendered| (rendered, ranges(rendered, index)));
        let word = self.words.word(index);
        let pair = stood_in.filter(|(_, ranges)| ranges.len() == written.len()).and_then(|(rendered, ranges)| {
            let mut texts = ranges.into_iter().map(|range| &rendered.text[range]);
            let at = texts.clone().position(|text| text.contains(&word))?;
            Some((at, texts.nth(at)?))
        });
        let place = match pair {
            Some((at, text)) => {
                let first = text.find(&word).unwrap_or_default();
                let last = text.rfind(&word).unwrap_or_default() + word.len() + 1;
                Place {
                    written: written[at].clone(),
                    before: Some(text[..first].to_owned()),
                    after: Some(text[last..].to_owned()),
                }
            }
            None => {
                let filled = |range: &&Range<usize>| !self.text()[(*range).clone()].trim().is_empty();
                let written = written.iter().rev().find(filled).or(written.last()).ok_or_else(missing)?.clone();
                if !self.writes(index, &self.text()[written.clone()]) {
                    return Err(missing());
                }
                Place { written, before: None, after: None }
            }
        };
        Ok(place)
    }

    /// Whether a turn's calls or its text are in what it wrote.
    fn writes(&self, index: usize, written: &str) -> bool {
        let turn = &self.turns[index];
        let mut calls = turns::calls(turn).peekable();
        if calls.peek().is_some() {
            return calls.any(|name| written.contains(name));
        }
        turns::text(turn, "content").is_some_and(|content| written.contains(content.trim()))
    }

    /// Whether the template left out a part of a turn's own text.
    pub(crate) fn is_cut(&self, index: usize, place: &Place) -> bool {
        let turn = &self.turns[index];
        let written = &self.text()[place.written.clone()];
        let lost = |text: &str| !written.contains(text.trim());
        if turns::text(turn, "reasoning_content").is_some_and(lost) {
            return true;
        }
        let inner = |place: &Place| {
            let inner = written.strip_prefix(place.before.as_deref()?)?.strip_suffix(place.after.as_deref()?)?.trim();
            let content = turns::text(turn, "content")?.trim();
            Some(content.ends_with(inner) && inner.len() < content.len())
        };
        inner(place).unwrap_or(false)
    }

    /// Where the learnt part of a turn ends in the whole: white space after the token that ends the turn is not learnt, as
    /// the model has stopped by then. Where white space is all that ends it, it is.
    pub(crate) fn end(&self, index: usize, place: &Place) -> usize {
        let written = &self.text()[place.written.clone()];
        let calls = turns::calls(&self.turns[index]).next().is_some();
        let trimmed = place.written.start + written.trim_end().len();
        match place.after.as_deref() {
            Some(after) if after.trim().is_empty() && !calls => self.end_behind(index, place.written.end),
            _ => trimmed,
        }
    }

    /// The end where a turn itself writes no token that ends it: the template may write one behind it.
    fn end_behind(&self, index: usize, end: usize) -> usize {
        let rest = &self.text()[end..];
        let is_last = index + 1 == self.turns.len();
        match &self.eos {
            _ if is_last => end + rest.trim_end().len(),
            Some(eos) if rest.starts_with(eos.as_str()) => end + eos.len(),
            _ => end,
        }
    }
}

fn ranges(rendered: &Rendered, index: usize) -> Vec<Range<usize>> {
    rendered.turns.iter().filter(|turn| turn.index == index).map(|turn| turn.written.clone()).collect()
}
