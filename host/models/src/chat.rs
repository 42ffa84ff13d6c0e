//! What a model's or an adapter's files say of how conversations are written: chat templates, and the special tokens that
//! templates write by name.

use crate::formats::Gguf;
use crate::formats::json::optional;
use crate::templates::ChatTemplates;
use crate::tokenizer::{Beside, special_token};
use diapason_core::Result;
use diapason_disk::foreign;
use serde_json::{Map, Value};
use std::path::Path;

/// Chat templates and special tokens.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chat {
    /// The templates.
    pub templates: ChatTemplates,
    /// The special tokens' texts by their names: `bos_token`, `eos_token`, …
    pub special_tokens: Map<String, Value>,
    /// Whether the files say that plain text begins with the beginning-of-text token.
    pub begins: Option<bool>,
}

impl Chat {
    /// Of a model, or of an adapter's folder, which is not opened otherwise.
    ///
    /// # Errors
    /// A file is damaged.
    pub fn of(path: &Path) -> Result<Self> {
        foreign::guarded(path.display(), || {
            if path.is_dir() { Self::of_folder(path) } else { Self::of_gguf(&Gguf::open(path)?) }
        })
    }

    pub(crate) fn of_folder(folder: &Path) -> Result<Self> {
        Self::beside(folder, &Beside::of_folder(folder)?)
    }

    /// The templates of a folder, with the special tokens that its files name.
    pub(crate) fn beside(folder: &Path, beside: &Beside) -> Result<Self> {
        let config = optional(folder, "tokenizer_config.json")?;
        let begins = config["add_bos_token"].as_bool();
        let templates = ChatTemplates::of_folder(folder, &config)?;
        Ok(Self { templates, special_tokens: beside.special_tokens(), begins })
    }

    pub(crate) fn of_gguf(gguf: &Gguf) -> Result<Self> {
        let mut special_tokens = Map::new();
        for (name, key) in
            [("bos", "bos_token"), ("eos", "eos_token"), ("unknown", "unk_token"), ("padding", "pad_token")]
        {
            special_tokens.extend(special_token(gguf, name)?.map(|token| (key.to_owned(), Value::from(token))));
        }
        // llama.cpp adds the token for the pieces of SentencePiece where nothing is said.
        let is_pieces = gguf.text("tokenizer.ggml.model").is_ok_and(|model| model == "llama");
        let said = gguf.value("tokenizer.ggml.add_bos_token").and_then(|said| said.to_bool().ok());
        let begins = Some(said.unwrap_or(is_pieces));
        Ok(Self { templates: ChatTemplates::of_gguf(gguf)?, special_tokens, begins })
    }

    /// Whether `other`, an adapter's, writes every conversation as these files do: the same templates, and under each
    /// name that they mention the same special token.
    pub fn writes_like(&self, other: &Self) -> bool {
        let mentioned = |name: &str| self.templates.texts().any(|text| text.contains(name));
        let mut names = self.special_tokens.keys().chain(other.special_tokens.keys()).filter(|name| mentioned(name));
        self.templates == other.templates
            && names.all(|name| {
                let (own, others) = (self.special_tokens.get(name), other.special_tokens.get(name));
                // An adapter's folder may hold a template and no tokenizer.
                own == others || others.is_none()
            })
    }
}
