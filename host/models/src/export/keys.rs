//! The keys of a GGUF file that name special tokens, chosen so that llama.cpp ends a generation where the model ends it.

use crate::export::vocabulary::{Vocabulary, refused};
use crate::model::Model;
use crate::tokenizer::gguf_special::{CONTROL, INFILL, NORMAL, Special, USER_DEFINED, special};
use diapason_core::{Error, Result};
use serde_json::Value;
use std::collections::BTreeSet;

/// Names of keys (`tokenizer.ggml.NAME_token_id`) with their ids, and what llama.cpp makes of them.
pub(super) struct Keys {
    pub(super) ids: Vec<(&'static str, u32)>,
    /// Tokens that end a generation there and not in the model.
    pub(super) ends: Vec<String>,
    /// Tokens that are text in the model, and that it hides.
    pub(super) hidden: Vec<String>,
    /// Special tokens that it shows.
    pub(super) shown: Vec<String>,
}

impl Keys {
    /// Returns the keys for a model whose file has this vocabulary.
    ///
    /// # Errors
    /// The model ends where llama.cpp cannot be made to, it ends nowhere, or a template writes a token by a name that has
    /// another meaning there.
    pub(super) fn of(model: &Model, vocabulary: &Vocabulary) -> Result<Self> {
        let (tokens, ids) = (vocabulary.texts(), vocabulary.ids());
        let mut keys: Vec<(&'static str, u32)> = Vec::new();
        // Named, they are no more than named; found by their texts, they become control tokens.
        keys.extend(INFILL.iter().filter_map(|infill| Some((infill.key, *infill.candidates(&ids).first()?))));
        let read = |keys: &[(&str, u32)]| {
            let key = |name: &str| keys.iter().find(|(known, _)| *known == name).map(|(_, id)| *id);
            special(&tokens, vocabulary.kinds.clone(), &key)
        };
        let by_text = read(&keys)?.ends;
        keys.extend(ends(model, &tokens, &by_text)?);
        let found = read(&keys)?;
        // Beyond the embedding's rows there is no token to end at.
        let stops: BTreeSet<u32> = stops(model, tokens.len()).collect();
        if let Some(id) = stops.difference(&found.ends).next() {
            return Err(refused(format!("ends a text at {:?} beside its other ends", tokens[*id as usize])));
        }
        let id = |name: &str| ids.get(model.chat().special_tokens.get(name)?.as_str()?).copied();
        for (key, name) in [("bos", "bos_token"), ("unknown", "unk_token"), ("padding", "pad_token")] {
            keys.extend(id(name).map(|id| (key, id)));
        }
        refuse_names(model, &keys, &id)?;
        let ends = found.ends.difference(&stops).map(|id| tokens[*id as usize].to_owned()).collect();
        let [hidden, shown] = changed(&tokens, &vocabulary.kinds, &found)?;
        Ok(Self { ids: keys, ends, hidden, shown })
    }
}

fn stops(model: &Model, rows: usize) -> impl Iterator<Item = u32> {
    model.own_stop_ids().iter().copied().filter(move |id| (*id as usize) < rows)
}

/// The keys of the ends: of those that llama.cpp does not find by their texts, there is room for one in each key. `eos` is
/// also what templates write as `eos_token`.
fn ends(model: &Model, tokens: &[&str], by_text: &BTreeSet<u32>) -> Result<Vec<(&'static str, u32)>> {
    let stops: Vec<u32> = stops(model, tokens.len()).collect();
    let Some(first) = stops.first() else {
        return Err(Error::data("the model names no token that ends a text; llama.cpp would end at the token 11")
            .hint(
                "add `eos_token_id` to the model's generation_config.json, or to its config.json where there is none",
            ));
    };
    let own = model.chat().special_tokens.get("eos_token").and_then(Value::as_str);
    let own = own.and_then(|own| tokens.iter().position(|token| *token == own)).map(|id| id as u32);
    let eos = own.filter(|id| stops.contains(id) || by_text.contains(id)).unwrap_or(*first);
    let rest: Vec<u32> = stops.iter().copied().filter(|id| *id != eos && !by_text.contains(id)).collect();
    if rest.len() > 2 {
        let rest: Vec<String> = rest.iter().map(|id| format!("{:?}", tokens[*id as usize])).collect();
        return Err(Error::data(format!(
            "the model ends a text at {} and at {}, more tokens than a GGUF file can name",
            tokens[eos as usize],
            rest.join(", ")
        ))
        .hint("leave those that are not needed out of `eos_token_id` in the model's generation_config.json"));
    }
    Ok(std::iter::once(eos).chain(rest).zip(["eos", "eot", "eom"]).map(|(id, key)| (key, id)).collect())
}

/// Refuses templates that write a special token by a name under which llama.cpp gives them another one, or none.
fn refuse_names(model: &Model, keys: &[(&str, u32)], id: &dyn Fn(&str) -> Option<u32>) -> Result<()> {
    let key = |name: &str| keys.iter().find(|(known, _)| *known == name).map(|(_, id)| *id);
    let same = |name: &str| match name {
        "bos_token" => id(name).is_some(),
        "eos_token" => id(name).is_some() && id(name) == key("eos"),
        _ => false,
    };
    let others = model.chat().special_tokens.keys().map(String::as_str);
    let names = ["bos_token", "eos_token"].into_iter().chain(others).filter(|name| !same(name));
    for name in names {
        if model.chat_templates().texts().any(|text| mentions(text, name)) {
            return Err(Error::data(format!("a chat template of the model writes `{name}`, which llama.cpp does otherwise"))
                .because("it knows `bos_token` and `eos_token` alone, and takes `eos_token` for an end of the text")
                .hint("write the token itself into the template; or name `eos_token` in generation_config.json's `eos_token_id`"));
        }
    }
    Ok(())
}

/// Whether a template has this name as a word.
fn mentions(template: &str, name: &str) -> bool {
    let word = |letter: char| letter.is_alphanumeric() || letter == '_';
    template
        .match_indices(name)
        .any(|(at, _)| !template[..at].ends_with(word) && !template[at + name.len()..].starts_with(word))
}

/// Tokens that llama.cpp hides, and those that it shows, by their texts.
fn changed(tokens: &[&str], kinds: &[i32], found: &Special) -> Result<[Vec<String>; 2]> {
    let (mut hidden, mut shown) = (Vec::new(), Vec::new());
    for ((token, given), kind) in tokens.iter().zip(kinds).zip(&found.kinds) {
        match (*given, *kind) {
            (given, kind) if given == kind => {}
            (USER_DEFINED, CONTROL) => hidden.push((*token).to_owned()),
            (CONTROL, USER_DEFINED) => shown.push((*token).to_owned()),
            (NORMAL, _) => return Err(refused(format!("has {token:?} as an ordinary token, not as an added one"))),
            _ => return Err(refused(format!("has {token:?} as a special token"))),
        }
    }
    Ok([hidden, shown])
}
