//! What stands beside `tokenizer.json` and changes what it means: `tokenizer_config.json`, and in older folders
//! `special_tokens_map.json` and `added_tokens.json`, read as transformers 5.24 does.

use super::class::Class;
use crate::formats::json::optional;
use diapason_core::{Error, Result};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tokenizers::AddedToken;

/// The special tokens that have a name in every tokenizer, in transformers' order.
const NAMED: [&str; 7] = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/// The files beside a `tokenizer.json`.
#[derive(Debug, Clone)]
pub(crate) struct Beside {
    /// Fields of `tokenizer_config.json`, with those of `special_tokens_map.json` where it counts.
    fields: Map<String, Value>,
    /// `added_tokens.json`, where it counts.
    added: Map<String, Value>,
    class: Class,
}

impl Beside {
    /// Reads the files of a model's folder with this `config.json`.
    ///
    /// # Errors
    /// A file is damaged, or the tokenizer is read by something that is not known here.
    pub(crate) fn of_model(folder: &Path, config: &Value, json: &str) -> Result<Self> {
        let mut files = Self::of_folder(folder)?;
        let fail = |error: Error| error.context(format!("failed to read {}", folder.join(CONFIG).display()));
        files.class = Class::of(config, &files.fields, json).map_err(fail)?;
        files.refuse_cleaning(json).map_err(fail)?;
        Ok(files)
    }

    /// Reads the files of a folder that may hold no model, such as an adapter's.
    ///
    /// # Errors
    /// A file is damaged.
    pub(crate) fn of_folder(folder: &Path) -> Result<Self> {
        let [config, map, added] = FILES.map(|name| optional(folder, name));
        Ok(Self::of(config?, map?, added?))
    }

    /// The files of a model's folder that were read before, with its `config.json` and its `tokenizer.json`.
    pub(crate) fn of_files(file: impl Fn(&str) -> Value, config: &Value, json: &str) -> Self {
        let [own, map, added] = FILES.map(file);
        let files = Self::of(own, map, added);
        let class = Class::of(config, &files.fields, json).unwrap_or(Class::File);
        Self { class, ..files }
    }

    fn of(config: Value, map: Value, added: Value) -> Self {
        let object = |value: Value| if let Value::Object(members) = value { members } else { Map::new() };
        let fields = object(config);
        let added = if fields.contains_key(DECODER) { Map::new() } else { object(added) };
        Self { fields: merged(fields, object(map)), added, class: Class::File }
    }

    /// The special tokens that templates write by name: `bos_token`, `eos_token`, …
    pub(crate) fn special_tokens(&self) -> Map<String, Value> {
        let text = |value: &Value| value.as_str().or_else(|| value.get("content")?.as_str()).map(Value::from);
        let own = self.fields.iter().filter(|(name, _)| is_named(name));
        let own = own.filter_map(|(name, value)| Some((name.clone(), text(value)?)));
        let further = self.fields.get("extra_special_tokens").and_then(Value::as_object).into_iter().flatten();
        let own = own.chain(further.filter_map(|(name, value)| Some((name.clone(), text(value)?))));
        let absent = self.class.defaults().iter().filter(|(name, _)| !self.fields.contains_key(*name));
        own.chain(absent.map(|(name, token)| ((*name).to_owned(), Value::from(*token)))).collect()
    }

    /// The tokenizer that transformers makes of `json`, with the tokens that these files add to it. Those beyond
    /// `rows` on which nothing depends are left out: no text of such a model has them.
    ///
    /// # Errors
    /// The file is none, or its class cannot read it.
    pub(super) fn applied(&self, json: &[u8], rows: usize) -> Result<Option<tokenizers::Tokenizer>> {
        let value: Value = serde_json::from_slice(json).map_err(|source| Error::data(UNREADABLE).because(source))?;
        let own = own_tokens(&value);
        let rebuilt = self.class.rebuilt(value, &self.fields)?;
        let is_new = rebuilt.is_some();
        let bytes = rebuilt.map_or_else(|| json.to_vec(), |value| value.to_string().into_bytes());
        let mut tokenizer =
            tokenizers::Tokenizer::from_bytes(bytes).map_err(|source| Error::data(UNREADABLE).because(source))?;
        let split = self.fields.get("split_special_tokens").and_then(Value::as_bool) == Some(true);
        let tokens = self.tokens(&own, if is_new { BTreeMap::new() } else { own.clone() });
        if !is_new && !split && tokens.is_empty() {
            return Ok(None);
        }
        let fail = |source| Error::data(UNREADABLE).because(source);
        let is_new = |token: &AddedToken| tokenizer.token_to_id(&token.content).is_none();
        let new: BTreeSet<&str> =
            tokens.iter().filter(|token| is_new(token)).map(|token| token.content.as_str()).collect();
        let fit = top(&tokenizer) + new.len() <= rows;
        let kept = |token: &AddedToken| fit || !is_new(token) || !self.is_dispensable(&token.content);
        let kept: Vec<AddedToken> = tokens.iter().filter(|token| kept(token)).cloned().collect();
        tokenizer.add_tokens(kept).map_err(fail)?;
        tokenizer.set_encode_special_tokens(split);
        Ok(Some(tokenizer))
    }

    /// Whether nothing that is computed depends on this token: only the class has it, or it only fills up batches.
    fn is_dispensable(&self, token: &str) -> bool {
        let default = self.class.defaults().iter().any(|(name, one)| *one == token && !self.fields.contains_key(*name));
        let named = self.fields.iter().filter(|(name, _)| is_named(name));
        let mut named =
            named.filter(|(_, value)| self::token(value).is_some_and(|one| one.content == token)).peekable();
        let is_named = named.peek().is_some();
        named.all(|(name, _)| name == "pad_token") && (is_named || default)
    }

    /// The tokens to add to a tokenizer that has the added tokens `present`, by their ids.
    fn tokens(&self, own: &BTreeMap<u32, AddedToken>, present: BTreeMap<u32, AddedToken>) -> Vec<AddedToken> {
        let decoder = self.decoder(own);
        let mut tokens: Vec<AddedToken> =
            decoder.values().filter(|token| !present.values().any(|one| one == *token)).cloned().collect();
        let known = |tokens: &[AddedToken], content: &str| {
            tokens.iter().chain(present.values()).any(|token| token.content == content)
        };
        let mut named: Vec<String> = Vec::new();
        for (is_list, token) in self.special_fields() {
            // A token that is described elsewhere is what it is described as.
            let described = decoder.values().find(|one| one.content == token.content && !is_list);
            let token = described.cloned().unwrap_or(token);
            named.extend((!is_list).then(|| token.content.clone()));
            if !known(&tokens, &token.content) {
                tokens.push(token);
            }
        }
        for token in tokens.iter_mut().filter(|token| named.contains(&token.content)) {
            token.special = true;
        }
        if self.class == Class::Qwen2 {
            let specials: Vec<_> =
                self.special_fields().map(|(_, token)| AddedToken::from(token.content, true)).collect();
            tokens.extend(specials);
        }
        tokens
    }

    /// Added tokens by their ids: those of `added_tokens_decoder`, or of the older files and of `tokenizer.json`.
    fn decoder(&self, own: &BTreeMap<u32, AddedToken>) -> BTreeMap<u32, AddedToken> {
        if let Some(decoder) = self.fields.get(DECODER).and_then(Value::as_object) {
            let token = |(id, value): (&String, &Value)| Some((id.parse().ok()?, described(value)?));
            return decoder.iter().filter_map(token).collect();
        }
        let special = |name: &str| self.special_fields().any(|(_, token)| token.content == name);
        let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
        let older = self
            .added
            .iter()
            .filter_map(|(name, value)| Some((id(value)?, AddedToken::from(name.clone(), special(name)))));
        older.chain(own.iter().map(|(id, token)| (*id, token.clone()))).collect()
    }

    /// Special tokens with a name, and those of a list, in transformers' order; whether it is one of the list.
    fn special_fields(&self) -> impl Iterator<Item = (bool, AddedToken)> {
        let defaults = |name: &str| self.class.defaults().iter().find(|(one, _)| *one == name).map(|(_, token)| *token);
        let plain = NAMED.into_iter().filter_map(move |name| match self.fields.get(name) {
            Some(value) => token(value),
            None => defaults(name).map(|token| AddedToken::from(token, true)),
        });
        let others = self.fields.iter().filter(|(name, _)| is_named(name) && !NAMED.contains(&name.as_str()));
        let further = self.fields.get("extra_special_tokens").filter(|given| **given != Value::Array(Vec::new()));
        let further = further.or_else(|| self.fields.get("additional_special_tokens"));
        let absent =
            self.class.defaults().iter().filter(|(name, _)| !NAMED.contains(name) && !self.fields.contains_key(*name));
        let absent = absent.map(|(_, token)| AddedToken::from(*token, true));
        let (list, map) = (further.and_then(Value::as_array), further.and_then(Value::as_object));
        let named = others.map(|(_, value)| value).chain(map.into_iter().flat_map(Map::values)).filter_map(token);
        let listed = list.into_iter().flatten().filter_map(token);
        plain.chain(named).chain(absent).map(|token| (false, token)).chain(listed.map(|token| (true, token)))
    }

    /// Refuses decoding that changes what was decoded.
    fn refuse_cleaning(&self, json: &str) -> Result<()> {
        const EVEN: &str = "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output";
        let on = |name: &str| self.fields.get(name).and_then(Value::as_bool) == Some(true);
        let is_bpe = || serde_json::from_str::<Value>(json).is_ok_and(|json| json["model"]["type"] == "BPE");
        if on("clean_up_tokenization_spaces") && (on(EVEN) || !is_bpe()) {
            return Err(Error::data(
                "`clean_up_tokenization_spaces` changes the spaces of answers, which is not supported",
            )
            .hint("set it to false: what a model writes is then what is read"));
        }
        Ok(())
    }
}

const CONFIG: &str = "tokenizer_config.json";
/// The files that are read.
const FILES: [&str; 3] = [CONFIG, "special_tokens_map.json", "added_tokens.json"];
const DECODER: &str = "added_tokens_decoder";
const UNREADABLE: &str = "failed to read the tokenizer";

/// `tokenizer_config.json` with what `special_tokens_map.json` says, which counts only where the former does not describe the
/// added tokens itself, and then before it.
fn merged(mut fields: Map<String, Value>, map: Map<String, Value>) -> Map<String, Value> {
    if !fields.contains_key(DECODER) {
        fields.extend(map);
    }
    fields
}

/// Whether a field names a special token.
fn is_named(name: &str) -> bool {
    name.ends_with("_token") && !name.starts_with("add_")
}

fn token(value: &Value) -> Option<AddedToken> {
    match value {
        Value::String(text) => Some(AddedToken::from(text.clone(), true)),
        other => {
            let token = described(other)?;
            // Written by transformers of itself, it leaves out that the token is special, and normalised means it.
            let normalized = other.get("normalized").map_or(other.get("__type").is_some(), |_| token.normalized);
            Some(AddedToken { special: true, normalized, ..token })
        }
    }
}

/// A token with its properties.
fn described(value: &Value) -> Option<AddedToken> {
    let flag = |name: &str| value.get(name).and_then(Value::as_bool);
    let special = flag("special").unwrap_or(false);
    let mut token = AddedToken::from(value.get("content")?.as_str()?, special);
    token.normalized = flag("normalized").unwrap_or(!special);
    token.lstrip = flag("lstrip").unwrap_or(false);
    token.rstrip = flag("rstrip").unwrap_or(false);
    token.single_word = flag("single_word").unwrap_or(false);
    Some(token)
}

/// The added tokens of a `tokenizer.json`.
fn own_tokens(json: &Value) -> BTreeMap<u32, AddedToken> {
    let list = json["added_tokens"].as_array().into_iter().flatten();
    list.filter_map(|one| Some((u32::try_from(one["id"].as_u64()?).ok()?, described(one)?))).collect()
}

/// The largest id plus one.
fn top(tokenizer: &tokenizers::Tokenizer) -> usize {
    tokenizer.get_vocab(true).values().max().map_or(0, |last| *last as usize + 1)
}
