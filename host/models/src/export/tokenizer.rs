//! A `tokenizer.json` as a GGUF file's metadata.

use super::keys::Keys;
use super::vocabulary::{Vocabulary, refused};
use crate::model::Model;
use crate::tokenizer::{Tokenizer, pre};
use candle_core::quantized::gguf_file::Value as Metadata;
use diapason_core::{Error, Result};
use serde_json::Value;
use std::collections::HashSet;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;

/// A tokenizer in a GGUF file.
pub(crate) struct Written {
    /// Tokens, their kinds, merges, special tokens and chat templates.
    pub(crate) metadata: Vec<(String, Metadata)>,
    pub(crate) differences: Differences,
}

/// What llama.cpp does otherwise, whatever the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// Whether the tokenizer composes characters first (NFC), which llama.cpp does not.
    pub composes: bool,
    /// Tokens that end a generation there and not in the model: it goes by their texts.
    pub ends: Vec<String>,
    /// Added tokens that are text in the model, and that it hides.
    pub hidden: Vec<String>,
    /// Special tokens that it shows.
    pub shown: Vec<String>,
    /// Bytes that the tokenizer has no token for. Both leave them out, but only `tokenizers` merges what is around them.
    pub without_token: usize,
    /// Tokens that transformers puts around a plain text, and that it does not. Chat templates write their own.
    pub around: Vec<String>,
}

/// The tokenizer and the chat templates of a model.
///
/// # Errors
/// The tokenizer is no byte-level BPE, or does something in a way that llama.cpp has no name for.
pub(crate) fn metadata(model: &Model) -> Result<Written> {
    let tokenizer = model.own_tokenizer();
    let json: Value = serde_json::from_slice(tokenizer.whole_json())
        .map_err(|source| Error::data("failed to read the tokenizer").because(source))?;
    refuse_unlike(&json)?;
    let pre = pre::name(&json)?;
    let merges = merges(&json)?;
    let vocabulary = Vocabulary::of(tokenizer, model.llama().config().vocab_size)?;
    vocabulary.refuse_overlaps(tokenizer)?;
    let keys = Keys::of(model, &vocabulary)?;
    let text = |text: &str| Metadata::String(text.to_owned());
    let mut metadata = vec![
        ("tokenizer.ggml.model".to_owned(), text("gpt2")),
        ("tokenizer.ggml.pre".to_owned(), text(pre.name)),
        // Chat templates write the token where it belongs.
        ("tokenizer.ggml.add_bos_token".to_owned(), Metadata::Bool(false)),
    ];
    let named = keys.ids.iter().map(|(name, id)| (format!("tokenizer.ggml.{name}_token_id"), Metadata::U32(*id)));
    metadata.extend(named);
    let differences = Differences {
        composes: pre.composed,
        ends: keys.ends,
        hidden: keys.hidden,
        shown: keys.shown,
        without_token: without_token(&json).count(),
        around: around(tokenizer)?,
    };
    let Vocabulary { tokens, kinds } = vocabulary;
    let lists = [
        ("tokenizer.ggml.token_type", kinds.into_iter().map(Metadata::I32).collect()),
        ("tokenizer.ggml.merges", merges.into_iter().map(Metadata::String).collect()),
        ("tokenizer.ggml.tokens", tokens.into_iter().map(Metadata::String).collect()),
    ];
    metadata.extend(lists.map(|(name, list)| (name.to_owned(), Metadata::Array(list))));
    metadata.extend(model.chat_templates().metadata()?);
    Ok(Written { metadata, differences })
}

/// Refuses what llama.cpp would read otherwise, whatever the words are.
fn refuse_unlike(json: &Value) -> Result<()> {
    let refuse = |what: String| Err(refused(what));
    let model = &json["model"];
    if model["type"] != "BPE" || !json["pre_tokenizer"].to_string().contains("ByteLevel") {
        return refuse("is no byte-level BPE".into());
    }
    for key in ["dropout", "continuing_subword_prefix", "end_of_word_suffix"] {
        if !(model[key].is_null() || model[key] == "" || model[key] == 0.0) {
            return refuse(format!("has `{key}` {}", model[key]));
        }
    }
    if model["byte_fallback"] == true {
        return refuse("falls back to bytes".into());
    }
    if let (false, Some(letter)) = (model["unk_token"].is_null(), without_token(json).min()) {
        return refuse(format!("has `unk_token` {} for the byte that is written as `{letter}`", model["unk_token"]));
    }
    if !decodes_bytes(&json["decoder"]) {
        return refuse(format!("has the decoder {}", pre::shortened(&json["decoder"])));
    }
    for added in json["added_tokens"].as_array().into_iter().flatten() {
        for key in ["lstrip", "rstrip", "single_word"] {
            if added[key] == true {
                return refuse(format!("has `{key}` for the added token {}", added["content"]));
            }
        }
    }
    Ok(())
}

/// Whether a decoder makes letters the bytes that they stand for, and nothing else.
fn decodes_bytes(decoder: &Value) -> bool {
    match decoder["type"].as_str() {
        Some("ByteLevel") => true,
        Some("Sequence") => match decoder["decoders"].as_array().map(Vec::as_slice) {
            // What is one text already is fused to itself.
            Some([first, rest @ ..]) => decodes_bytes(first) && rest.iter().all(|one| one["type"] == "Fuse"),
            _ => false,
        },
        _ => false,
    }
}

/// The letters of the bytes that occur in UTF-8 and have no token. Some never occur: "\u{c0}" and "\u{c1}" stand for themselves,
/// and so do all from F5 on.
fn without_token(json: &Value) -> impl Iterator<Item = char> {
    let occurs = |letter: &char| !('\u{c0}'..='\u{c1}').contains(letter) && !('\u{f5}'..='\u{ff}').contains(letter);
    let has = |letter: &char| json["model"]["vocab"].get(letter.to_string()).is_some();
    ByteLevel::alphabet().into_iter().filter(occurs).filter(move |letter| !has(letter))
}

/// The tokens that transformers puts around a plain text.
fn around(tokenizer: &Tokenizer) -> Result<Vec<String>> {
    let encoding = tokenizer.inner.encode_fast("", true);
    let encoding = encoding.map_err(|source| Error::run("failed to tokenise a text").because(source))?;
    Ok(encoding.get_ids().iter().map(|id| tokenizer.shown(*id)).collect())
}

/// Merges as `left right`, whether the file keeps them as texts or as pairs. Of those that stand twice `tokenizers` takes the
/// last, llama.cpp the first.
///
/// # Errors
/// There are none.
fn merges(json: &Value) -> Result<Vec<String>> {
    let merge = |value: &Value| match value {
        Value::Array(pair) => Some(format!("{} {}", pair.first()?.as_str()?, pair.get(1)?.as_str()?)),
        other => other.as_str().map(str::to_owned),
    };
    let mut seen = HashSet::new();
    let merges = json["model"]["merges"].as_array().into_iter().flatten().rev().filter_map(merge);
    let mut merges: Vec<String> = merges.filter(|merge| seen.insert(merge.clone())).collect();
    merges.reverse();
    if merges.is_empty() {
        Err(Error::data("the tokenizer has no merges, and llama.cpp opens no BPE without them")
            .hint("`diapason merge` writes a folder instead"))
    } else {
        Ok(merges)
    }
}
