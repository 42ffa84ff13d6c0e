//! What a file of answers says, whichever tool wrote it.

use diapason_core::sample::Message;
use serde_json::Value;
use std::fmt;

/// A form that answers are read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Our own `outputs.*.jsonl`.
    Outputs,
    /// Rows of `id` and `output`, in JSON, CSV or Parquet.
    Rows,
    /// lm-evaluation-harness's `samples_*.jsonl`, written with `--log_samples`.
    Harness,
    /// Inspect's logs, `.eval` or `.json`.
    Inspect,
    /// promptfoo's results, `.json` or `.jsonl`.
    Promptfoo,
    /// The output file of a batch of OpenAI's API.
    OpenAiBatch,
    /// Every Eval Ever's records of single samples.
    EveryEvalEver,
}

impl Format {
    /// All forms.
    pub const ALL: [Self; 7] = [
        Self::Outputs,
        Self::Rows,
        Self::Harness,
        Self::Inspect,
        Self::Promptfoo,
        Self::OpenAiBatch,
        Self::EveryEvalEver,
    ];
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Outputs => "Diapason's outputs",
            Self::Rows => "rows of `id` and `output`",
            Self::Harness => "lm-evaluation-harness's samples",
            Self::Inspect => "an Inspect log",
            Self::Promptfoo => "promptfoo's results",
            Self::OpenAiBatch => "OpenAI batch output",
            Self::EveryEvalEver => "Every Eval Ever's samples",
        })
    }
}

/// A file of answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// Its form.
    pub format: Format,
    /// The SHA-256 of its bytes.
    pub digest: String,
    /// The model that made them, as the file calls it.
    pub model: Option<String>,
    /// The answers, in the order of the file; at least one. Which sample each belongs to, [`super::matched()`] finds out.
    pub answers: Vec<Answer>,
    /// Columns of [`Format::Rows`] that nothing reads.
    pub unread: Vec<String>,
}

/// One answer, or why there is none.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Where it stands in the file: `line 3`, `results/results/2`, `samples/a_epoch_1.json`.
    pub place: String,
    /// The suite that it says it belongs to, by our name of it: it belongs to no other.
    pub suite: Option<String>,
    /// What the other tool calls the task. It decides between suites only where one of them has this name.
    pub task: Option<String>,
    /// The sample's id.
    pub id: Option<String>,
    /// What was asked, as far as the file says it.
    pub asked: Asked,
    /// What the model made of it, or why there is nothing: the request failed, timed out, was cancelled, …
    pub made: Result<Made, String>,
    /// What it took, over all completions.
    pub usage: Usage,
    /// The model that made it.
    pub model: Option<String>,
}

impl Answer {
    /// An answer of which nothing is known but where it stands and what was made.
    pub(super) fn new(place: impl Into<String>, made: Result<Made, String>) -> Self {
        Self {
            place: place.into(),
            suite: None,
            task: None,
            id: None,
            asked: Asked::default(),
            made,
            usage: Usage::default(),
            model: None,
        }
    }
}

/// What was asked: each part as far as the file has it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Asked {
    /// The rendered prompt, or a question that stands alone.
    pub texts: Vec<String>,
    /// The conversation.
    pub messages: Option<Vec<Message>>,
    /// The row of the dataset.
    pub row: Option<Value>,
}

/// What a model made of a sample.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Made {
    /// The ordinary completion. Where another tool drew several, the first of them.
    pub ordinary: Option<Completion>,
    /// All that were drawn where there are several (repeats, epochs, choices), in the tool's order; else empty.
    pub draws: Vec<Completion>,
    /// Continuations of the prompt as the tool asked for them, often with a space in front.
    pub likelihoods: Vec<(String, Likelihood)>,
}

impl Made {
    /// What a tool drew, first to last.
    pub(super) fn drawn(completions: Vec<Completion>) -> Self {
        let ordinary = completions.first().cloned();
        let draws = if completions.len() > 1 { completions } else { Vec::new() };
        Self { ordinary, draws, likelihoods: Vec::new() }
    }

    /// The completions that [`Made::drawn`] was given.
    pub(super) fn completions(self) -> Vec<Completion> {
        if self.draws.is_empty() { self.ordinary.into_iter().collect() } else { self.draws }
    }
}

/// What a model wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The text.
    pub text: String,
    /// Its length in tokens, where the file says it of this text alone.
    pub tokens: Option<u64>,
    /// Why it ended, where the file says so.
    pub finish: Option<Finish>,
}

/// Why a generation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish {
    /// The model ended its turn or a stop string was met.
    Stop,
    /// A limit of tokens was met.
    Length,
    /// Another reason, by the tool's name of it (`content_filter`, `tool_calls`).
    Other(String),
}

impl Finish {
    /// What a tool's reason means.
    pub(super) fn named(reason: &str) -> Self {
        match reason {
            "stop" | "end_turn" | "stop_sequence" => Self::Stop,
            "length" | "max_tokens" | "model_length" | "max_output_tokens" => Self::Length,
            other => Self::Other(other.into()),
        }
    }
}

/// How likely a continuation is after its prompt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likelihood {
    /// Natural logarithm of its probability, summed over its tokens.
    pub logprob: f64,
    /// Whether greedy decoding would have produced it.
    pub greedy: bool,
    /// Its length in tokens, where the file says it.
    pub tokens: Option<u64>,
}

/// What an answer took, over all of its completions; absent where the file does not say it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Tokens read, as often as they were read.
    pub prompt_tokens: Option<u64>,
    /// Tokens written, reasoning among them.
    pub completion_tokens: Option<u64>,
    /// Time from request to answer.
    pub seconds: Option<f64>,
}

impl Usage {
    /// Both together; unknown where one is.
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            prompt_tokens: self.prompt_tokens.zip(other.prompt_tokens).map(|(a, b)| a.saturating_add(b)),
            completion_tokens: self.completion_tokens.zip(other.completion_tokens).map(|(a, b)| a.saturating_add(b)),
            seconds: self.seconds.zip(other.seconds).map(|(a, b)| a + b),
        }
    }
}
