//! How likely a continuation is after its prompt.

use crate::kernels::{Sequences, Span};
use crate::linear::Mode;
use crate::model::Model;
use crate::sampling::argmax;
use candle_core::Tensor;
use diapason_core::language_model::{Likelihood, Tokenizer};
use diapason_core::{Error, Result};

/// Hands `watch` the index and the likelihood of each (prompt, continuation). Batches of `known` pairs are left out.
///
/// # Errors
/// A pair is empty on either side or longer than the context, or `watch` errs.
pub(crate) fn likelihoods(
    model: &mut Model,
    pairs: &[(String, String)],
    known: &dyn Fn(usize) -> bool,
    watch: &mut dyn FnMut(usize, Likelihood) -> Result<()>,
) -> Result<()> {
    let tokenizer = model.tokenizer();
    let mut rows = Vec::with_capacity(pairs.len());
    for (index, pair) in pairs.iter().enumerate() {
        rows.push(Row::new(index, pair, &*tokenizer, model.context_length())?);
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.ids.len()));
    for batch in rows.chunks(model.batch_size()).filter(|batch| !batch.iter().all(|row| known(row.index))) {
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
    /// lm-evaluation-harness (`_encode_pair`): spaces at the prompt's end go to the continuation, and a merge across the
    /// boundary counts for the prompt.
    fn new(index: usize, pair: &(String, String), tokenizer: &dyn Tokenizer, context: usize) -> Result<Self> {
        let (whole, kept) = (format!("{}{}", pair.0, pair.1), pair.0.trim_end_matches(' '));
        let (ids, prompt) = (tokenizer.encode(&whole)?, tokenizer.encode(kept)?.len());
        let fail = |what: String| Err(Error::data(format!("pair {} {what}", index + 1)));
        if prompt == 0 {
            return fail("has an empty prompt".to_owned());
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
