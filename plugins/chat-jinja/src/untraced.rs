//! Turns that the engine does not see being written, because the template collects the text in a variable first, or writes
//! the last turn outside of its loop: they are found by what our words have around them.

use crate::Scene;
use crate::stand_in::{StandIn, Word};
use crate::turns::{self, Turn};
use jinja::{Trace, Value};
use std::ops::Range;

/// Where each text of the assistant's is in the whole.
pub(crate) struct Untraced {
    /// What the template writes before the texts, between them and behind the last.
    statics: Vec<String>,
    /// The turn and the place of each text.
    texts: Vec<(usize, Range<usize>)>,
    /// What a prompt adds to the turns.
    header: String,
}

/// Where a turn is, with what stands before its text and behind it.
pub(crate) struct Found {
    pub(crate) written: Range<usize>,
    pub(crate) before: String,
    pub(crate) after: String,
}

impl Untraced {
    /// None where the texts cannot be found without doubt.
    pub(crate) fn find(scene: &Scene, turns: &[Turn], values: &[Value], words: &StandIn, whole: &str) -> Option<Self> {
        let stood_in = scene.render(&turns::values(&words.turns(turns, false)), false, Trace::None).ok()?.text;
        let found = words.find(&stood_in);
        let ends = [0].into_iter().chain(found.iter().map(|word| word.place.end));
        let starts = found.iter().map(|word| word.place.start).chain([stood_in.len()]);
        let statics: Vec<String> = ends.zip(starts).map(|(end, start)| stood_in[end..start].to_owned()).collect();
        let mut at = statics.first().filter(|first| whole.starts_with(first.as_str()))?.len();
        let mut texts = Vec::new();
        for (number, word) in found.iter().enumerate() {
            let is_last = number + 1 == found.len();
            let length = length(&whole[at..], &statics[number + 1], is_last, original(&turns[word.index], word))?;
            texts.push((word.index, at..at + length));
            at += length + statics[number + 1].len();
        }
        let last = turns.iter().rposition(turns::is_learnt).filter(|last| *last > 0)?;
        let prompt = |asks: bool| scene.render(&values[..last], asks, Trace::None).ok().map(|prompt| prompt.text);
        let header = prompt(true)?.strip_prefix(prompt(false)?.as_str()).unwrap_or_default().to_owned();
        (at == whole.len()).then_some(Self { statics, texts, header })
    }

    /// Where a turn is. What ends it is what ends the last, or the token that ends a text.
    pub(crate) fn turn(&self, index: usize, whole: &str, eos: Option<&str>) -> Option<Found> {
        let first = self.texts.iter().position(|(turn, _)| *turn == index)?;
        let last = self.texts.iter().rposition(|(turn, _)| *turn == index)?;
        let (start, end) = (self.texts[first].1.start, self.texts[last].1.end);
        let before = &self.statics[first];
        let before = &before[before.rfind(&self.header).filter(|_| !self.header.is_empty()).unwrap_or(before.len())..];
        let (behind, ending) = (&self.statics[last + 1], self.statics.last()?);
        let known = [ending.trim_end(), eos.unwrap_or_default()];
        let after = match last + 1 == self.texts.len() {
            true => behind,
            false => known.into_iter().find(|known| behind.starts_with(known))?,
        };
        debug_assert!(whole[..start].ends_with(before));
        Some(Found {
            written: start - before.len()..end + after.len(),
            before: before.to_owned(),
            after: after.to_owned(),
        })
    }
}

/// How long a text is that `behind` follows: the turn's own, as it stands or trimmed, or whatever comes before `behind`.
fn length(rest: &str, behind: &str, is_last: bool, own: Option<&str>) -> Option<usize> {
    let fits = |text: &&str| {
        let after = rest.strip_prefix(*text);
        after.is_some_and(|after| if is_last { after == behind } else { after.starts_with(behind) })
    };
    let own = own.and_then(|own| [own, own.trim()].into_iter().find(fits)).map(str::len);
    own.or_else(|| {
        if is_last { rest.strip_suffix(behind).map(str::len) } else { rest.find(behind).filter(|_| !behind.is_empty()) }
    })
}

/// The text that a word stands for.
fn original<'t>(turn: &'t Turn, word: &Word) -> Option<&'t str> {
    turns::text(turn, if word.is_reasoning { "reasoning_content" } else { "content" })
}
