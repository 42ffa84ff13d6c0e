//! A `tokenizer.json` as a GGUF file's metadata.

use super::pre;
use crate::model::Model;
use candle_core::quantized::gguf_file::Value as Metadata;
use diapason_core::{Error, Result};
use serde_json::Value;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;

/// Kinds of tokens, as llama.cpp numbers them (`llama_token_type`).
const NORMAL: i32 = 1;
const CONTROL: i32 = 3;
const USER_DEFINED: i32 = 4;
const UNUSED: i32 = 5;

/// A tokenizer in a GGUF file.
pub(crate) struct Written {
    /// Tokens, their kinds, merges, special tokens and chat templates.
    pub(crate) metadata: Vec<(String, Metadata)>,
    /// Whether it composes characters first, which llama.cpp does not.
    pub(crate) composes: bool,
}

/// The tokenizer and the chat templates of a model.
///
/// # Errors
/// The tokenizer is no byte-level BPE, or cuts words in a way that llama.cpp has no name for.
pub(crate) fn metadata(model: &Model) -> Result<Written> {
    let json: Value = serde_json::from_slice(model.tokenizer_json())
        .map_err(|source| Error::data("failed to read the tokenizer").because(source))?;
    refuse_unlike(&json)?;
    let pre = pre::name(&json)?;
    let (tokens, kinds) = tokens(&json, model.llama().config().vocab_size);
    let text = |text: &str| Metadata::String(text.to_owned());
    let mut metadata = vec![
        ("tokenizer.ggml.model", text("gpt2")),
        ("tokenizer.ggml.pre", text(pre.name)),
        ("tokenizer.ggml.token_type", Metadata::Array(kinds.into_iter().map(Metadata::I32).collect())),
    ];
    let merges = merges(&json);
    if !merges.is_empty() {
        metadata.push(("tokenizer.ggml.merges", Metadata::Array(merges.into_iter().map(Metadata::String).collect())));
    }
    let id = |token: &str| tokens.iter().position(|known| known == token).map(|id| id as u32);
    let special = model.special_tokens();
    for (name, key) in [
        ("bos_token", "tokenizer.ggml.bos_token_id"),
        ("eos_token", "tokenizer.ggml.eos_token_id"),
        ("unk_token", "tokenizer.ggml.unknown_token_id"),
        ("pad_token", "tokenizer.ggml.padding_token_id"),
    ] {
        let found = special.get(name).and_then(Value::as_str).and_then(id);
        // A model that names no end-of-text token stops at others.
        let found = found.or_else(|| model.end_of_text().filter(|_| name == "eos_token"));
        metadata.extend(found.map(|id| (key, Metadata::U32(id))));
    }
    // Chat templates write the token where it belongs.
    metadata.push(("tokenizer.ggml.add_bos_token", Metadata::Bool(false)));
    metadata.push(("tokenizer.ggml.tokens", Metadata::Array(tokens.into_iter().map(Metadata::String).collect())));
    let metadata = metadata.into_iter().map(|(name, value)| (name.to_owned(), value));
    let metadata = metadata.chain(model.chat_templates().metadata()?).collect();
    Ok(Written { metadata, composes: pre.composed })
}

/// Refuses what llama.cpp would read otherwise, whatever the words are.
fn refuse_unlike(json: &Value) -> Result<()> {
    let refuse = |what: String| {
        Err(Error::data(format!("the tokenizer {what}, which llama.cpp does otherwise"))
            .hint("`diapason merge` writes a folder instead, for llama.cpp's own converter"))
    };
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
    // Bytes without a token are left out there and here, but for `unk_token`. In UTF-8 some never occur: "À" and "Á" stand
    // for C0 and C1, and all from F5 on are written as themselves.
    let occurs = |letter: char| !('\u{c0}'..='\u{c1}').contains(&letter) && !('\u{f5}'..='\u{ff}').contains(&letter);
    let missing = |letter: &char| occurs(*letter) && model["vocab"].get(letter.to_string()).is_none();
    if let (false, Some(letter)) =
        (model["unk_token"].is_null(), ByteLevel::alphabet().into_iter().filter(missing).min())
    {
        return refuse(format!("has `unk_token` {} for the byte that is written as `{letter}`", model["unk_token"]));
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

/// Every row of the embedding with its kind; rows without a token are padding.
fn tokens(json: &Value, rows: usize) -> (Vec<String>, Vec<i32>) {
    let mut tokens: Vec<String> = (0..rows).map(|id| format!("[PAD{id}]")).collect();
    let mut kinds = vec![UNUSED; rows];
    let mut set = |id: Option<u64>, token: &str, kind: i32| {
        if let Some(id) = id.map(|id| id as usize).filter(|id| *id < rows) {
            token.clone_into(&mut tokens[id]);
            kinds[id] = kind;
        }
    };
    for (token, id) in json["model"]["vocab"].as_object().into_iter().flatten() {
        set(id.as_u64(), token, NORMAL);
    }
    for added in json["added_tokens"].as_array().into_iter().flatten() {
        let kind = if added["special"] == true { CONTROL } else { USER_DEFINED };
        set(added["id"].as_u64(), added["content"].as_str().unwrap_or_default(), kind);
    }
    (tokens, kinds)
}

/// Merges as `left right`, whether the file keeps them as texts or as pairs.
fn merges(json: &Value) -> Vec<String> {
    let merge = |value: &Value| match value {
        Value::Array(pair) => Some(format!("{} {}", pair.first()?.as_str()?, pair.get(1)?.as_str()?)),
        other => other.as_str().map(str::to_owned),
    };
    json["model"]["merges"].as_array().into_iter().flatten().filter_map(merge).collect()
}
