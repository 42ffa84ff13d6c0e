//! Where in a rendering each of the assistant's turns is.

use crate::Scene;
use crate::stand_in::StandIn;
use crate::turns::{self, Turn};
use crate::untraced::{Found, Untraced};
use diapason_plugin::Result;
use jinja::{Rendered, Trace, Value};
use std::cell::OnceCell;
use std::ops::Range;

/// A conversation rendered as it is, and with words of our own for the assistant's.
pub(crate) struct Stage<'a> {
    scene: &'a Scene<'a>,
    turns: &'a [Turn],
    values: Vec<Value>,
    whole: Rendered,
    words: StandIn,
    stood_in: Option<Rendered>,
    eos: Option<String>,
    untraced: OnceCell<Option<Untraced>>,
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
    /// The turn's own text, where our words show what is around it.
    pub(crate) fn inner<'w>(&self, whole: &'w str) -> Option<&'w str> {
        let written = &whole[self.written.clone()];
        Some(written.strip_prefix(self.before.as_deref()?)?.strip_suffix(self.after.as_deref()?)?.trim())
    }
}

impl<'a> Stage<'a> {
    pub(crate) fn set(scene: &'a Scene<'a>, turns: &'a [Turn]) -> Result<Self> {
        let values = turns::values(turns);
        let whole = scene.render(&values, false, Trace::Turns)?;
        let words = StandIn::absent_from(&whole.text);
        // A template may ask for more of an answer than our words have; then the answers themselves have to do.
        let stand_in = |calls_speak: bool| {
            scene.render(&turns::values(&words.turns(turns, calls_speak)), false, Trace::Turns).ok()
        };
        let stood_in = stand_in(true).or_else(|| stand_in(false));
        Ok(Self { scene, turns, values, whole, words, stood_in, eos: scene.eos(), untraced: OnceCell::new() })
    }

    pub(crate) fn text(&self) -> &str {
        &self.whole.text
    }

    pub(crate) fn values(&self) -> &[Value] {
        &self.values
    }

    pub(crate) fn turn(&self, index: usize) -> &'a Turn {
        &self.turns[index]
    }

    pub(crate) fn next(&self, index: usize) -> Option<&'a Turn> {
        self.turns.get(index + 1)
    }

    /// The bytes of the whole that a turn wrote.
    pub(crate) fn written(&self, index: usize) -> Vec<Range<usize>> {
        ranges(&self.whole, index)
    }

    pub(crate) fn role(&self, index: usize) -> &str {
        turns::text(&self.turns[index], "role").unwrap_or_default()
    }

    /// Where one of the assistant's turns is. An error if the template does not write it.
    pub(crate) fn place(&self, index: usize) -> Result<Place> {
        let missing = || self.missing(index);
        let written = ranges(&self.whole, index);
        let stood_in = self.stood_in.as_ref().map(|rendered| (rendered, ranges(rendered, index)));
        let word = self.words.word(index);
        let pair = stood_in.filter(|(_, ranges)| ranges.len() == written.len()).and_then(|(rendered, ranges)| {
            let mut texts = ranges.into_iter().map(|range| &rendered.text[range]);
            let at = texts.clone().position(|text| text.contains(&word))?;
            Some((at, texts.nth(at)?))
        });
        let place = match pair {
            Some((at, _)) if !self.speaks(index) && !self.writes(index, &self.text()[written[at].clone()]) => {
                return Err(missing());
            }
            // Calls that stand before the words are the turn's own.
            Some((at, text)) if self.calls_in(index, &text[..text.find(&word).unwrap_or_default()]) => {
                Place { written: written[at].clone(), before: None, after: None }
            }
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
                if let Some(place) = self.untraced(index) {
                    return Ok(place);
                }
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

    /// Why a turn has no place: the template leaves it out, or writes it where nobody sees it being written.
    fn missing(&self, index: usize) -> String {
        let (turn, call) = (index + 1, turns::calls(&self.turns[index]).flatten().next());
        let is_hidden = self.written(index).is_empty() && self.writes(index, self.text());
        match call.filter(|_| !self.speaks(index)) {
            _ if is_hidden && (self.speaks(index) || call.is_some()) => format!(
                "turn {turn}: it cannot be told what the template writes for the answer; put it in the template between \
                 {{% generation %}} and {{% endgeneration %}}"
            ),
            Some(call) => format!("turn {turn}: the template does not write the call of `{call}`"),
            None => format!("turn {turn}: the template does not write the answer"),
        }
    }

    /// Where a turn is that the engine did not see being written, though our words are there.
    fn untraced(&self, index: usize) -> Option<Place> {
        let word = self.words.word(index);
        self.stood_in.as_ref().filter(|rendered| rendered.text.contains(&word) && self.speaks(index))?;
        let found = || Untraced::find(self.scene, self.turns, &self.values, &self.words, self.text());
        let Found { written, before, after } =
            self.untraced.get_or_init(found).as_ref()?.turn(index, self.text(), self.eos.as_deref())?;
        Some(Place { written, before: Some(before), after: Some(after) })
    }

    /// Whether a turn has content.
    fn speaks(&self, index: usize) -> bool {
        self.turns[index].get("content").is_some_and(|content| content.as_str() != Some(""))
    }

    /// Whether a turn's calls or its text are in what it wrote.
    fn writes(&self, index: usize, written: &str) -> bool {
        let turn = &self.turns[index];
        match turns::calls(turn).next() {
            Some(_) => self.calls_in(index, written),
            None => turns::text(turn, "content").is_some_and(|content| written.contains(content.trim())),
        }
    }

    /// Whether one of a turn's calls is in a text.
    fn calls_in(&self, index: usize, text: &str) -> bool {
        turns::calls(&self.turns[index]).flatten().any(|name| turns::has_name(text, name))
    }

    /// Where the learnt part of a turn ends in the whole: white space after the token that ends the turn is not learnt, as
    /// the model has stopped by then. Where white space is all that ends it, it is. `asks` says whether a text is the
    /// end of a prompt, which some templates always write.
    pub(crate) fn end(&self, index: usize, place: &Place, start: usize, asks: impl Fn(&str) -> bool) -> usize {
        let trimmed = place.written.start + self.text()[place.written.clone()].trim_end().len();
        let is_bare = place.after.as_deref().is_some_and(|after| after.trim().is_empty());
        let calls = turns::calls(&self.turns[index]).next().is_some();
        if is_bare && !calls || trimmed <= start { self.end_behind(index, place.written.end, asks) } else { trimmed }
    }

    /// The end where a turn itself writes no token that ends it: the template may write one behind it.
    fn end_behind(&self, index: usize, end: usize, asks: impl Fn(&str) -> bool) -> usize {
        let rest = &self.text()[end..];
        let is_last = index + 1 == self.turns.len();
        match &self.eos {
            // One word: a token. More than that is no end of a turn.
            _ if is_last && !rest.trim().contains(char::is_whitespace) && !asks(rest.trim()) => {
                end + rest.trim_end().len()
            }
            Some(eos) if rest.starts_with(eos.as_str()) => end + eos.len(),
            _ => end,
        }
    }
}

fn ranges(rendered: &Rendered, index: usize) -> Vec<Range<usize>> {
    rendered.turns.iter().filter(|turn| turn.index == index).map(|turn| turn.written.clone()).collect()
}
