//! The traits that cross between crates: a tokenizer and a language model. `diapason-model` implements them,
//! `diapason-sandbox` hands them to plugins that import them.

use crate::Result;
use crate::sample::Message;
use serde::{Deserialize, Serialize};

/// Text to token ids and back.
pub trait Tokenizer: Send + Sync {
    /// Token ids of `text`; special tokens in the text are recognised, none are added.
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
    /// Seeds the sampling; each prompt's stream also depends on its index, never on the batch it fell into.
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

/// A model that continues rendered text. Batching is the implementation's affair; results come in the order of the input.
pub trait LanguageModel {
    /// One completion for each prompt. `progress` is called with the number of prompts done so far.
    fn generate(
        &mut self,
        prompts: &[String],
        decoding: &Decoding,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Vec<Completion>>;

    /// How likely each continuation is after its prompt, given as (prompt, continuation).
    fn loglikelihood(&mut self, pairs: &[(String, String)], progress: &mut dyn FnMut(usize))
    -> Result<Vec<Likelihood>>;
}

/// A model that judges on behalf of a plugin: it takes conversations, the host renders them.
pub trait Judge: Send {
    /// One completion for each conversation.
    fn generate(&mut self, conversations: &[Vec<Message>], decoding: &Decoding) -> Result<Vec<Completion>>;

    /// How likely each answer is after its conversation.
    fn loglikelihood(&mut self, continuations: &[(Vec<Message>, String)]) -> Result<Vec<Likelihood>>;
}
