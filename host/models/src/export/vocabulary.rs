//! A tokenizer's tokens as a GGUF file has them, with the ids that `tokenizers` gives them. What llama.cpp would read, find or
//! write otherwise is refused by name.

use crate::tokenizer::Tokenizer;
use crate::tokenizer::gguf_special::{CONTROL, NORMAL, UNUSED, USER_DEFINED};
use diapason_core::{Error, Result};
use std::collections::{HashMap, HashSet};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;

/// One token for each row of the embedding.
pub(super) struct Vocabulary {
    pub(super) tokens: Vec<String>,
    pub(super) kinds: Vec<i32>,
}

impl Vocabulary {
    /// Returns the tokens of a tokenizer for an embedding of so many rows; rows without a token are padding.
    ///
    /// # Errors
    /// llama.cpp would abort over a token, or read, find or write it otherwise.
    pub(super) fn of(tokenizer: &Tokenizer, rows: usize) -> Result<Self> {
        let mut slots: Vec<Option<(String, i32)>> = vec![None; rows];
        for (token, id) in tokenizer.vocabulary() {
            let kind = tokenizer.kind(&token, id);
            check(tokenizer, &token, id, kind)?;
            // The tokens are no more than the rows: `Model::assemble`.
            let Some(slot) = slots.get_mut(id as usize) else { continue };
            if let Some((other, _)) = slot {
                return Err(refused(format!("gives the id {id} to `{other}` and to `{token}`")));
            }
            *slot = Some((token, kind));
        }
        let taken: HashSet<String> = slots.iter().flatten().map(|(token, _)| token.clone()).collect();
        let slots = slots.into_iter().enumerate();
        let (tokens, kinds) = slots.map(|(id, slot)| slot.unwrap_or_else(|| (padding(id, &taken), UNUSED))).unzip();
        Ok(Self { tokens, kinds })
    }

    /// Returns the texts of the tokens.
    pub(super) fn texts(&self) -> Vec<&str> {
        self.tokens.iter().map(String::as_str).collect()
    }

    /// Returns the ids by their tokens.
    pub(super) fn ids(&self) -> HashMap<&str, u32> {
        self.tokens.iter().enumerate().map(|(id, token)| (token.as_str(), id as u32)).collect()
    }

    /// Refuses added tokens that llama.cpp finds elsewhere in a text: it looks for the longest first, `tokenizers` for the one
    /// that begins first (`tokenizer_st_partition` there, `find_matches` here).
    ///
    /// # Errors
    /// There is such a text; it is named.
    pub(super) fn refuse_overlaps(&self, tokenizer: &Tokenizer) -> Result<()> {
        let mut added: Vec<&str> = self.added().collect();
        added.sort_unstable();
        let ids = self.ids();
        let texts = added.iter().flat_map(|token| overlapping(token, &added));
        let texts: Vec<String> = texts.chain(added.iter().map(|token| (*token).to_owned())).collect();
        // In which order it looks for tokens of the same length is not said there.
        let orders = [false, true].map(|backwards| {
            let mut order = added.clone();
            if backwards {
                order.reverse();
            }
            order.sort_by_key(|token| std::cmp::Reverse(token.len()));
            order
        });
        for (text, order) in texts.iter().flat_map(|text| orders.iter().map(move |order| (text, order))) {
            let mut found = Vec::new();
            partition(text, order, &mut |piece, is_token| {
                found.extend(if is_token { vec![ids[piece]] } else { tokenizer.ids(&tokenizer.inner, piece)? });
                Ok(())
            })?;
            if found != tokenizer.ids(&tokenizer.inner, text)? {
                return Err(refused(format!("has added tokens that overlap in {text:?}")));
            }
        }
        Ok(())
    }

    fn added(&self) -> impl Iterator<Item = &str> {
        let tokens = self.tokens.iter().zip(&self.kinds);
        tokens.filter(|(_, kind)| [CONTROL, USER_DEFINED].contains(*kind)).map(|(token, _)| token.as_str())
    }
}

impl Tokenizer {
    fn kind(&self, token: &str, id: u32) -> i32 {
        let added = self.inner.get_added_vocabulary();
        if added.get_added_tokens_decoder().get(&id).is_none_or(|known| known.content != token) {
            NORMAL
        } else if added.is_special_token(token) {
            CONTROL
        } else {
            USER_DEFINED
        }
    }
}

pub(super) fn refused(what: String) -> Error {
    Error::data(format!("the tokenizer {what}, which llama.cpp does otherwise"))
        .hint("`diapason merge` writes a folder instead, for llama.cpp's own converter")
}

fn check(tokenizer: &Tokenizer, token: &str, id: u32, kind: i32) -> Result<()> {
    if token.is_empty() {
        return Err(refused(format!("has an empty token with the id {id}")));
    }
    if kind == NORMAL {
        let alphabet = ByteLevel::alphabet();
        return match token.chars().find(|letter| !alphabet.contains(letter)) {
            Some(letter) => Err(refused(format!("writes {letter:?} in the token {token:?} for no byte"))),
            None => Ok(()),
        };
    }
    // An added token of letters that stand for bytes is decoded to these bytes; llama.cpp writes it as it is.
    let decoded = tokenizer.inner.decode(&[id], false);
    let decoded =
        decoded.map_err(|source| Error::data(format!("failed to decode the token {token:?}")).because(source))?;
    if kind == USER_DEFINED && decoded != token {
        return Err(refused(format!("writes {decoded:?} for the added token {token:?}")));
    }
    Ok(())
}

/// The text of a row that has none; no token may have it already.
fn padding(id: usize, taken: &HashSet<String>) -> String {
    let mut text = format!("[PAD{id}]");
    while taken.contains(&text) {
        text.push('_');
    }
    text
}

/// The shortest texts that begin with `token` and end with another token that begins within it. `sorted` are all tokens.
fn overlapping<'a>(token: &'a str, sorted: &'a [&str]) -> impl Iterator<Item = String> + 'a {
    token.char_indices().skip(1).flat_map(move |(at, _)| {
        let shared = &token[at..];
        let first = sorted.partition_point(|other| *other < shared);
        let others = sorted[first..].iter().take_while(move |other| other.starts_with(shared));
        others.filter(move |other| other.len() > shared.len()).map(move |other| format!("{}{other}", &token[..at]))
    })
}

/// Cuts a text at its tokens, the longest first. `longest` are the tokens in this order.
fn partition(text: &str, longest: &[&str], found: &mut dyn FnMut(&str, bool) -> Result<()>) -> Result<()> {
    let Some((place, at)) = longest.iter().enumerate().find_map(|(place, token)| Some((place, text.find(token)?)))
    else {
        return if text.is_empty() { Ok(()) } else { found(text, false) };
    };
    partition(&text[..at], &longest[place + 1..], found)?;
    found(longest[place], true)?;
    partition(&text[at + longest[place].len()..], &longest[place..], found)
}
