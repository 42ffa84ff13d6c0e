//! The tokenizer in a GGUF file's metadata, rewritten as a `tokenizer.json`.

use super::gguf_special::{CONTROL, NORMAL, Special, UNKNOWN, UNUSED, USER_DEFINED, special};
use super::{Tokenizer, pre};
use crate::formats::Gguf;
use candle_core::quantized::gguf_file::Value as Metadata;
use diapason_core::{Error, Result};
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};

/// Bytes of a SentencePiece token at most.
const LONGEST_PIECE: usize = 4096;

/// The tokenizer of a GGUF file, and the tokens that end a generation, as llama.cpp reads both.
///
/// # Errors
/// It is missing, or of a kind that is not supported.
pub(crate) fn from_gguf(gguf: &Gguf) -> Result<(Tokenizer, Vec<u32>)> {
    let kind = tokenizer_kind(gguf)?;
    refuse_unsupported(gguf)?;
    let tokens = tokens(gguf)?;
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let special = specials(gguf, &tokens)?;
    let mut json = match kind {
        Kind::ByteLevel => byte_level(gguf, &tokens, &special.kinds)?,
        Kind::SentencePiece => sentence_piece(gguf, &tokens)?,
    };
    json["version"] = "1.0".into();
    json["added_tokens"] = added_tokens(&tokens, &special.kinds);
    let tokenizer = Tokenizer::from_json(json.to_string().into_bytes())?;
    Ok((tokenizer, special.ends.into_iter().collect()))
}

/// The kinds of tokenizers that are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    ByteLevel,
    SentencePiece,
}

fn tokenizer_kind(gguf: &Gguf) -> Result<Kind> {
    match gguf.text("tokenizer.ggml.model")? {
        "gpt2" => Ok(Kind::ByteLevel),
        "llama" => Ok(Kind::SentencePiece),
        kind => Err(Error::data(format!("the tokenizer of kind `{kind}` in the GGUF file is not supported"))
            .hint("supported: gpt2 (byte-level BPE), llama (SentencePiece)")),
    }
}

/// The text of the token that a key names, or that llama.cpp takes where the key is absent; `None` if it takes none.
///
/// # Errors
/// The tokenizer is missing or damaged.
pub(crate) fn special_token(gguf: &Gguf, name: &str) -> Result<Option<String>> {
    let tokens = tokens(gguf)?;
    let Some(id) = key(gguf, tokenizer_kind(gguf)?, tokens.len(), name)? else { return Ok(None) };
    Ok(tokens.into_iter().nth(id as usize))
}

/// The token that a key names. One that is out of range is passed over, as llama.cpp does.
fn key(gguf: &Gguf, kind: Kind, count: usize, name: &str) -> Result<Option<u32>> {
    let default = match (name, kind) {
        ("bos", _) if matches!(pre_name(gguf)?, "glm4" | "glm5" | "chatglm-bpe") => None,
        ("bos" | "eos", Kind::ByteLevel) => Some(11),
        ("bos", Kind::SentencePiece) => Some(1),
        ("eos", Kind::SentencePiece) => Some(2),
        ("unknown", Kind::SentencePiece) => Some(0),
        _ => None,
    };
    let older = [("fim_pre", "prefix"), ("fim_suf", "suffix"), ("fim_mid", "middle")];
    let older = older.into_iter().filter(|(new, _)| *new == name).map(|(_, old)| old);
    let mut found = default.filter(|id| (*id as usize) < count);
    for name in std::iter::once(name).chain(older) {
        let key = format!("tokenizer.ggml.{name}_token_id");
        let named = gguf.integer(&key);
        if named.is_none() && gguf.value(&key).is_some() {
            return Err(Error::data(format!("`{key}` in the GGUF file is no token id")).hint(DAMAGED));
        }
        found = named.and_then(|id| u32::try_from(id).ok()).filter(|id| (*id as usize) < count).or(found);
    }
    Ok(found)
}

const DAMAGED: &str = "the file is damaged, or was made for another reader; fetch it again";

fn pre_name(gguf: &Gguf) -> Result<&str> {
    match gguf.value("tokenizer.ggml.pre") {
        None => Ok("default"),
        Some(_) => gguf.text("tokenizer.ggml.pre").map(|name| if name.is_empty() { "default" } else { name }),
    }
}

/// Refuses what llama.cpp applies to answers and this does not.
fn refuse_unsupported(gguf: &Gguf) -> Result<()> {
    let refuse = |key: &str, why: &str| {
        Err(Error::data(format!("`{key}` in the GGUF file is not supported: {why}"))
            .hint("make the file without it (gguf-new-metadata of llama.cpp), or open the safetensors folder"))
    };
    if matches!(gguf.value("tokenizer.ggml.suppress_tokens"), Some(Metadata::Array(list)) if !list.is_empty()) {
        return refuse("tokenizer.ggml.suppress_tokens", "llama.cpp never answers with these tokens");
    }
    Ok(())
}

/// The tokens; one without a text has the name that llama.cpp gives it.
fn tokens(gguf: &Gguf) -> Result<Vec<String>> {
    let texts = gguf.texts("tokenizer.ggml.tokens")?.into_iter().enumerate();
    Ok(texts.map(|(id, text)| if text.is_empty() { format!("[EMPTY_{id}]") } else { text.to_owned() }).collect())
}

/// What llama.cpp makes of the tokens.
fn specials(gguf: &Gguf, tokens: &[&str]) -> Result<Special> {
    let mut seen = HashMap::new();
    for (id, token) in tokens.iter().enumerate() {
        if let Some(first) = seen.insert(*token, id) {
            return Err(
                Error::data(format!("the tokens {first} and {id} in the GGUF file are both {token:?}")).hint(DAMAGED)
            );
        }
    }
    let (kind, mut keys) = (tokenizer_kind(gguf)?, HashMap::new());
    for name in ["eos", "eot", "eom", "fim_pre", "fim_suf", "fim_mid", "fim_pad", "fim_rep", "fim_sep"] {
        keys.extend(key(gguf, kind, tokens.len(), name)?.map(|id| (name, id)));
    }
    special(tokens, kinds(gguf, tokens.len())?, &|name| keys.get(name).copied())
}

/// Byte-level BPE with merges.
fn byte_level(gguf: &Gguf, tokens: &[&str], kinds: &[i32]) -> Result<Value> {
    let pre = pre::definition(pre_name(gguf)?)?;
    let merges = own_merges(gguf, tokens, kinds)?;
    let model = json!({
        "type": "BPE",
        "vocab": written(tokens, kinds, &merges),
        "merges": merges,
        "ignore_merges": pre.ignore_merges,
        "fuse_unk": false,
        "byte_fallback": false,
    });
    let decoder = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
    Ok(json!({"normalizer": null, "pre_tokenizer": pre.pre_tokenizer, "model": model, "decoder": decoder}))
}

/// The vocabulary without unused tokens, which llama.cpp writes as nothing, where no merge needs them.
fn written(tokens: &[&str], kinds: &[i32], merges: &[&str]) -> Map<String, Value> {
    let parts = merges.iter().filter_map(|merge| merge.split_once(' '));
    let needed: HashSet<String> =
        parts.flat_map(|(left, right)| [left.to_owned(), right.to_owned(), format!("{left}{right}")]).collect();
    let used = |(id, token): &(usize, &&str)| kinds[*id] != UNUSED || needed.contains(**token);
    tokens.iter().enumerate().filter(used).map(|(id, token)| ((*token).to_owned(), id.into())).collect()
}

/// The merges of the file. llama.cpp's writer leaves out an empty list; that is right only where no token needs one.
fn own_merges<'a>(gguf: &'a Gguf, tokens: &[&str], kinds: &[i32]) -> Result<Vec<&'a str>> {
    let key = "tokenizer.ggml.merges";
    let needed = || tokens.iter().zip(kinds).any(|(token, kind)| *kind == NORMAL && token.chars().nth(1).is_some());
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
    if scores.len() == tokens {
        Ok(scores)
    } else {
        Err(Error::data(format!("the GGUF file has {} scores for {tokens} tokens", scores.len())))
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

/// The kinds that the file gives its tokens.
fn kinds(gguf: &Gguf, count: usize) -> Result<Vec<i32>> {
    let key = "tokenizer.ggml.token_type";
    let wrong = || Error::data(format!("the GGUF file has no list `{key}` of {count} integers")).hint(DAMAGED);
    let kind = |value: &Metadata| match value {
        Metadata::I32(kind) => Some(*kind),
        other => other.to_u64().ok().and_then(|kind| i32::try_from(kind).ok()),
    };
    match gguf.value(key) {
        None => Ok(vec![NORMAL; count]),
        Some(Metadata::Array(kinds)) if kinds.len() == count => {
            kinds.iter().map(kind).collect::<Option<_>>().ok_or_else(wrong)
        }
        Some(_) => Err(wrong()),
    }
}

/// Control tokens are special, and so is the unknown one; tokens that the maker of the model added are matched whole but are
/// text.
fn added_tokens(tokens: &[&str], kinds: &[i32]) -> Value {
    let entry = |(id, (token, kind)): (usize, (&&str, &i32))| {
        let special = [CONTROL, UNKNOWN].contains(kind);
        (special || *kind == USER_DEFINED).then(|| {
            json!({"id": id, "content": token, "special": special, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false})
        })
    };
    tokens.iter().zip(kinds).enumerate().filter_map(entry).collect()
}
