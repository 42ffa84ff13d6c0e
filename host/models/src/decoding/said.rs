//! The file that says how a model is decoded: `generation_config.json`, or `config.json` where there is none.

use super::known::{Fate, fate};
use crate::formats::Gguf;
use candle_core::quantized::gguf_file;
use diapason_core::{Error, Result};
use diapason_disk::files;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

const FILE: &str = "generation_config.json";

/// What the keys of a GGUF file begin with that are about sampling.
const GGUF: &str = "general.sampling.";

/// What a model's folder says of decoding.
#[derive(Debug, Clone, Default)]
pub(crate) struct Said {
    path: PathBuf,
    text: String,
    object: Map<String, Value>,
    /// Whether it is `config.json`, whose other keys are looked at elsewhere.
    shared: bool,
}

impl Said {
    /// As transformers reads `folder`: where there is a `generation_config.json`, its `config.json` says nothing of
    /// decoding. `config` is the text of the latter.
    ///
    /// # Errors
    /// The file cannot be read, or holds no JSON object.
    pub(crate) fn of_folder(folder: &Path, config: &str) -> Result<Self> {
        let path = folder.join(FILE);
        // What is there but is no file is refused, not passed over.
        match path.symlink_metadata() {
            Err(_) => Self::of_text(folder.join("config.json"), config.to_owned(), true),
            Ok(_) => Self::of_text(path.clone(), files::read_text(&path)?, false),
        }
    }

    /// The defaults of llama.cpp's programs that a GGUF file brings.
    pub(crate) fn of_gguf(path: &Path, gguf: &Gguf) -> Self {
        let named = gguf.keys().filter(|key| key.starts_with(GGUF));
        let object = named.map(|key| (key.to_owned(), json(gguf, key))).collect();
        Self { path: path.to_owned(), object, ..Self::default() }
    }

    pub(super) fn of_text(path: PathBuf, text: String, shared: bool) -> Result<Self> {
        let fail = || Error::data(format!("failed to read {}", path.display()));
        match serde_json::from_str(&text) {
            Ok(Value::Object(object)) => Ok(Self { path, text, object, shared }),
            Ok(_) => {
                Err(fail().because("it holds no JSON object").hint("transformers writes one; fetch the file again"))
            }
            Err(source) => Err(fail().because(source).hint("the file is cut short or was edited; fetch it again")),
        }
    }

    /// A field; what is null is absent.
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    /// Refuses the field `key` for its value.
    pub(crate) fn refuse<T>(&self, key: &str, what: &str, hint: &str) -> Result<T> {
        let value = self.object.get(key).map(Value::to_string).unwrap_or_default();
        let short: String = value.chars().take(60).collect();
        let short = if short.len() < value.len() { format!("{short}…") } else { short };
        let line = self.text.lines().position(|line| line.trim_start().starts_with(&format!("\"{key}\"")));
        let line = line.map_or(String::new(), |line| format!(" line {}", line + 1));
        Err(Error::data(format!("`{key}` in {}{line} is {short}: {what}", self.path.display())).hint(hint))
    }

    /// Refuses what cannot be done, and what nobody knows.
    pub(super) fn refuse_unsupported(&self) -> Result<()> {
        for (key, value) in &self.object {
            match fate(key, value) {
                Fate::Refused(meaning) => {
                    return self.refuse(
                        key,
                        &format!("it asks for {meaning}, which is not supported"),
                        "remove it from the file: answers are then those of plain greedy decoding or sampling, in \
                         transformers too",
                    );
                }
                Fate::Unknown if !self.shared => {
                    return self.refuse(
                        key,
                        "transformers 5.24 has no such field, so what it changes is not known",
                        "remove it from the file if it changes nothing",
                    );
                }
                Fate::Inert | Fate::Applied | Fate::Project | Fate::Unknown => {}
            }
        }
        Ok(())
    }

    /// The fields that make other answers than plain decoding does.
    pub(crate) fn changing(&self) -> Vec<String> {
        self.with(|fate| matches!(fate, Fate::Applied | Fate::Refused(_)))
    }

    /// The fields of which the project says otherwise when it samples.
    pub(super) fn sampling(&self) -> Vec<String> {
        let mut found = self.with(|fate| fate == Fate::Project);
        found.retain(|key| {
            ![
                "do_sample",
                "max_length",
                "max_new_tokens",
                "temperature",
                "top_p",
                "general.sampling.temp",
                "general.sampling.top_p",
            ]
            .contains(&key.as_str())
        });
        found
    }

    fn with(&self, wanted: impl Fn(Fate) -> bool) -> Vec<String> {
        self.object.iter().filter(|(key, value)| wanted(fate(key, value))).map(|(key, _)| key.clone()).collect()
    }
}

/// A value of metadata; what is neither text nor number is shown as it is, so that it is refused by name.
fn json(gguf: &Gguf, key: &str) -> Value {
    match gguf.value(key) {
        Some(gguf_file::Value::F32(number)) => (*number).into(),
        Some(gguf_file::Value::String(text)) => text.as_str().into(),
        other => gguf.integer(key).map_or_else(|| format!("{other:?}").into(), Value::from),
    }
}
