//! How likely a continuation is after its prompt.

use candle_core::Tensor;
use diapason_core::language_model::Likelihood;
use diapason_core::{Error, Result};
use diapason_models::Model;
use diapason_models::decoder::argmax;
use diapason_models::linear::Mode;
use diapason_nn::layout::{Sequences, Span};

/// Hands `watch` the index and the likelihood of each (prompt, continuation). Batches of `known` pairs are left out.
///
/// # Errors
/// A pair is empty on either side or longer than the context, or `watch` errs.
pub(crate) fn likelihoods(
    model: &Model,
    batch_size: usize,
    pairs: &[(String, String)],
    known: &dyn Fn(usize) -> bool,
    watch: &mut dyn FnMut(usize, Likelihood) -> Result<()>,
) -> Result<()> {
    let mut rows = Vec::with_capacity(pairs.len());
    for (index, pair) in pairs.iter().enumerate() {
        rows.push(Row::new(index, pair, model)?);
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.ids.len()));
    for batch in rows.chunks(batch_size).filter(|batch| !batch.iter().all(|row| known(row.index))) {
        let scores = score(model, batch).map_err(|source| Error::run("failed to score").because(source))?;
        // What is computed is handed over, even if `watch` has had enough.
        let mut told = Ok(());
        for (row, (logprob, greedy)) in batch.iter().zip(scores) {
            if logprob.is_nan() {
                return Err(crate::generate::not_numbers());
            }
            let tokens = row.ids.len() - row.prompt;
            let likelihood = Likelihood { logprob, tokens, bytes: pairs[row.index].1.len(), greedy };
            told = told.and(watch(row.index, likelihood));
        }
        told?;
    }
    Ok(())
}

struct Row {
    index: usize,
    ids: Vec<u32>,
    /// How many of the ids belong to the prompt.
    prompt: usize,
}

impl Row {
    /// The continuation's tokens are those after the prompt's in the encoding of both together, as in
    /// lm-evaluation-harness 0.4.13 (`_encode_pair`): white space at the prompt's end goes to the continuation, and a
    /// merge across the boundary counts for the prompt. An empty prompt is the beginning-of-text token, or the
    /// end-of-text token where there is none.
    fn new(index: usize, pair: &(String, String), model: &Model) -> Result<Self> {
        let (tokenizer, context) = (model.tokenizer(), model.context_length());
        let (whole, kept) = (format!("{}{}", pair.0, pair.1), pair.0.trim_end_matches(is_python_space));
        let mut ids = tokenizer.encode(&whole)?;
        let mut prompt = tokenizer.encode(kept)?.len();
        if let Some(first) = begin(model).filter(|_| pair.0.is_empty()) {
            prompt = 1;
            if ids.first() != Some(&first) {
                ids.insert(0, first);
            }
        }
        let fail = |what: String| Err(Error::data(format!("pair {} {what}", index + 1)));
        if prompt == 0 {
            return fail("has nothing but white space for a prompt".to_owned())
                .map_err(|error| error.hint("white space counts for the continuation: give the prompt a word"));
        }
        if prompt >= ids.len() {
            return fail("has an empty continuation".to_owned());
        }
        if ids.len() > context {
            let error = fail(format!("has {} tokens, more than the context of {context}", ids.len()));
            return error.map_err(|error| error.hint("shorten the prompt or use a model with a longer context"));
        }
        Ok(Self { index, ids, prompt })
    }
}

/// What Python's `str.rstrip` takes off: Unicode's white space and four separators of ASCII.
fn is_python_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

/// The token that stands for an empty prompt.
fn begin(model: &Model) -> Option<u32> {
    let special = model.special_tokens();
    let token = ["bos_token", "eos_token"].into_iter().find_map(|name| special.get(name)?.as_str().map(str::to_owned));
    model.token_id(&token?)
}

/// For each row the log-probability of its continuation and whether each of its tokens was the likeliest.
fn score(model: &Model, rows: &[Row]) -> candle_core::Result<Vec<(f64, bool)>> {
    // The last token predicts nothing that is asked for.
    let width = rows.iter().map(|row| row.ids.len() - 1).max().unwrap_or(0);
    let padded = |row: &Row| {
        let ids = &row.ids[..row.ids.len() - 1];
        ids.iter().copied().chain(std::iter::repeat_n(0, width - ids.len())).collect::<Vec<_>>()
    };
    let ids: Vec<u32> = rows.iter().flat_map(padded).collect();
    let ids = Tensor::from_vec(ids, (rows.len(), width), model.device())?;
    let spans: Vec<Span> = rows.iter().map(|row| Span { offset: 0, keys: row.ids.len() - 1 }).collect();
    let hidden = model.llama().forward_hidden(&ids, &Sequences::Padded(spans), None, &Mode::Inference)?;
    let mut scores = Vec::with_capacity(rows.len());
    for (i, row) in rows.iter().enumerate() {
        let (from, tokens) = (row.prompt - 1, &row.ids[row.prompt..]);
        let logits = model.llama().logits(&hidden.get(i)?.narrow(0, from, tokens.len())?, &Mode::Inference)?;
        let logits = logits.to_vec2::<f32>()?;
        let logprob = logits.iter().zip(tokens).map(|(logits, token)| log_softmax(logits, *token as usize)).sum();
        let greedy = logits.iter().zip(tokens).all(|(logits, token)| argmax(logits) == *token as usize);
        scores.push((logprob, greedy));
    }
    Ok(scores)
}

fn log_softmax(logits: &[f32], token: usize) -> f64 {
    let top = f64::from(logits[argmax(logits)]);
    let sum: f64 = logits.iter().map(|logit| (f64::from(*logit) - top).exp()).sum();
    f64::from(logits[token]) - top - sum.ln()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::path::Path;

    /// A row of `tests/oracles/likelihood_pairs.py`: the tokenizer's folder, context, continuation, the tokens of each.
    type Golden = (String, String, String, Vec<u32>, Vec<u32>);

    #[test]
    fn pairs_are_split_as_in_lm_evaluation_harness() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let text = std::fs::read_to_string(root.join("host/models/tests/golden/likelihood_pairs.json")).unwrap();
        let rows: Vec<Golden> = serde_json::from_str(&text).unwrap();
        assert_eq!(rows.len(), 185);
        for group in rows.chunk_by(|a, b| a.0 == b.0) {
            let model = Model::outline(&root.join(&group[0].0)).unwrap();
            for (_, context, continuation, head, tail) in group {
                let row = Row::new(0, &(context.clone(), continuation.clone()), &model).unwrap();
                assert_eq!(
                    (&row.ids[..row.prompt], &row.ids[row.prompt..]),
                    (&head[..], &tail[..]),
                    "{context:?} {continuation:?}"
                );
            }
        }
    }

    #[test]
    fn a_prompt_of_white_space_is_refused() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/golden/llama-tied");
        let model = Model::outline(&root).unwrap();
        let error = Row::new(0, &(" \n".into(), "a".into()), &model).err().unwrap();
        assert!(error.to_string().contains("nothing but white space"), "{error}");
        assert!(Row::new(0, &("a".into(), String::new()), &model).is_err());
    }
}
