//! What lies beside the weights in a model's folder, kept as it stands: a model that is written again is the same model to
//! all who read it only where what did not change is not written anew.

use diapason_core::{Error, Result};
use diapason_disk::files;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// What readers of a folder look into beside `config.json`, `tokenizer.json`, the weights and the chat templates:
/// transformers for generation and tokens, llama.cpp's converter for the pieces of SentencePiece.
const FILES: [&str; 7] =
    [GENERATION, TOKENIZER, TOKENS, "added_tokens.json", "tokenizer.model", "vocab.json", "merges.txt"];

pub(crate) const GENERATION: &str = "generation_config.json";
pub(crate) const TOKENIZER: &str = "tokenizer_config.json";
pub(crate) const TOKENS: &str = "special_tokens_map.json";

/// A model's folder without its weights.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// `config.json`, every key in its place.
    pub(crate) config: Map<String, Value>,
    /// The other files by their names.
    pub(crate) files: BTreeMap<&'static str, Vec<u8>>,
}

impl Origin {
    /// Reads the files of `folder`, whose `config.json` is given.
    ///
    /// # Errors
    /// A file that is there cannot be read.
    pub(crate) fn read(folder: &Path, config: Map<String, Value>) -> Result<Self> {
        let there = |name: &&str| folder.join(name).symlink_metadata().is_ok();
        let read = |name: &'static str| {
            let path = folder.join(name);
            let bytes = files::contents(&path, files::LARGEST_TEXT);
            let fail = |source| Error::data(format!("failed to read {}", path.display())).because(source);
            Ok((name, bytes.map_err(fail)?))
        };
        Ok(Self { config, files: FILES.into_iter().filter(there).map(read).collect::<Result<_>>()? })
    }

    /// The names of all files that may be kept: those of an earlier model in a folder are removed.
    pub(crate) fn names() -> [&'static str; 7] {
        FILES
    }

    /// A file as JSON; null where there is none, or it is none.
    pub(crate) fn json(&self, name: &str) -> Value {
        self.files.get(name).and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default()
    }
}
