//! Takes reasoning off an answer: the one rule that every first-party evaluator follows.
//!
//! Models that reason write it before the answer, between marks of their family (`<think>…</think>`). What is judged is
//! the answer. The SDK applies the rule before an evaluator or comparator sees a completion or a reference; an
//! implementation of [`Evaluator::reasoning`](crate::Evaluator::reasoning) switches it off.
//!
//! - A block that opens at the start of the text or of a line is reasoning; so is a pair of marks within a line. Marks
//!   in code (between backticks) are text, and nothing is taken out of a text that is a JSON document.
//! - A closing mark without an opening one ends reasoning that began with the text: templates that put `<think>` into
//!   the prompt leave it out of the completion.
//! - An opening mark at the start of a line without a closing one is reasoning up to the end: the answer was cut off
//!   before it came, and is empty.

mod marks;

use marks::{CHANNELS, Mark, PAIRS, SPOKEN, WRAPPERS};
use schemars::JsonSchema;
use serde::Deserialize;

/// What becomes of reasoning before an answer. A field of this type makes a setting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reasoning {
    /// It is taken off before the answer is judged, and reported in a note.
    #[default]
    TakeOff,
    /// It is judged as part of the answer.
    Keep,
}

/// A text without its reasoning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parted {
    /// What is left, without white space where reasoning was taken off.
    pub answer: String,
    /// The reasoning, blocks joined by line breaks; `None` if there is none.
    pub reasoning: Option<String>,
    /// Whether the text ends inside its reasoning.
    pub open: bool,
}

impl Reasoning {
    /// Parts a text, or leaves it whole under [`Reasoning::Keep`].
    pub fn part(self, text: &str) -> Parted {
        match self {
            Self::TakeOff => part(text),
            Self::Keep => Parted { answer: text.to_owned(), ..Parted::default() },
        }
    }
}

impl Parted {
    /// One line for a report; `None` without reasoning.
    pub fn summary(&self) -> Option<String> {
        let words = self.reasoning.as_ref()?.split_whitespace().count();
        let unit = if words == 1 { "word" } else { "words" };
        Some(match self.open {
            true => format!("{words} {unit}, and the text ends inside: there is no answer"),
            false => format!("{words} {unit}, not judged"),
        })
    }
}

/// Takes the reasoning off a text.
pub fn part(text: &str) -> Parted {
    if let Some(parted) = channels(text).or_else(|| spoken(text)) {
        return parted;
    }
    let mut left = text.to_owned();
    let mut blocks: Vec<String> = Vec::new();
    let mut open = false;
    while !open && !is_json(&left) {
        let Some(block) = next(&left) else { break };
        blocks.push(left[block.inner.0..block.inner.1].trim().to_owned());
        open = block.open;
        left = joined(&left[..block.outer.0], &left[block.outer.1..]);
    }
    if blocks.is_empty() {
        return Parted { answer: text.to_owned(), ..Parted::default() };
    }
    let blocks: Vec<String> = blocks.into_iter().filter(|block| !block.is_empty()).collect();
    Parted { answer: unwrapped(&left), reasoning: Some(blocks.join("\n")), open }
}

/// A block by byte offsets: with its marks and without.
struct Block {
    outer: (usize, usize),
    inner: (usize, usize),
    open: bool,
}

/// The first block of a text.
fn next(text: &str) -> Option<Block> {
    let lower = text.to_ascii_lowercase();
    let code = code_spans(text);
    let in_code = |at: usize| code.iter().any(|(from, to)| (*from..*to).contains(&at));
    let find = |mark: &str| lower.match_indices(mark).map(|(at, _)| at).find(|at| !in_code(*at));
    // Once reasoning is open, its first closing mark ends it: what looks like code there may be half of a pair of backticks.
    let closing = |mark: &str, from: usize| lower[from..].find(mark).map(|at| from + at);
    PAIRS.iter().filter_map(|pair| block_of(text, pair, &find, &closing)).min_by_key(|block| block.outer.0)
}

fn block_of(
    text: &str,
    pair: &Mark,
    find: &dyn Fn(&str) -> Option<usize>,
    closing: &dyn Fn(&str, usize) -> Option<usize>,
) -> Option<Block> {
    match (find(pair.open), find(pair.close)) {
        (None, Some(close)) if pair.may_lack_opening => Some(without_opening(pair, close)),
        (Some(open), Some(close)) if close < open && pair.may_lack_opening => Some(without_opening(pair, close)),
        (Some(open), _) => {
            let inner = open + pair.open.len();
            match closing(pair.close, inner) {
                Some(close) => {
                    Some(Block { outer: (open, close + pair.close.len()), inner: (inner, close), open: false })
                }
                None if starts_line(text, open) => {
                    Some(Block { outer: (open, text.len()), inner: (inner, text.len()), open: true })
                }
                None => None,
            }
        }
        _ => None,
    }
}

fn without_opening(pair: &Mark, close: usize) -> Block {
    Block { outer: (0, close + pair.close.len()), inner: (0, close), open: false }
}

fn starts_line(text: &str, at: usize) -> bool {
    text[..at].rsplit('\n').next().is_some_and(|before| before.trim().is_empty())
}

/// What stood before and after a block, with one line break between them where both say something.
fn joined(before: &str, after: &str) -> String {
    match (before.trim().is_empty(), after.trim().is_empty()) {
        (true, _) => after.trim_start().to_owned(),
        (false, true) => before.trim_end().to_owned(),
        (false, false) => format!("{}\n{}", before.trim_end(), after.trim_start()),
    }
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[', '"']) && serde_json::from_str::<serde::de::IgnoredAny>(text.trim()).is_ok()
}

/// Code between backticks (one or more, closed by as many), as ranges of bytes. What is not closed is no code; only three
/// and more reach over lines.
fn code_spans(text: &str) -> Vec<(usize, usize)> {
    let mut spans = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find('`').map(|found| at + found) {
        let ticks = text[start..].bytes().take_while(|byte| *byte == b'`').count();
        let inner = start + ticks;
        let room = if ticks < 3 { text[inner..].lines().next().unwrap_or_default() } else { &text[inner..] };
        match room.find(&text[start..inner]) {
            Some(length) => {
                spans.push((start, inner + length + ticks));
                at = inner + length + ticks;
            }
            None => at = inner,
        }
    }
    spans
}

/// The answer without the marks of an answer that some families write around it.
fn unwrapped(text: &str) -> String {
    let trimmed = text.trim();
    for wrapper in WRAPPERS {
        if let Some(inner) = trimmed.strip_prefix(wrapper.open) {
            return inner.strip_suffix(wrapper.close).unwrap_or(inner).trim().to_owned();
        }
    }
    text.to_owned()
}

/// Texts in channels, of which the final one is the answer (gpt-oss).
fn channels(text: &str) -> Option<Parted> {
    let start = text.trim_start();
    if !CHANNELS.starts.iter().any(|mark| start.starts_with(mark)) {
        return None;
    }
    let clean = |text: &str| CHANNELS.noise.iter().fold(text.to_owned(), |text, mark| text.replace(mark, " "));
    let words = |text: &str| clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    Some(match text.rfind(CHANNELS.last) {
        Some(at) => {
            let answer = &text[at + CHANNELS.last.len()..];
            let end = CHANNELS.ends.iter().filter_map(|mark| answer.find(mark)).min().unwrap_or(answer.len());
            let reasoning = words(&text[..at]);
            Parted {
                answer: answer[..end].trim().to_owned(),
                reasoning: (!reasoning.is_empty()).then_some(reasoning),
                open: false,
            }
        }
        None => Parted { answer: String::new(), reasoning: Some(words(text)), open: true },
    })
}

/// Channels whose marks the tokenizer dropped: `analysis…assistantfinal…`.
fn spoken(text: &str) -> Option<Parted> {
    let inner = text.trim_start().strip_prefix(SPOKEN.open)?;
    let at = inner.rfind(SPOKEN.close)?;
    let answer = inner[at + SPOKEN.close.len()..].trim().to_owned();
    Some(Parted { answer, reasoning: Some(inner[..at].trim().to_owned()), open: false })
}

#[cfg(test)]
mod tests;
