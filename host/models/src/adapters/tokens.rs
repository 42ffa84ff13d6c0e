//! The tokenizer that an adapter's folder may hold, as trainers write it: a token that the base's has not would be cut into
//! pieces that the adapter never saw.

use crate::chat::Chat;
use crate::formats::json::optional;
use crate::tokenizer::Tokenizer;
use diapason_core::language_model::Tokenizer as _;
use diapason_core::{Error, Result};
use diapason_disk::files;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// At most so many tokens are named: an error has to fit on a screen.
const LISTED: usize = 5;

/// Refuses an adapter in the folder `dir` whose tokenizer has tokens that `base` has not, or has under another id.
///
/// # Errors
/// There is such a token, or a file is damaged.
pub(super) fn check(base: &Tokenizer, dir: &Path) -> Result<()> {
    let (vocabulary, mut added) = tokens(dir)?;
    let known = |token: &str, id: u32| base.id(token) == Some(id);
    let mut other: BTreeMap<u32, &str> = BTreeMap::new();
    other.extend(vocabulary.iter().filter(|(token, id)| !known(token, **id)).map(|(token, id)| (*id, token.as_str())));
    // A token that is added is found in texts before they are cut; one that only stands in the vocabulary is not.
    added.retain(|token, id| !known(token, *id) || base.encode(token).ok().as_deref() != Some(&[*id]));
    other.extend(added.iter().map(|(token, id)| (*id, token.as_str())));
    let padding = inert(dir)?;
    other.retain(|_, token| Some(*token) != padding.as_deref());
    if other.is_empty() {
        return Ok(());
    }
    let shown: Vec<String> = other.iter().take(LISTED).map(|(id, token)| format!("`{token}` ({id})")).collect();
    let more = other.len().saturating_sub(shown.len());
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let noun = if other.len() == 1 { "a token" } else { "tokens" };
    Err(Error::data(format!("its tokenizer has {noun} that the base's has not: {}{more}", shown.join(", "))).hint(
        "use it on a base that has them: in transformers, `resize_token_embeddings` the base to the adapter's tokenizer and \
         save both into one folder; an adapter that never saw them works without the tokenizer's files in its folder",
    ))
}

type Ids = BTreeMap<String, u32>;

/// The vocabulary of the tokenizer in the folder, and what was added to it; both are empty where there is none.
fn tokens(dir: &Path) -> Result<(Ids, Ids)> {
    let path = dir.join("tokenizer.json");
    let (mut vocabulary, mut added) = (Ids::new(), Ids::new());
    if path.symlink_metadata().is_ok() {
        let text = files::read_text(&path)?;
        let fail = |error: Error| error.context(format!("failed to read {}", path.display()));
        let tokenizer = Tokenizer::from_json(text.into_bytes()).map_err(fail)?;
        (vocabulary, added) = (tokenizer.vocabulary(), tokenizer.added());
    }
    let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
    let older = optional(dir, "added_tokens.json")?;
    added
        .extend(older.as_object().into_iter().flatten().filter_map(|(token, value)| Some((token.clone(), id(value)?))));
    let config = optional(dir, "tokenizer_config.json")?;
    let decoder = config["added_tokens_decoder"].as_object().into_iter().flatten();
    added.extend(decoder.filter_map(|(id, token)| Some((token["content"].as_str()?.to_owned(), id.parse().ok()?))));
    Ok((vocabulary, added))
}

/// The token that fills up batches: nothing that is computed depends on it, unless a template writes it.
fn inert(dir: &Path) -> Result<Option<String>> {
    let chat = Chat::of_folder(dir)?;
    let padding = chat.special_tokens.get("pad_token").and_then(Value::as_str);
    let written = |token: &str| chat.templates.texts().any(|text| text.contains(token) || text.contains("pad_token"));
    let other = |token: &str| chat.special_tokens.iter().any(|(name, one)| name != "pad_token" && one == token);
    Ok(padding.filter(|token| !written(token) && !other(token)).map(str::to_owned))
}
