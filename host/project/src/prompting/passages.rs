//! Passages of documents in front of a prompt.

use super::bm25::Index;
use super::folder::{self, LeftOut, Text};
use super::{named, split};
use diapason_core::config::Retrieve;
use diapason_core::escape::line;
use diapason_core::sample::{Message, Sample};
use diapason_core::{Error, Result, digest};
use diapason_disk::foreign;
use serde_json::json;

/// A part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// The document's path in its folder.
    pub source: String,
    /// The headings that it stands under, outermost first, without those in its own text.
    pub section: Vec<String>,
    /// Its text, as it stands in the document.
    pub text: String,
}

/// The passages of a folder's text and Markdown files.
///
/// They are at most 1,200 bytes long, about 200 English words: whole paragraphs and other blocks, of one section of Markdown
/// each. They are looked up by BM25 with the text of the prompt's last user turn, in their own text, the headings above it
/// and the name of their file. The best ones stand in front of that text, the best one first; of equals, the one that comes
/// first in the folder. A passage that shares no word with the prompt is not found, so there may be fewer than asked for.
///
/// What the user turn then says:
///
/// ```text
/// Use the passages below where they help.
///
/// <passage source="returns.md" section="Returns > Deadlines">
/// Goods may be returned within 30 days.
/// </passage>
///
/// When can I return a lamp?
/// ```
#[derive(Debug)]
pub struct Passages {
    passages: Vec<Passage>,
    index: Index,
    top: usize,
    left_out: Vec<LeftOut>,
    digest: String,
}

/// Changes when the same folder would give other prompts than before.
const RULES: &str = "passages 1";

const INTRODUCTION: &str = "Use the passages below where they help.";

impl Passages {
    /// Reads a folder.
    ///
    /// Errors if it cannot be read, holds a link or a text that is not UTF-8, is too large, or has no text at all.
    pub fn open(settings: &Retrieve) -> Result<Self> {
        let folder = &settings.folder;
        foreign::guarded(folder.display(), || {
            let (texts, mut left_out) = folder::read(folder)?;
            let empty = texts.iter().filter(|text| text.text.trim().is_empty());
            left_out.extend(empty.map(|text| LeftOut { path: text.source.clone(), why: "it is empty" }));
            let passages: Vec<Passage> = texts.iter().flat_map(of_text).collect();
            if passages.is_empty() {
                return Err(no_text(settings, &left_out));
            }
            Ok(Self::of(passages, settings.top, left_out))
        })
    }

    /// Returns the passages for `sample`'s prompt, the best one first.
    ///
    /// Errors if the prompt has no user turn.
    pub fn found(&self, sample: &Sample) -> Result<Vec<&Passage>> {
        let scores = self.index.scores(&sample.messages[asked(sample)?].content);
        let mut order: Vec<usize> = (0..scores.len()).filter(|at| scores[*at] > 0.0).collect();
        // Stable: equals stay in the folder's order.
        order.sort_by(|one, other| scores[*other].total_cmp(&scores[*one]));
        Ok(order.into_iter().take(self.top).map(|at| &self.passages[at]).collect())
    }

    /// Returns what the folder holds beside the texts that are read: hidden files, empty ones, and other kinds.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// Returns how many passages the folder has.
    pub fn count(&self) -> usize {
        self.passages.len()
    }

    /// Returns the digest of all that shapes prompts: the passages and how many are taken.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Puts passages in front of the last user turn of `messages`, which are `sample`'s.
    pub(super) fn put_into(&self, messages: &mut [Message], sample: &Sample) -> Result<()> {
        let found = self.found(sample)?;
        if found.is_empty() {
            return Ok(());
        }
        let asked = &mut messages[asked(sample)?].content;
        let shown: Vec<String> = found.into_iter().map(shown).collect();
        *asked = format!("{INTRODUCTION}\n\n{}\n\n{asked}", shown.join("\n\n"));
        Ok(())
    }

    fn of(passages: Vec<Passage>, top: usize, left_out: Vec<LeftOut>) -> Self {
        let searched = passages
            .iter()
            .map(|Passage { source, section, text }| format!("{source}\n{}\n{text}", section.join("\n")));
        let index = Index::of(&searched.collect::<Vec<_>>());
        let digest = identity(&passages, top);
        Self { passages, index, top, left_out, digest }
    }
}

fn of_text(text: &Text) -> impl Iterator<Item = Passage> {
    let pieces = split::split(&text.text, text.is_markdown).into_iter();
    pieces.map(|piece| Passage { source: text.source.clone(), section: piece.section, text: piece.text })
}

/// The place of the last user turn.
fn asked(sample: &Sample) -> Result<usize> {
    sample.messages.iter().rposition(|message| message.role == "user").ok_or_else(|| {
        Error::data(format!("{} has no user turn for passages to stand in", named(sample)))
            .hint("remove the row from the suite, or `retrieve` from the arm")
    })
}

/// A passage as the prompt has it.
fn shown(passage: &Passage) -> String {
    let attribute = |text: &str| line(text).replace('&', "&amp;").replace('"', "&quot;");
    let section = match passage.section.as_slice() {
        [] => String::new(),
        titles => format!(" section=\"{}\"", attribute(&titles.join(" > "))),
    };
    format!("<passage source=\"{}\"{section}>\n{}\n</passage>", attribute(&passage.source), passage.text)
}

fn identity(passages: &[Passage], top: usize) -> String {
    let all: Vec<String> =
        passages.iter().map(|Passage { source, section, text }| json!([source, section, text]).to_string()).collect();
    let settings = json!([RULES, top]).to_string();
    let all = all.iter().map(|passage| ("passage", passage.as_str()));
    digest::of_parts([("settings", settings.as_str())].into_iter().chain(all))
}

fn no_text(settings: &Retrieve, left_out: &[LeftOut]) -> Error {
    const NAMED: usize = 5;
    let mut named: Vec<String> =
        left_out.iter().take(NAMED).map(|entry| format!("`{}`: {}", line(&entry.path), entry.why)).collect();
    if left_out.len() > NAMED {
        named.push(format!("and {} more", left_out.len() - NAMED));
    }
    let holds = if named.is_empty() { "it is empty".to_owned() } else { named.join("; ") };
    Error::data(format!("{} has no text to look passages up in", settings.folder.display()))
        .because(holds)
        .hint("put .txt or .md files into it, or name another folder in `retrieve.folder`")
}
