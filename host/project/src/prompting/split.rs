//! A text, cut into passages.
//!
//! A passage is a run of whole blocks of at most [`LONGEST`] bytes: about 200 English words. Blocks are the paragraphs of a
//! plain text; of Markdown they are paragraphs, lists, tables, code and so on as CommonMark has them, and a heading begins
//! a new passage, which the text after it belongs to. A block that is longer is cut between sentences, a longer sentence
//! between words. Passages do not overlap, and together they are the whole text.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use unicode_segmentation::UnicodeSegmentation;

/// Bytes of a passage, at most; a heading that stands above it comes on top.
const LONGEST: usize = 1200;

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// The headings that it stands under, outermost first, without those in its own text.
    pub(super) section: Vec<String>,
    pub(super) text: String,
}

/// Cuts a text into passages.
pub(super) fn split(text: &str, is_markdown: bool) -> Vec<Piece> {
    let blocks = if is_markdown { markdown(text) } else { plain(text) };
    let ends = blocks.iter().skip(1).map(|block| block.start).chain([text.len()]);
    let mut packer = Packer { text, ..Packer::default() };
    for (block, end) in blocks.iter().zip(ends.collect::<Vec<_>>()) {
        packer.push(block, end);
    }
    packer.close();
    packer.pieces
}

/// Where a block begins; it ends where the next one does.
struct Block {
    start: usize,
    /// Level and title, if it is a heading.
    heading: Option<(usize, String)>,
}

/// The blocks of a plain text: what empty lines part.
fn plain(text: &str) -> Vec<Block> {
    let (mut blocks, mut at, mut is_open) = (Vec::new(), 0, false);
    for line in text.split_inclusive('\n') {
        let is_blank = line.trim().is_empty();
        if !is_blank && !is_open {
            blocks.push(Block { start: at, heading: None });
        }
        is_open = !is_blank;
        at += line.len();
    }
    blocks
}

/// The outermost blocks of a Markdown text. What stands before the first one or between two belongs to the one before.
fn markdown(text: &str) -> Vec<Block> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut blocks = vec![Block { start: 0, heading: None }];
    let (mut depth, mut title) = (0_usize, None::<String>);
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        match event {
            Event::Start(tag) => {
                if depth == 0 {
                    blocks.push(Block { start: range.start, heading: level(&tag).map(|level| (level, String::new())) });
                    title = level(&tag).map(|_| String::new());
                }
                depth += 1;
            }
            Event::End(end) => {
                depth -= 1;
                if let (TagEnd::Heading(_), Some(title), Some(Block { heading: Some(heading), .. })) =
                    (end, title.take_if(|_| depth == 0), blocks.last_mut())
                {
                    heading.1 = title.split_whitespace().collect::<Vec<_>>().join(" ");
                }
            }
            Event::Text(words) | Event::Code(words) => title.iter_mut().for_each(|title| title.push_str(&words)),
            Event::SoftBreak | Event::HardBreak => title.iter_mut().for_each(|title| title.push(' ')),
            _ => {}
        }
    }
    blocks
}

fn level(tag: &Tag<'_>) -> Option<usize> {
    if let Tag::Heading { level, .. } = tag { Some(*level as usize) } else { None }
}

/// Puts blocks into passages.
#[derive(Default)]
struct Packer<'a> {
    text: &'a str,
    pieces: Vec<Piece>,
    /// The headings above the place that is reached.
    above: Vec<(usize, String)>,
    open: Option<Open>,
}

/// The passage that is being filled.
struct Open {
    start: usize,
    end: usize,
    section: Vec<String>,
    /// Headings alone are no passage while there is text to come.
    has_text: bool,
}

impl Packer<'_> {
    fn push(&mut self, block: &Block, end: usize) {
        if self.text[block.start..end].trim().is_empty() {
            return;
        }
        if self.is_full(block, end) {
            self.close();
        }
        if let Some((level, _)) = &block.heading {
            self.above.retain(|(above, _)| above < level);
        }
        let section = self.above.iter().map(|(_, title)| title.clone());
        let open = self.open.get_or_insert_with(|| Open {
            start: block.start,
            end,
            section: section.collect(),
            has_text: false,
        });
        open.end = end;
        open.has_text |= block.heading.is_none();
        self.above.extend(block.heading.clone());
    }

    /// Whether `block` begins a new passage.
    fn is_full(&self, block: &Block, end: usize) -> bool {
        let is_long = |open: &Open| self.text[open.start..end].trim().len() > LONGEST;
        self.open.as_ref().is_some_and(|open| open.has_text && (block.heading.is_some() || is_long(open)))
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        let mut section = open.section;
        for part in cut(&self.text[open.start..open.end]) {
            self.pieces.push(Piece { section: section.clone(), text: part });
            // Its own headings stand in the first part only.
            section = self.above.iter().map(|(_, title)| title.clone()).collect();
        }
    }
}

/// A text in parts of at most [`LONGEST`] bytes, cut between sentences, or else between words.
fn cut(text: &str) -> Vec<String> {
    let text = text.trim_end().trim_start_matches('\n');
    if text.trim().len() <= LONGEST {
        return vec![text.to_owned()];
    }
    let mut parts = vec![String::new()];
    for sentence in text.split_sentence_bounds().flat_map(short) {
        match parts.last_mut() {
            Some(part) if part.len() + sentence.trim_end().len() <= LONGEST => part.push_str(sentence),
            _ => parts.push(sentence.to_owned()),
        }
    }
    parts.iter().map(|part| part.trim_end().to_owned()).filter(|part| !part.trim().is_empty()).collect()
}

/// A sentence in parts that are short enough.
fn short(sentence: &str) -> Vec<&str> {
    let (mut parts, mut rest) = (Vec::new(), sentence);
    while rest.trim_end().len() > LONGEST {
        let most = (0..=LONGEST).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(rest.len());
        // After the last white space, or in the middle of a word that is longer than a passage.
        let space = rest[..most].char_indices().rev().find(|(_, letter)| letter.is_whitespace());
        let (part, left) = rest.split_at(space.map_or(most, |(at, letter)| at + letter.len_utf8()));
        parts.push(part);
        rest = left;
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pieces(text: &str, is_markdown: bool) -> Vec<(String, String)> {
        split(text, is_markdown).into_iter().map(|piece| (piece.section.join(" > "), piece.text)).collect()
    }

    #[test]
    fn markdown_is_cut_at_headings_and_keeps_what_belongs_together() {
        let text = "---\ntitle: Shop\n---\nWelcome.\n\n# FAQ\n\n## Returns\n\nWithin *30* days.\n\n```\n# no heading\n\nx\n```\n\nSetext\n======\n\n- a\n\n  # in a list\n\n[1]: http://x\n\n## Empty\n";
        let expected = [
            ("", "---\ntitle: Shop\n---\nWelcome."),
            ("", "# FAQ\n\n## Returns\n\nWithin *30* days.\n\n```\n# no heading\n\nx\n```"),
            ("", "Setext\n======\n\n- a\n\n  # in a list\n\n[1]: http://x"),
            ("Setext", "## Empty"),
        ];
        assert_eq!(pieces(text, true), expected.map(|(section, text)| (section.to_owned(), text.to_owned())));
    }

    #[test]
    fn a_long_section_is_cut_between_paragraphs_then_sentences_then_words() {
        let paragraph = "One sentence of words. ".repeat(30);
        let text =
            format!("# A `b` *c*\n\n{paragraph}\n\n{paragraph}\n\n{}\n\n{}", "Longer. ".repeat(200), "é".repeat(1501));
        let found = pieces(&text, true);
        assert_eq!(found[0], (String::new(), format!("# A `b` *c*\n\n{}", paragraph.trim_end())));
        assert_eq!(found[1], ("A b c".into(), paragraph.trim_end().to_owned()));
        assert!(found[2].1.ends_with("Longer.") && found[2].1.len() > 1000, "{:?}", found[2]);
        assert!(found.iter().all(|(_, text)| text.len() <= LONGEST), "{found:?}");
        assert_eq!(found.iter().map(|(_, text)| text.matches('é').count()).sum::<usize>(), 1501);
    }

    #[test]
    fn plain_texts_have_paragraphs_and_no_headings() {
        let paragraph = "word ".repeat(150).trim_end().to_owned();
        let found = pieces(&format!("# a\n \nb\n\n{paragraph}\n\n\n  {paragraph}\n"), false);
        let expected = [format!("# a\n \nb\n\n{paragraph}"), format!("  {paragraph}")];
        assert_eq!(found, expected.map(|text| (String::new(), text)));
        assert!(pieces(" \n\n", false).is_empty() && pieces("", true).is_empty());
    }

    proptest! {
        #[test]
        fn nothing_is_lost(
            parts in prop::collection::vec("(#{1,6} |\n\n|---\n|===\n|```\n|> |- |\\[a\\]: b\n|[a-zé.!?東]{1,9} ?|\\| a |x{600})", 0..60),
            is_markdown in any::<bool>(),
        ) {
            let text = parts.concat();
            let letters = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
            let found = split(&text, is_markdown);
            let joined: String = found.iter().map(|piece| piece.text.as_str()).collect();
            prop_assert_eq!(letters(&joined), letters(&text));
            prop_assert!(found.iter().all(|piece| !piece.text.trim().is_empty() && piece.text.len() <= LONGEST + 8));
        }
    }
}
