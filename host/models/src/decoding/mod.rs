//! What a model's `generation_config.json` does to its logits before a token is chosen, as transformers 5.24 does it
//! (`generation/logits_process.py`). Each row is decoded as transformers decodes it alone, without padding. Likelihoods are
//! not touched by any of it.

mod known;
mod read;
mod said;

use crate::families::Config;
use crate::formats::Gguf;
use diapason_core::{Error, Result};
use diapason_disk::files;
pub(crate) use said::Said;
use std::collections::BTreeMap;
use std::path::Path;

/// Changes to the logits of the next token, in the order in which they are made.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Rules {
    /// Added to the last token of a sequence where the others stand before it.
    biases: Vec<(Vec<u32>, f32)>,
    /// Divides positive logits of the prompt's tokens and multiplies negative ones, by its reciprocal.
    prompt_penalty: Option<f64>,
    /// Divides positive logits of all tokens so far and multiplies negative ones.
    penalty: Option<f64>,
    /// No sequence of so many tokens comes twice; 0 is off.
    ngram: usize,
    /// No sequence of so many tokens of the prompt comes again; 0 is off.
    prompt_ngram: usize,
    /// Sequences that must not come.
    bad_words: Vec<Vec<u32>>,
    /// No end before so many tokens, the prompt's included.
    min_length: usize,
    /// No end before so many new tokens.
    min_new_tokens: usize,
    /// The token after a prompt of one token.
    first: Option<u32>,
    /// The tokens of which one comes last, where the limit of new tokens is reached.
    last: Vec<u32>,
    /// Infinite logits become the largest and smallest numbers.
    finite: bool,
    /// After so many new tokens the ends' logits grow by the powers of a factor.
    decay: Option<(i64, f64)>,
    /// Tokens that never come.
    suppressed: Vec<u32>,
    /// Tokens that do not come first.
    begin_suppressed: Vec<u32>,
}

/// Where a completion is when its next token is chosen.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// All tokens so far.
    pub ids: &'a [u32],
    /// How many of them are the prompt's.
    pub prompt: usize,
    /// Most new tokens.
    pub max_tokens: usize,
    /// The tokens that end the completion.
    pub ends: &'a [u32],
    /// Whether the token is drawn: greedy decoding takes an infinite logit, as transformers does, no draw can.
    pub draws: bool,
}

const NEVER: f32 = f32::NEG_INFINITY;

impl Rules {
    /// Changes the logits `[vocabulary]` of the next token.
    ///
    /// # Errors
    /// No token is left, or a logit is no number.
    pub fn apply(&self, logits: &mut [f32], at: &Moment<'_>) -> Result<()> {
        if *self == Self::default() {
            return Ok(());
        }
        self.bias(logits, at);
        if let Some(penalty) = self.prompt_penalty {
            penalise(logits, &at.ids[..at.prompt], (1.0 / penalty) as f32);
        }
        if let Some(penalty) = self.penalty {
            penalise(logits, at.ids, penalty as f32);
        }
        forbid(logits, continued(at.ids, at.ids, self.ngram));
        forbid(logits, continued(&at.ids[..at.prompt], at.ids, self.prompt_ngram));
        self.forbid_words(logits, at);
        self.force(logits, at);
        if self.finite {
            logits.iter_mut().for_each(|logit| *logit = finite(*logit));
        }
        self.favour_ends(logits, at);
        self.suppress(logits, at);
        if logits.iter().any(|logit| logit.is_nan() || at.draws && *logit == f32::INFINITY) {
            return Err(Error::data("generation_config.json makes logits that are no numbers")
                .hint("a penalty, bias or factor in it is so large or so small that the arithmetic overflows"));
        }
        if logits.iter().all(|logit| *logit == NEVER) {
            return Err(Error::data("generation_config.json leaves no token to choose from")
                .hint("its lists of suppressed tokens, bad words or repeated sequences forbid all of them"));
        }
        Ok(())
    }

    /// Sequences of one token first, then the longer ones by their lengths, in the order in which the lengths are named.
    fn bias(&self, logits: &mut [f32], at: &Moment<'_>) {
        let mut lengths = vec![1];
        for length in self.biases.iter().map(|(ids, _)| ids.len()).filter(|length| *length > 0) {
            if !lengths.contains(&length) {
                lengths.push(length);
            }
        }
        let mut sums: BTreeMap<u32, f32> = BTreeMap::new();
        for length in lengths {
            let of_length = self.biases.iter().filter(|(ids, _)| ids.len() == length && ready(ids, at.ids));
            for (id, bias) in of_length.filter_map(|(ids, bias)| Some((ids.last()?, bias))) {
                *sums.entry(*id).or_default() += bias;
            }
        }
        for (id, sum) in sums {
            logits[id as usize] += sum;
        }
    }

    /// An end is no bad word where it stands alone.
    fn forbid_words(&self, logits: &mut [f32], at: &Moment<'_>) {
        let end = |ids: &[u32]| matches!(ids, [id] if at.ends.contains(id));
        let words = self.bad_words.iter().filter(|ids| !end(ids) && ready(ids, at.ids));
        forbid(logits, words.filter_map(|ids| ids.last().copied()));
    }

    /// Forbids ends that come too early, and all but what is forced.
    fn force(&self, logits: &mut [f32], at: &Moment<'_>) {
        if at.ids.len() < self.min_length || at.ids.len() - at.prompt < self.min_new_tokens {
            forbid(logits, at.ends.iter().copied());
        }
        if let Some(first) = self.first.filter(|_| at.ids.len() == 1) {
            only(logits, &[first]);
        }
        if !self.last.is_empty() && at.ids.len() + 1 == at.prompt + at.max_tokens {
            only(logits, &self.last);
        }
    }

    fn favour_ends(&self, logits: &mut [f32], at: &Moment<'_>) {
        let Some((start, factor)) = self.decay else { return };
        let beyond = ((at.ids.len() - at.prompt) as i64).saturating_sub(start);
        if beyond > 0 {
            let more = (factor.powf(beyond as f64) - 1.0) as f32;
            for id in at.ends {
                if let Some(logit) = logits.get_mut(*id as usize).filter(|logit| logit.is_finite()) {
                    *logit += logit.abs() * more;
                }
            }
        }
    }

    fn suppress(&self, logits: &mut [f32], at: &Moment<'_>) {
        forbid(logits, self.suppressed.iter().copied());
        // A forced first token is not the beginning that is meant.
        let forced = usize::from(at.prompt == 1 && self.first.is_some());
        if at.ids.len() == at.prompt + forced {
            forbid(logits, self.begin_suppressed.iter().copied());
        }
    }
}

/// Whether all but the last of `sequence` are the latest of `ids`.
fn ready(sequence: &[u32], ids: &[u32]) -> bool {
    sequence.split_last().is_some_and(|(_, before)| ids.ends_with(before))
}

/// An end that a file names may lie beyond the vocabulary.
fn forbid(logits: &mut [f32], ids: impl IntoIterator<Item = u32>) {
    for id in ids {
        if let Some(logit) = logits.get_mut(id as usize) {
            *logit = NEVER;
        }
    }
}

fn only(logits: &mut [f32], ids: &[u32]) {
    logits.fill(NEVER);
    for id in ids {
        logits[*id as usize] = 0.0;
    }
}

/// Makes each of the tokens less likely, once (Keskar et al. 2019, <https://arxiv.org/abs/1909.05858>).
fn penalise(logits: &mut [f32], ids: &[u32], penalty: f32) {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        let logit = &mut logits[id as usize];
        *logit = if *logit < 0.0 { *logit * penalty } else { *logit / penalty };
    }
}

/// The tokens that would make the latest `size` tokens a sequence of `source`.
fn continued<'a>(source: &'a [u32], ids: &'a [u32], size: usize) -> impl Iterator<Item = u32> + 'a {
    let before = (size > 0).then(|| (ids.len() + 1).checked_sub(size).map(|start| &ids[start..])).flatten();
    let windows = before.into_iter().flat_map(move |before| source.windows(size).map(move |window| (before, window)));
    windows.filter_map(|(before, window)| window.strip_prefix(before).and_then(|rest| rest.first().copied()))
}

fn finite(logit: f32) -> f32 {
    if logit.is_nan() { 0.0 } else { logit.clamp(f32::MIN, f32::MAX) }
}

/// Why the model at `path` would not answer, where its files ask for a kind of decoding that is not supported. What cannot
/// be read is no reason: opening the model says so.
pub fn refusal(path: &Path) -> Option<Error> {
    let (said, vocabulary) = look(path)?;
    Rules::read(&said, vocabulary).err()
}

/// The fields of a model's files that transformers, or llama.cpp, would sample by and that are left out here: the project
/// says how answers are sampled.
pub fn sampling_left_out(path: &Path) -> Vec<String> {
    look(path).map(|(said, _)| said.sampling()).unwrap_or_default()
}

fn look(path: &Path) -> Option<(Said, usize)> {
    if !path.is_dir() {
        let gguf = Gguf::open(path).ok()?;
        return Some((Said::of_gguf(path, &gguf), gguf.config().ok()?.vocab_size));
    }
    let text = files::read_text(&path.join("config.json")).ok()?;
    let config = Config::from_json(&serde_json::from_str(&text).ok()?).ok()?;
    Some((Said::of_folder(path, &text).ok()?, config.vocab_size))
}

#[cfg(test)]
mod tests;
