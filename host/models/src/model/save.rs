//! A model as a folder that this crate, transformers and their like open.
//!
//! What comes from a folder keeps all that lies there: `config.json` is the base's but for what changed, which is checked
//! key by key once it is written; the other files are the base's byte for byte.

use crate::families::Config;
use crate::formats::{self, Entry};
use crate::model::Model;
use crate::model::origin::{Origin, TOKENIZER, TOKENS};
use crate::tokenizer::Beside;
use diapason_core::{Error, Result};
use diapason_disk::files;
use diapason_nn::SaveType;
use diapason_nn::quant;
use serde_json::{Map, Value};
use std::path::Path;

const CONFIG: &str = "config.json";
const DTYPES: [&str; 2] = ["dtype", "torch_dtype"];
const ROWS: &str = "vocab_size";
const TIED: &str = "tie_word_embeddings";

/// The keys of `config.json` that may differ from the base's: how weights are kept, and what an adapter or full training
/// can change of the shape.
const CHANGEABLE: [&str; 5] = [DTYPES[0], DTYPES[1], quant::CONFIG_KEY, ROWS, TIED];

impl Model {
    /// Writes a folder that this crate and transformers open: weights, configuration, tokenizer and chat templates.
    /// Adapters are left out; linear layers in 4 bits stay so.
    ///
    /// # Errors
    /// A file cannot be written, or what was written is not this model.
    pub fn save(&self, folder: &Path, dtype: SaveType) -> Result<()> {
        let parameters = self.llama().parameters();
        let entries = parameters.iter().flat_map(|(name, weight)| Entry::of(name, weight, dtype)).collect();
        formats::save_sharded(folder, entries, formats::SHARD)?;
        self.save_rest(folder, dtype, self.llama().quantised())
    }

    /// Everything but the weights; `double` says of weights in 4 bits whether their constants are quantised too.
    pub(crate) fn save_rest(&self, folder: &Path, dtype: SaveType, double: Option<bool>) -> Result<()> {
        files::write(&folder.join(CONFIG), pretty(&self.written_config(dtype, double).into()).as_bytes())?;
        files::write(&folder.join("tokenizer.json"), self.tokenizer_json())?;
        for name in Origin::names() {
            let path = folder.join(name);
            match self.written(name) {
                Some(bytes) => files::write(&path, &bytes)?,
                None => remove_old(&path)?,
            }
        }
        self.chat().templates.save(folder)?;
        self.check_written(folder)
    }

    /// A file beside the weights, if there is to be one.
    fn written(&self, name: &str) -> Option<Vec<u8>> {
        match self.origin() {
            Some(origin) if name == TOKENIZER && !self.describes(origin) => {
                Some(pretty(&self.described(origin).into()).into_bytes())
            }
            Some(origin) if name == TOKENS && origin.files.contains_key(name) => Some(self.tokens(origin)),
            Some(origin) => origin.files.get(name).cloned(),
            None if name == TOKENIZER => {
                let mut special = self.special_tokens();
                special.insert("tokenizer_class".to_owned(), "PreTrainedTokenizerFast".into());
                Some(pretty(&special.into()).into_bytes())
            }
            None => None,
        }
    }

    /// Whether the folder's own `tokenizer_config.json` still says how conversations are written.
    fn describes(&self, origin: &Origin) -> bool {
        let template = origin.json(TOKENIZER)["chat_template"].clone();
        let default = self.chat().templates.get(crate::templates::DEFAULT);
        (template.is_null() || template.as_str() == default) && self.renamed(origin).next().is_none()
    }

    /// The special tokens that have another text than in the folder that the model comes from.
    fn renamed(&self, origin: &Origin) -> impl Iterator<Item = (String, Value)> {
        let json = String::from_utf8_lossy(self.tokenizer_json());
        let old = Beside::of_files(|name| origin.json(name), &origin.config.clone().into(), &json).special_tokens();
        self.special_tokens().into_iter().filter(move |(name, token)| old.get(name) != Some(token))
    }

    /// The folder's `tokenizer_config.json` with the special tokens of today, and without templates: those are files of their
    /// own.
    fn described(&self, origin: &Origin) -> Map<String, Value> {
        let mut config = origin.json(TOKENIZER).as_object().cloned().unwrap_or_default();
        config.shift_remove("chat_template");
        config.extend(self.renamed(origin));
        config
    }

    /// The folder's `special_tokens_map.json`, which may count before the other file.
    fn tokens(&self, origin: &Origin) -> Vec<u8> {
        let mut renamed = self.renamed(origin).peekable();
        if renamed.peek().is_none() {
            return origin.files.get(TOKENS).cloned().unwrap_or_default();
        }
        let mut tokens = origin.json(TOKENS).as_object().cloned().unwrap_or_default();
        tokens.extend(renamed);
        pretty(&tokens.into()).into_bytes()
    }

    fn written_config(&self, dtype: SaveType, double: Option<bool>) -> Map<String, Value> {
        let mut config = match self.origin() {
            Some(origin) => origin.config.clone(),
            None => self.made_config(),
        };
        let spelled: Vec<&str> = DTYPES.into_iter().filter(|key| config.contains_key(*key)).collect();
        for key in if spelled.is_empty() { vec![DTYPES[1]] } else { spelled } {
            config.insert(key.to_owned(), dtype.name().into());
        }
        match double {
            None => drop(config.shift_remove(quant::CONFIG_KEY)),
            Some(double) => {
                let same = |known: &Value| known["bnb_4bit_use_double_quant"].as_bool().unwrap_or_default() == double;
                if !config.get(quant::CONFIG_KEY).is_some_and(same) {
                    config.insert(quant::CONFIG_KEY.to_owned(), quant::config(double, dtype));
                }
            }
        }
        let shape = self.llama().config();
        if config.get(ROWS).and_then(Value::as_u64) != Some(shape.vocab_size as u64) {
            config.insert(ROWS.to_owned(), shape.vocab_size.into());
        }
        let tied = Config::from_json(&config.clone().into()).map(|config| config.tied);
        if tied.ok() != Some(shape.tied) {
            config.insert(TIED.to_owned(), shape.tied.into());
        }
        config
    }

    /// The `config.json` of a model that comes from no folder.
    fn made_config(&self) -> Map<String, Value> {
        let mut config = self.llama().config().to_json().as_object().cloned().unwrap_or_default();
        let special = self.special_tokens();
        for (name, key) in [("bos_token", "bos_token_id"), ("pad_token", "pad_token_id")] {
            let id = special.get(name).and_then(Value::as_str).and_then(|token| self.own_tokenizer().id(token));
            config.insert(key.to_owned(), id.into());
        }
        let ends: Value = match self.own_stop_ids() {
            // transformers fails at an empty list.
            [] => Value::Null,
            [end] => (*end).into(),
            ends => ends.to_vec().into(),
        };
        config.insert("eos_token_id".to_owned(), ends);
        config
    }

    /// Reads back what was written.
    fn check_written(&self, folder: &Path) -> Result<()> {
        let path = folder.join(CONFIG);
        let fail = |source| Error::run(format!("failed to read {} again", path.display())).because(source);
        let written: Value = serde_json::from_str(&files::read_text(&path)?).map_err(fail)?;
        let wrong = |what: String| {
            Error::run(format!("{} does not describe the model that was written: {what}", path.display()))
                .hint("this is a fault of Diapason: please report it; the weights beside it are right")
        };
        if let (Some(origin), Some(written)) = (self.origin(), written.as_object())
            && let Some(key) = changed(&origin.config, written)
        {
            return Err(wrong(format!("`{key}` is not the base's")));
        }
        let shape = Config::from_json(&written)?;
        if shape != *self.llama().config() {
            return Err(wrong(format!("it says {shape:?}, but it is {:?}", self.llama().config())));
        }
        Ok(())
    }
}

/// The first key whose value differs although nothing that may change changes it.
fn changed<'a>(base: &'a Map<String, Value>, written: &'a Map<String, Value>) -> Option<&'a str> {
    let keys = base.keys().chain(written.keys());
    keys.map(String::as_str).filter(|key| !CHANGEABLE.contains(key)).find(|key| base.get(*key) != written.get(*key))
}

/// A file of an earlier model would be read as this one's.
fn remove_old(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    std::fs::remove_file(path)
        .map_err(|source| Error::run(format!("failed to remove {}", path.display())).because(source))
}

fn pretty(json: &Value) -> String {
    format!("{json:#}\n")
}

#[cfg(test)]
mod tests {
    use super::changed;
    use serde_json::{Map, Value, json};

    fn map(json: Value) -> Map<String, Value> {
        json.as_object().cloned().expect("an object")
    }

    #[test]
    fn only_what_may_change_does() {
        let base =
            map(json!({"sliding_window": null, "rope_theta": 1e4, "torch_dtype": "bfloat16", "use_cache": true}));
        let mut written = base.clone();
        written.insert("torch_dtype".into(), "float32".into());
        written.insert("tie_word_embeddings".into(), false.into());
        assert_eq!(changed(&base, &written), None);
        for (key, value) in [("sliding_window", json!(4096)), ("rope_theta", json!(1e5)), ("eos_token_id", json!([2]))]
        {
            let mut wrong = written.clone();
            wrong.insert(key.into(), value);
            assert_eq!(changed(&base, &wrong), Some(key));
        }
        written.shift_remove("use_cache");
        assert_eq!(changed(&base, &written), Some("use_cache"));
        let mut dropped = base.clone();
        dropped.shift_remove("sliding_window");
        assert_eq!(changed(&base, &dropped), Some("sliding_window"), "null is not nothing: the defaults differ");
    }
}
