//! Text to tokens and back, by the model's own tokenizer.

mod beside;
mod class;
#[cfg(test)]
mod folders;
mod gguf;
pub(crate) mod gguf_special;
mod literal;
mod plain;
pub(crate) mod pre;

pub(crate) use beside::Beside;
pub(crate) use gguf::{from_gguf, special_token};

use diapason_core::{Error, Result, language_model};
use diapason_disk::foreign;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use tokenizers::ModelWrapper;

/// A tokenizer in the format of `tokenizer.json`.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    pub(crate) inner: tokenizers::Tokenizer,
    /// The `tokenizer.json` it was made of.
    json: Vec<u8>,
    /// What it is read as, where the files beside it change that.
    read_as: Option<Vec<u8>>,
    /// A copy that knows no special tokens, made where one is needed.
    plain: OnceLock<tokenizers::Tokenizer>,
}

impl Tokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// It is malformed or uses a feature that is unknown.
    pub fn from_json(json: Vec<u8>) -> Result<Self> {
        foreign::guarded("the tokenizer", || Self::read(json).and_then(Self::without_chance))
    }

    /// Reads a `tokenizer.json` as the files beside it say, for an embedding with so many `rows`.
    ///
    /// # Errors
    /// It is malformed, uses a feature that is unknown, or is read by a class that cannot read it.
    pub(crate) fn of_folder(json: Vec<u8>, beside: &Beside, rows: usize) -> Result<Self> {
        foreign::guarded("the tokenizer", || {
            let own = Self::read(json)?;
            let Some(inner) = beside.applied(&own.json, rows)? else { return own.without_chance() };
            let written = inner.to_string(false);
            let written = written.map_err(|source| Error::data("failed to read the tokenizer").because(source))?;
            Self { read_as: Some(written.into_bytes()), inner: plain_texts(inner)?, ..own }.without_chance()
        })
    }

    /// Refuses a tokenizer that draws lots: the same text would have other tokens every time.
    fn without_chance(self) -> Result<Self> {
        match self.inner.get_model() {
            ModelWrapper::BPE(model) if model.dropout.is_some_and(|share| share > 0.0) => {
                let share = model.dropout.unwrap_or_default();
                Err(Error::data(format!("the tokenizer leaves out merges at random: `dropout` is {share}"))
                    .hint("it is meant for training alone: set it to null in tokenizer.json"))
            }
            _ => Ok(self),
        }
    }

    fn read(json: Vec<u8>) -> Result<Self> {
        let inner = tokenizers::Tokenizer::from_bytes(&json).map_err(|source| {
            Error::data("failed to read the tokenizer")
                .because(source)
                .hint("tokenizer.json must be the one that the tokenizers library wrote")
        })?;
        Ok(Self { inner: plain_texts(inner)?, json, read_as: None, plain: OnceLock::new() })
    }

    /// The `tokenizer.json`.
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// The `tokenizer.json` that says of itself what this one means with the files beside it.
    pub(crate) fn whole_json(&self) -> &[u8] {
        self.read_as.as_deref().unwrap_or(&self.json)
    }

    /// The id of a token.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// Every token with its id.
    pub(crate) fn vocabulary(&self) -> BTreeMap<String, u32> {
        self.inner.get_vocab(true).into_iter().collect()
    }

    /// The tokens that were added to the vocabulary, special or not, with their ids.
    pub(crate) fn added(&self) -> BTreeMap<String, u32> {
        self.inner.get_added_tokens_decoder().into_iter().map(|(id, token)| (token.content, id)).collect()
    }

    /// Whether a token is special: not made of text.
    pub fn is_special(&self, id: u32) -> bool {
        self.inner.get_added_tokens_decoder().get(&id).is_some_and(|token| token.special)
    }

    /// What a token stands for, to be read: its text, or the name of a special one.
    pub fn shown(&self, id: u32) -> String {
        let known = self.inner.get_added_tokens_decoder();
        match known.get(&id) {
            Some(token) => token.content.clone(),
            None => {
                let decode =
                    || self.inner.decode(&[id], false).map_err(|source| Error::run("failed to decode").because(source));
                foreign::guarded("a token", decode).unwrap_or_else(|_| format!("<{id}>"))
            }
        }
    }

    /// The largest id plus one.
    pub fn size(&self) -> usize {
        self.inner.get_vocab(true).values().max().map_or(0, |last| *last as usize + 1)
    }
}

impl language_model::Tokenizer for Tokenizer {
    fn encode(&self, text: &str) -> Result<Vec<u32>> {
        // A damaged tokenizer may show itself only here.
        foreign::guarded("a text with the tokenizer", || match text.strip_prefix(language_model::PLAIN) {
            Some(text) => self.encode_plain(text),
            None => self.encode_bare(text),
        })
    }

    fn decode(&self, ids: &[u32]) -> Result<String> {
        foreign::guarded("tokens with the tokenizer", || {
            self.inner.decode(ids, true).map_err(|source| Error::run("failed to decode tokens").because(source))
        })
    }
}

/// The tokenizer without what a pipeline in Python was last used with, which stays in the file: here, texts are neither cut nor
/// padded.
fn plain_texts(mut tokenizer: tokenizers::Tokenizer) -> Result<tokenizers::Tokenizer> {
    tokenizer.with_padding(None);
    tokenizer.with_truncation(None).map_err(|source| Error::data("failed to set up the tokenizer").because(source))?;
    Ok(tokenizer)
}
