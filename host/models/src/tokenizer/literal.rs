//! Texts in which something looks like a special token and is text: [`LITERAL`] stands inside it.

use super::Tokenizer;
use diapason_core::language_model::LITERAL;
use diapason_core::{Error, Result};

impl Tokenizer {
    /// The ids of a text with marks: special tokens without one are recognised, what has one is encoded as text.
    ///
    /// The text between special tokens is encoded by a copy of the tokenizer that knows none. Whether that is what the
    /// tokenizer itself makes of such pieces is tried on the same text with a letter in place of what is marked.
    ///
    /// # Errors
    /// The tokenizer encodes pieces in another way than the whole.
    pub(crate) fn encode_marked(&self, text: &str) -> Result<Vec<u32>> {
        let specials = self.specials();
        let plain = self.plain.get_or_init(|| {
            let mut plain = self.inner.clone();
            plain.set_encode_special_tokens(true);
            plain
        });
        let control = specials.iter().fold(text.to_owned(), |text, special| text.replace(&marked(special), "x"));
        let control = control.replace(LITERAL, "");
        if self.pieces(plain, &control, &specials)? != self.ids(&self.inner, &control)? {
            return Err(Error::data("the tokenizer cannot encode special tokens of a text as text")
                .hint("leave `template.special_tokens_in_text` out, and take such tokens out of the rows"));
        }
        self.pieces(plain, text, &specials)
    }

    /// The texts of the special tokens, the longest first.
    pub fn specials(&self) -> Vec<String> {
        let known = self.inner.get_added_tokens_decoder();
        let mut specials: Vec<String> =
            known.values().filter(|one| one.special).map(|one| one.content.clone()).collect();
        specials.retain(|special| !special.is_empty());
        specials.sort_by_key(|special| std::cmp::Reverse(special.len()));
        specials
    }

    fn pieces(&self, plain: &tokenizers::Tokenizer, text: &str, specials: &[String]) -> Result<Vec<u32>> {
        let (mut ids, mut rest) = (Vec::new(), text);
        loop {
            let first = specials.iter().filter_map(|special| Some((rest.find(special.as_str())?, special)));
            // The longest of those that begin at the same place comes first.
            let Some((at, special)) = first.min_by_key(|(at, _)| *at) else { break };
            ids.extend(self.piece(plain, &rest[..at])?);
            ids.extend(self.id(special));
            rest = &rest[at + special.len()..];
        }
        ids.extend(self.piece(plain, rest)?);
        Ok(ids)
    }

    fn piece(&self, plain: &tokenizers::Tokenizer, text: &str) -> Result<Vec<u32>> {
        if text.is_empty() { Ok(Vec::new()) } else { self.ids(plain, &text.replace(LITERAL, "")) }
    }

    pub(crate) fn ids(&self, tokenizer: &tokenizers::Tokenizer, text: &str) -> Result<Vec<u32>> {
        let encoding = tokenizer.encode_fast(text, false);
        let encoding = encoding.map_err(|source| Error::run("failed to tokenise a text").because(source))?;
        Ok(encoding.get_ids().to_vec())
    }
}

/// A special token's text with the mark after its first character.
fn marked(special: &str) -> String {
    let first = special.chars().next().map_or(0, char::len_utf8);
    format!("{}{LITERAL}{}", &special[..first], &special[first..])
}
