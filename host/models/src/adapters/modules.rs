//! Embeddings and output heads that an adapter brings: in full, or single rows of them.

use super::config::AdapterConfig;
use super::{CONFIG, MODULES, method};
use crate::Model;
use crate::decoder::Llama;
use crate::families::Config;
use candle_core::Tensor;
use diapason_core::{Error, Result};

/// What PEFT puts behind a module's name for single rows of it (`trainable_token_indices`).
pub(super) const ROWS: &str = ".token_adapter.trainable_tokens_delta";

/// Refuses an embedding of another size than the base's.
pub(super) fn check_shape(key: &str, found: &[usize], expected: [usize; 2]) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    let resized = found.len() == 2 && found[1] == expected[1];
    let hint = if resized {
        format!(
            "the embedding was resized for the adapter: write a base of {} tokens with transformers \
             (`resize_token_embeddings`, then `save_pretrained` of model and tokenizer) and open that",
            found[0]
        )
    } else {
        "the adapter belongs to another model".to_owned()
    };
    Err(Error::data(format!("`{key}` has shape {found:?}, expected {expected:?}")).hint(hint))
}

/// The modules that `modules_to_save` names, as PEFT finds them: those whose name ends so.
///
/// # Errors
/// It names a module that is not replaced here, or none; or weights that are tied.
pub(super) fn saved(llama: &Llama, config: &AdapterConfig) -> Result<Vec<&'static str>> {
    let mut found = Vec::new();
    for target in config.modules_to_save() {
        let named: Vec<&str> = MODULES.into_iter().filter(|name| name.ends_with(target.as_str())).collect();
        let others = names(llama).into_iter().find(|name| !MODULES.contains(&name.as_str()) && name.ends_with(target));
        if named.is_empty() || others.is_some() {
            let what = others.unwrap_or_else(|| "no module of the model".to_owned());
            return Err(Error::data(format!("`modules_to_save` in {CONFIG} names `{target}`, which is {what}"))
                .hint(format!("only {} are replaced in full; {}", MODULES.join(" and "), method::MERGE)));
        }
        found.extend(named);
    }
    match found.first().filter(|_| llama.config().tied) {
        Some(name) => Err(tied(name)),
        None => Ok(found),
    }
}

/// Why an adapter's module cannot take the place of tied weights.
pub fn tied(name: &str) -> Error {
    Error::data(format!("`{name}` cannot be trained separately: embedding and output head share their weights"))
        .hint("leave it out of `modules_to_save`, or train with method `full`")
}

/// Every module with a name, embeddings and blocks included.
fn names(llama: &Llama) -> Vec<String> {
    let mut names: Vec<String> = llama.parameters().into_iter().map(|(name, _)| name).collect();
    names.iter_mut().for_each(|name| name.truncate(name.rfind('.').unwrap_or(name.len())));
    let parents = names.clone();
    for name in parents {
        let mut parent = name.as_str();
        while let Some(end) = parent.rfind('.') {
            parent = &parent[..end];
            names.push(parent.to_owned());
        }
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// Which rows of `module` the adapter brings.
///
/// # Errors
/// The configuration does not name the module, or names rows that it does not have.
pub(super) fn rows(key: &str, module: &str, config: &AdapterConfig, model: &Config) -> Result<Vec<u32>> {
    let named = config.token_rows().iter().find(|(name, _)| module.ends_with(name.as_str()));
    let Some((_, rows)) = named.filter(|_| MODULES.contains(&module)) else {
        return Err(Error::data(format!(
            "`{key}` is of a module that `trainable_token_indices` in {CONFIG} leaves out"
        ))
        .hint("weights and configuration belong to different adapters"));
    };
    let mut sorted = rows.clone();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.last().is_none_or(|last| (*last as usize) < model.vocab_size) && sorted.len() == rows.len() {
        Ok(rows.clone())
    } else {
        Err(Error::data(format!("`trainable_token_indices` in {CONFIG} names tokens twice or beyond the vocabulary"))
            .hint("the adapter belongs to another model, or its base was resized: open the base it was trained on"))
    }
}

/// Refuses a file without the rows that the configuration names. `found` lists the modules that it has rows of.
pub(super) fn check_rows<'a>(config: &AdapterConfig, found: impl Iterator<Item = &'a str>) -> Result<()> {
    let found: Vec<&str> = found.collect();
    match config.token_rows().iter().find(|(name, _)| !found.iter().any(|module| module.ends_with(name.as_str()))) {
        Some((name, _)) => Err(Error::data(format!(
            "`trainable_token_indices` in {CONFIG} names `{name}`, of which the file has no rows"
        ))
        .hint("the file is incomplete; save the adapter again with PEFT")),
        None => Ok(()),
    }
}

/// What takes the place of the base's embedding and output head.
///
/// # Errors
/// The weights are tied and the adapter's are not.
pub(super) fn replacements(
    model: &Model,
    mut modules: Vec<(String, Tensor)>,
    rows: Vec<(String, Vec<u32>, Tensor)>,
) -> Result<Vec<(String, Tensor)>> {
    let fail = |source| Error::run("failed to put an adapter's rows into an embedding").because(source);
    let llama = model.llama();
    if llama.config().tied {
        modules = shared(modules)?;
    }
    for (name, numbers, tensor) in rows {
        if name == "lm_head" && llama.config().tied {
            return Err(tied(&name));
        }
        let brought = modules.iter().position(|(module, _)| *module == name).map(|at| modules.remove(at).1);
        let Some(whole) = brought.or_else(|| llama.modules().find(|(own, _)| *own == name).map(|(_, own)| own.clone()))
        else {
            return Err(Error::data(format!("the model has no `{name}`")));
        };
        modules.push((name, with_rows(&whole, &numbers, &tensor).map_err(fail)?));
    }
    Ok(modules)
}

/// Of tied weights there is one tensor: the embedding's, which a head in the file must equal.
fn shared(modules: Vec<(String, Tensor)>) -> Result<Vec<(String, Tensor)>> {
    let [embedding, head] = ["model.embed_tokens", "lm_head"]
        .map(|name| modules.iter().find(|(own, _)| own == name).map(|(_, tensor)| tensor.clone()));
    let values = |tensor: &Tensor| tensor.flatten_all().and_then(|flat| flat.to_vec1::<f32>());
    match (embedding, head) {
        (None, None) => Ok(Vec::new()),
        (Some(embedding), None) => Ok(vec![("model.embed_tokens".into(), embedding)]),
        (Some(embedding), Some(head)) if values(&embedding).ok() == values(&head).ok() => {
            Ok(vec![("model.embed_tokens".into(), embedding)])
        }
        _ => Err(tied("lm_head")),
    }
}

fn with_rows(whole: &Tensor, numbers: &[u32], rows: &Tensor) -> candle_core::Result<Tensor> {
    let mut values = whole.to_vec2::<f32>()?;
    for (number, row) in numbers.iter().zip(rows.to_vec2::<f32>()?) {
        values[*number as usize] = row;
    }
    Tensor::new(values, whole.device())
}
