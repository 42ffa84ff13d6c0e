//! Batched generation with a KV cache.
//!
//! A prompt's completion depends on the batch it falls into by rounding only: greedy decoding has no state, and sampling
//! draws from a stream of the prompt's own. The same prompts in the same batches give the same bits.

use crate::sampler::Sampler;
use candle_core::{IndexOp, Tensor};
use diapason_core::language_model::{Completion, Decoding, Finish, Progress, Prompt};
use diapason_core::{Error, Result};
use diapason_models::Model;
use diapason_models::decoder::Cache;
use diapason_models::decoding::{Moment, Rules};
use diapason_models::linear::Mode;
use diapason_nn::layout::{Sequences, Span};

/// Continues each prompt; `watch` is given every completion as soon as it ends. Batches of `known` prompts are left out.
///
/// # Errors
/// A prompt is empty or leaves no room in the context, a number in `decoding` or a field of the model's
/// `generation_config.json` makes no sense or cannot be done, or `watch` errs.
pub(crate) fn complete(
    model: &Model,
    batch_size: usize,
    prompts: &[Prompt<'_>],
    decoding: &Decoding,
    known: &dyn Fn(usize) -> bool,
    watch: &mut dyn FnMut(Progress) -> Result<()>,
) -> Result<()> {
    check(decoding)?;
    let rules = model.rules()?;
    let mut rows = Vec::with_capacity(prompts.len());
    for (index, prompt) in prompts.iter().enumerate() {
        rows.push(Row::new(index, *prompt, model, decoding)?);
    }
    // Prompts of like length share a batch, so that little of it is padding; the longest go first and show at once
    // whether memory suffices.
    rows.sort_by_key(|row| std::cmp::Reverse(row.prompt));
    while !rows.is_empty() {
        let batch: Vec<Row> = rows.drain(..rows.len().min(batch_size)).collect();
        if !batch.iter().all(|row| known(row.index)) {
            run_batch(model, batch, decoding, &rules, watch)?;
            watch(Progress::Batch)?;
        }
    }
    Ok(())
}

/// A sequence that is being continued.
struct Row {
    index: usize,
    ids: Vec<u32>,
    /// Length of the prompt in tokens.
    prompt: usize,
    /// Most new tokens.
    room: usize,
    sampler: Sampler,
}

impl Row {
    fn new(index: usize, prompt: Prompt<'_>, model: &Model, decoding: &Decoding) -> Result<Self> {
        let ids = model.tokenizer().encode(prompt.text)?;
        let context = model.context_length();
        if ids.is_empty() {
            return Err(Error::data(format!("prompt {} is empty", index + 1)).hint("give at least one token"));
        }
        if ids.len() >= context {
            let tokens = ids.len();
            return Err(Error::data(format!(
                "prompt {} has {tokens} tokens, which leaves no room in the context of {context}",
                index + 1
            ))
            .hint("shorten the prompt or use a model with a longer context"));
        }
        let room = decoding.max_tokens.min(context - ids.len());
        Ok(Self { index, prompt: ids.len(), room, ids, sampler: Sampler::new(decoding, prompt.stream) })
    }

    /// Takes a token; gives the completion if that ends it.
    fn push(&mut self, id: u32, model: &Model, decoding: &Decoding) -> Result<Option<Completion>> {
        if model.stop_ids().contains(&id) {
            return self.completion(model, Finish::Stop).map(Some);
        }
        self.ids.push(id);
        let text = if decoding.stop.is_empty() { None } else { Some(self.text(model)?) };
        if let Some(text) = text.and_then(|text| before_stop(&text, &decoding.stop)) {
            return Ok(Some(Completion { text, tokens: self.ids.len() - self.prompt, finish: Finish::Stop }));
        }
        if self.ids.len() - self.prompt >= self.room {
            self.completion(model, Finish::Length).map(Some)
        } else {
            Ok(None)
        }
    }

    fn completion(&self, model: &Model, finish: Finish) -> Result<Completion> {
        Ok(Completion { text: self.text(model)?, tokens: self.ids.len() - self.prompt, finish })
    }

    fn moment<'a>(&'a self, model: &'a Model, decoding: &Decoding) -> Moment<'a> {
        Moment {
            ids: &self.ids,
            prompt: self.prompt,
            max_tokens: decoding.max_tokens,
            ends: model.stop_ids(),
            draws: decoding.temperature > 0.0,
        }
    }

    fn text(&self, model: &Model) -> Result<String> {
        model.tokenizer().decode(&self.ids[self.prompt..])
    }
}

/// The text before the first stop string in it, if there is one.
fn before_stop(text: &str, stop: &[String]) -> Option<String> {
    let at = stop.iter().filter(|stop| !stop.is_empty()).filter_map(|stop| text.find(stop.as_str())).min()?;
    Some(text[..at].to_owned())
}

fn run_batch(
    model: &Model,
    mut rows: Vec<Row>,
    decoding: &Decoding,
    rules: &Rules,
    watch: &mut dyn FnMut(Progress) -> Result<()>,
) -> Result<()> {
    let fail = |source: candle_core::Error| Error::run("failed to generate").because(source);
    for row in rows.extract_if(.., |row| row.room == 0) {
        watch(Progress::Finished(row.index, row.completion(model, Finish::Length)?))?;
    }
    let capacity = rows.iter().map(|row| row.prompt + row.room).max().unwrap_or(0);
    room(model, rows.len(), capacity)?;
    let mut cache = model.llama().cache(rows.len(), capacity).map_err(fail)?;
    let mut seen = 0;
    while !rows.is_empty() {
        let mut logits = step(model, &rows, seen, &mut cache).map_err(fail)?;
        if logits.iter().flatten().any(|logit| logit.is_nan()) {
            return Err(not_numbers());
        }
        let mut ended = Vec::with_capacity(rows.len());
        for (row, logits) in rows.iter_mut().zip(&mut logits) {
            rules.apply(logits, &row.moment(model, decoding))?;
            let id = row.sampler.pick(logits);
            let completion = row.push(id, model, decoding)?;
            ended.push(completion.is_some());
            if let Some(completion) = completion {
                watch(Progress::Finished(row.index, completion))?;
            }
        }
        seen = 1;
        drop_rows(&mut rows, &ended, &mut cache).map_err(fail)?;
    }
    Ok(())
}

/// Refuses a batch whose keys and values do not fit into memory: an allocation that fails would end the program.
fn room(model: &Model, rows: usize, capacity: usize) -> Result<()> {
    let config = model.llama().config();
    let sizes = [rows, capacity, config.kv_heads, config.head_dim, config.layers, 2 * size_of::<f32>()];
    let bytes = sizes.into_iter().try_fold(1_usize, usize::checked_mul);
    let fits = |bytes: usize| available().is_none_or(|there_is| bytes as u64 <= there_is);
    if model.device().is_cuda() || bytes.is_some_and(fits) {
        return Ok(());
    }
    Err(Error::run(format!("{rows} rows of up to {capacity} tokens do not fit into memory"))
        .hint("lower `generate.batch_size`, or the upper limit of new tokens (`max_tokens`)"))
}

/// Memory that the machine has to give, in bytes; `None` where the system does not say.
fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// A model whose numbers are spoilt would still answer something.
pub(crate) fn not_numbers() -> Error {
    Error::data("the model's logits are not numbers (NaN)")
        .hint("its weights or its adapter are damaged or have diverged; fetch or train them again")
}

/// The logits of each row's next token. The whole prompts go in on the first call (`seen` 0), one token a row later.
fn step(model: &Model, rows: &[Row], seen: usize, cache: &mut Cache) -> candle_core::Result<Vec<Vec<f32>>> {
    let new = |row: &Row| if seen == 0 { row.ids.len() } else { 1 };
    let width = rows.iter().map(new).max().unwrap_or(0);
    let padded = |row: &Row| {
        let ids = &row.ids[row.ids.len() - new(row)..];
        ids.iter().copied().chain(std::iter::repeat_n(0, width - ids.len())).collect::<Vec<_>>()
    };
    let ids: Vec<u32> = rows.iter().flat_map(padded).collect();
    let ids = Tensor::from_vec(ids, (rows.len(), width), model.device())?;
    let span = |row: &Row| Span { offset: row.ids.len() - new(row), keys: row.ids.len() };
    let spans: Vec<Span> = rows.iter().map(span).collect();
    let hidden = model.llama().forward_hidden(&ids, &Sequences::Padded(spans), Some(cache), &Mode::Inference)?;
    let last = rows.iter().enumerate().map(|(i, row)| hidden.i((i, new(row) - 1)));
    let last = if width == 1 { hidden.squeeze(1)? } else { Tensor::stack(&last.collect::<Result<Vec<_>, _>>()?, 0)? };
    model.llama().logits(&last, &Mode::Inference)?.to_vec2()
}

/// Takes the rows that ended out of the batch and out of the cache.
fn drop_rows(rows: &mut Vec<Row>, ended: &[bool], cache: &mut Cache) -> candle_core::Result<()> {
    if !ended.contains(&true) {
        return Ok(());
    }
    let keep: Vec<u32> = (0..).zip(ended).filter(|(_, ended)| !**ended).map(|(i, _)| i).collect();
    let mut flags = ended.iter();
    rows.retain(|_| flags.next().is_some_and(|ended| !ended));
    if keep.is_empty() { Ok(()) } else { cache.keep(&keep) }
}

fn check(decoding: &Decoding) -> Result<()> {
    if !(decoding.temperature >= 0.0 && decoding.temperature.is_finite()) {
        return Err(Error::config(format!("temperature is {}, expected 0 or more", decoding.temperature))
            .hint("0 decodes greedily; 0.7 to 1 is usual"));
    }
    if !(decoding.top_p > 0.0 && decoding.top_p <= 1.0) {
        return Err(Error::config(format!("top_p is {}, expected a number above 0 and up to 1", decoding.top_p))
            .hint("1 keeps all tokens"));
    }
    Ok(())
}
