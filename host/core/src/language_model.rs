//! The traits that cross between crates: a tokenizer and a language model. `diapason-models` and `diapason-engine` implement them,
//! `diapason-sandbox` hands them to plugins that import them.

use crate::sample::Message;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Stands after the first character of what looks like a special token in a rendered text and is a user's text. It is no
/// character, and tokenizers take it away.
pub const LITERAL: char = '\u{fdd2}';

/// Stands before a prompt that no chat template wrote: the tokenizer puts its own special tokens around the text, as it does
/// for text by itself. It is no character, and tokenizers take it away.
pub const PLAIN: char = '\u{fdd3}';

/// Text to token ids and back.
pub trait Tokenizer: Send + Sync {
    /// Token ids of `text`; special tokens in the text are recognised, unless [`LITERAL`] stands inside; none are added,
    /// unless [`PLAIN`] stands before it.
    fn encode(&self, text: &str) -> Result<Vec<u32>>;

    /// The text of `ids`, special tokens left out.
    fn decode(&self, ids: &[u32]) -> Result<String>;
}

/// How to decode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decoding {
    /// Upper limit of new tokens for each completion.
    pub max_tokens: usize,
    /// 0 decodes greedily.
    pub temperature: f64,
    /// Smallest set of tokens whose probability reaches this; 1 keeps all.
    pub top_p: f64,
    /// Strings that end a completion; not part of its text.
    pub stop: Vec<String>,
    /// Seeds the sampling; each prompt draws from a stream of its own, whichever batch it falls into.
    pub seed: u64,
}

impl Default for Decoding {
    fn default() -> Self {
        Self { max_tokens: 128, temperature: 0.0, top_p: 1.0, stop: Vec::new(), seed: 0 }
    }
}

/// Why a generation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finish {
    /// The model ended its turn or a stop string was met.
    Stop,
    /// The token limit or the context was exhausted.
    Length,
}

/// What the model wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// The text without the prompt and without stop tokens.
    pub text: String,
    /// Its length in tokens.
    pub tokens: usize,
    /// Why it ended.
    pub finish: Finish,
}

/// How likely a continuation is after its prompt.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Likelihood {
    /// Natural logarithm of the continuation's probability, summed over its tokens.
    pub logprob: f64,
    /// The continuation's length in tokens.
    pub tokens: usize,
    /// Its length in bytes of UTF-8.
    pub bytes: usize,
    /// Whether greedy decoding would have produced it.
    pub greedy: bool,
}

/// A prompt to continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prompt<'a> {
    /// The rendered text.
    pub text: &'a str,
    /// The stream of random numbers that its tokens are drawn from, under the seed of [`Decoding`]. It names the answer,
    /// not its place among others, so that an answer stays the same whichever others are asked for beside it.
    pub stream: u64,
}

/// What [`LanguageModel::complete`] reports while it works.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// The prompt with this index is answered.
    Finished(usize, Completion),
    /// All prompts that were decoded side by side are answered: a good moment to stop.
    Batch,
}

/// A model that continues rendered text. Batching is the implementation's affair.
pub trait LanguageModel {
    /// Continues each prompt and hands each completion to `watch` as soon as it ends. Prompts that are `known` need no
    /// answer, but batches are made of all: rounding depends on what is computed side by side, so what is left of an
    /// earlier call gets the same bits as it would have got there. A batch with one unknown prompt is answered whole.
    ///
    /// Errors if `watch` does, with the same error and at once.
    fn complete(
        &mut self,
        prompts: &[Prompt<'_>],
        decoding: &Decoding,
        known: &dyn Fn(usize) -> bool,
        watch: &mut dyn FnMut(Progress) -> Result<()>,
    ) -> Result<()>;

    /// Hands `watch` the index and the likelihood of each continuation after its prompt, given as (prompt, continuation).
    /// `known` is as in [`LanguageModel::complete`].
    ///
    /// Errors if `watch` does, with the same error, once what was computed side by side is handed over.
    fn likelihoods(
        &mut self,
        pairs: &[(String, String)],
        known: &dyn Fn(usize) -> bool,
        watch: &mut dyn FnMut(usize, Likelihood) -> Result<()>,
    ) -> Result<()>;

    /// Returns one completion for each prompt, in order; a prompt's index names its stream. `progress` is called with the
    /// number of prompts done so far.
    fn generate(
        &mut self,
        prompts: &[String],
        decoding: &Decoding,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Vec<Completion>> {
        let streams: Vec<Prompt<'_>> = (0..).zip(prompts).map(|(stream, text)| Prompt { text, stream }).collect();
        let mut done = Collected::new(prompts.len(), progress);
        self.complete(&streams, decoding, &|_| false, &mut |moment| {
            if let Progress::Finished(index, completion) = moment {
                done.put(index, completion);
            }
            Ok(())
        })?;
        done.all()
    }

    /// Returns how likely each continuation is after its prompt, given as (prompt, continuation), in order. `progress` is
    /// called with the number of pairs done so far.
    fn loglikelihood(
        &mut self,
        pairs: &[(String, String)],
        progress: &mut dyn FnMut(usize),
    ) -> Result<Vec<Likelihood>> {
        let mut done = Collected::new(pairs.len(), progress);
        self.likelihoods(pairs, &|_| false, &mut |index, likelihood| {
            done.put(index, likelihood);
            Ok(())
        })?;
        done.all()
    }
}

/// Results that come in any order.
struct Collected<'a, T> {
    found: Vec<Option<T>>,
    count: usize,
    progress: &'a mut dyn FnMut(usize),
}

impl<'a, T> Collected<'a, T> {
    fn new(length: usize, progress: &'a mut dyn FnMut(usize)) -> Self {
        Self { found: (0..length).map(|_| None).collect(), count: 0, progress }
    }

    fn put(&mut self, index: usize, value: T) {
        self.found[index] = Some(value);
        self.count += 1;
        (self.progress)(self.count);
    }

    fn all(self) -> Result<Vec<T>> {
        self.found.into_iter().map(|one| one.ok_or_else(|| Error::run("the model left a prompt out"))).collect()
    }
}

/// A model that judges on behalf of a plugin: it takes conversations, the host renders them.
pub trait Judge: Send {
    /// One completion for each conversation.
    fn generate(&mut self, conversations: &[Vec<Message>], decoding: &Decoding) -> Result<Vec<Completion>>;

    /// How likely each answer is after its conversation.
    fn loglikelihood(&mut self, continuations: &[(Vec<Message>, String)]) -> Result<Vec<Likelihood>>;
}
