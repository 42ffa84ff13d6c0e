//! The tokenizer in a GGUF file's metadata, rewritten as a `tokenizer.json`.

use super::{Tokenizer, pre};
use crate::weights::Gguf;
use candle_core::quantized::gguf_file::Value as Metadata;
use diapason_core::{Error, Result};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Kinds of tokens, as llama.cpp numbers them (`llama_token_type`).
const NORMAL: u64 = 1;
const CONTROL: u64 = 3;
const USER_DEFINED: u64 = 4;

/// Bytes of a SentencePiece token at most.
const LONGEST_PIECE: usize = 4096;

/// The tokenizer of a GGUF file.
///
/// # Errors
/// It is missing, or of a kind that is not supported.
pub(crate) fn from_gguf(gguf: &Gguf) -> Result<Tokenizer> {
    let tokens = gguf.texts("tokenizer.ggml.tokens")?;
    let mut json = match gguf.text("tokenizer.ggml.model")? {
        "gpt2" => byte_level(gguf, &tokens)?,
        "llama" => sentence_piece(gguf, &tokens)?,
        kind => {
            return Err(Error::data(format!("the tokenizer of kind `{kind}` in the GGUF file is not supported"))
                .hint("supported: gpt2 (byte-level BPE), llama (SentencePiece)"));
        }
    };
    json["version"] = "1.0".into();
    json["added_tokens"] = added_tokens(gguf, &tokens);
    Tokenizer::from_json(json.to_string().into_bytes())
}

/// Byte-level BPE with merges.
fn byte_level(gguf: &Gguf, tokens: &[&str]) -> Result<Value> {
    let pre = pre::definition(gguf.text("tokenizer.ggml.pre").unwrap_or("default"))?;
    let model = json!({
        "type": "BPE",
        "vocab": vocabulary(tokens),
        "merges": own_merges(gguf, tokens)?,
        "ignore_merges": pre.ignore_merges,
        "fuse_unk": false,
        "byte_fallback": false,
    });
    let decoder = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
    Ok(json!({"normalizer": pre.normalizer, "pre_tokenizer": pre.pre_tokenizer, "model": model, "decoder": decoder}))
}

/// The merges of the file. llama.cpp's writer leaves out an empty list; that is right only where no token needs one.
fn own_merges<'a>(gguf: &'a Gguf, tokens: &[&str]) -> Result<Vec<&'a str>> {
    let key = "tokenizer.ggml.merges";
    let ordinary = |id: usize| kinds(gguf).get(id).is_none_or(|value| kind(value) == NORMAL);
    let needed = || tokens.iter().enumerate().any(|(id, token)| ordinary(id) && token.chars().nth(1).is_some());
    if gguf.value(key).is_none() && !needed() { Ok(Vec::new()) } else { gguf.texts(key) }
}

/// SentencePiece's BPE: the scores give the order of the merges, and what is not in the vocabulary falls back to bytes.
fn sentence_piece(gguf: &Gguf, tokens: &[&str]) -> Result<Value> {
    // Every way to cut a token in two is looked at.
    if let Some((id, token)) = tokens.iter().enumerate().find(|(_, token)| token.len() > LONGEST_PIECE) {
        return Err(Error::data(format!("token {id} in the GGUF file has {} bytes", token.len()))
            .hint(format!("pieces of SentencePiece have at most {LONGEST_PIECE}; the file is damaged")));
    }
    let scores = scores(gguf, tokens.len())?;
    let prefix = !matches!(gguf.value("tokenizer.ggml.add_space_prefix"), Some(Metadata::Bool(false)));
    let spaces = json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"});
    let mut normalizers = vec![spaces];
    let mut decoders = vec![
        json!({"type": "Replace", "pattern": {"String": "▁"}, "content": " "}),
        json!({"type": "ByteFallback"}),
        json!({"type": "Fuse"}),
    ];
    if prefix {
        normalizers.insert(0, json!({"type": "Prepend", "prepend": "▁"}));
        decoders.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
    }
    let unknown = gguf.integer("tokenizer.ggml.unknown_token_id").and_then(|id| tokens.get(id as usize));
    let model = json!({
        "type": "BPE",
        "vocab": vocabulary(tokens),
        "merges": merges(tokens, &scores),
        "unk_token": unknown,
        "fuse_unk": true,
        "byte_fallback": true,
        "ignore_merges": false,
    });
    Ok(json!({
        "normalizer": {"type": "Sequence", "normalizers": normalizers},
        "pre_tokenizer": null,
        "model": model,
        "decoder": {"type": "Sequence", "decoders": decoders},
    }))
}

fn scores(gguf: &Gguf, tokens: usize) -> Result<Vec<f32>> {
    let Some(Metadata::Array(values)) = gguf.value("tokenizer.ggml.scores") else {
        return Err(Error::data("the GGUF file has no `tokenizer.ggml.scores`"));
    };
    let scores: Vec<f32> = values.iter().filter_map(|value| value.to_f32().ok()).collect();
    match scores.len() == tokens {
        true => Ok(scores),
        false => Err(Error::data(format!("the GGUF file has {} scores for {tokens} tokens", scores.len()))),
    }
}

/// Every way to join two tokens into a third, best score first; ties in the order of the token, then of its parts.
fn merges(tokens: &[&str], scores: &[f32]) -> Vec<[String; 2]> {
    let ids: HashMap<&str, usize> = tokens.iter().enumerate().map(|(id, token)| (*token, id)).collect();
    let mut found = Vec::new();
    for (id, token) in tokens.iter().enumerate() {
        for (at, _) in token.char_indices().skip(1) {
            let (left, right) = token.split_at(at);
            if let (Some(left), Some(right)) = (ids.get(left), ids.get(right)) {
                found.push((id, *left, *right));
            }
        }
    }
    found.sort_by(|a, b| scores[b.0].total_cmp(&scores[a.0]).then_with(|| a.cmp(b)));
    found.into_iter().map(|(_, left, right)| [tokens[left].to_owned(), tokens[right].to_owned()]).collect()
}

fn vocabulary(tokens: &[&str]) -> Map<String, Value> {
    tokens.iter().enumerate().map(|(id, token)| ((*token).to_owned(), id.into())).collect()
}

fn kinds(gguf: &Gguf) -> &[Metadata] {
    match gguf.value("tokenizer.ggml.token_type") {
        Some(Metadata::Array(kinds)) => kinds,
        _ => &[],
    }
}

fn kind(value: &Metadata) -> u64 {
    if let Metadata::I32(kind) = value { *kind as u64 } else { value.to_u64().unwrap_or(NORMAL) }
}

/// Control tokens are special; tokens that the maker of the model added are matched whole but are text.
fn added_tokens(gguf: &Gguf, tokens: &[&str]) -> Value {
    let entry = |(id, (token, value)): (usize, (&&str, &Metadata))| {
        let kind = kind(value);
        (kind == CONTROL || kind == USER_DEFINED).then(|| {
            json!({"id": id, "content": token, "special": kind == CONTROL, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false})
        })
    };
    tokens.iter().zip(kinds(gguf)).enumerate().filter_map(entry).collect()
}
