//! `[[arm]]` and `[[compare]]`: what answers a suite's prompts, and which two are held against each other.

use super::{Config, Model};
use crate::arm::{Arm as Name, Arms, Contrast};
use crate::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// One more that answers the suites' prompts, beside `base` and `tuned`: the base model, unless it names an adapter, another
/// model, a server, or answers that were made elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// Names it in rules, in the report and in files: letters, digits, `-` and `_`.
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[a-z0-9][a-z0-9_-]*$"))]
    pub name: String,
    /// Examples in front of every prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub examples: Option<Examples>,
    /// Passages that are looked up for every prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retrieve: Option<Retrieve>,
    /// An adapter on the base, or on this arm's `model`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub adapter: Option<PathBuf>,
    /// A model of its own, with its own tokenizer and chat template: a safetensors folder or a GGUF file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub model: Option<PathBuf>,
    /// The chat template of `model`, where it is not to be asked in its own: one of ours, or the path of a Jinja file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub template: Option<String>,
    /// A server that speaks OpenAI's protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// Answers that were made elsewhere: a file of ours, or of another tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub outputs: Option<PathBuf>,
    /// What its answers cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
}

/// Examples in front of a prompt: turns of user and assistant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Examples {
    /// `train` for the training data, or a file of rows.
    #[schemars(length(min = 1, max = 4096))]
    pub from: PathBuf,
    /// How many.
    #[schemars(range(min = 1, max = 1000))]
    pub count: usize,
    /// Which ones.
    #[serde(default)]
    pub choose: Choose,
    /// `choose = "tag"`: the tag that examples share with the row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub tag: Option<String>,
}

impl Examples {
    /// Whether they are rows of the training data.
    pub fn from_training(&self) -> bool {
        self.from.as_os_str() == "train"
    }
}

/// How examples are chosen. The row itself and its near-duplicates are never among them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Choose {
    /// By the run's seed, the same ones for every prompt.
    #[default]
    Seed,
    /// By the run's seed, among those with the row's value of `tag`.
    Tag,
    /// The most similar ones by BM25, the most similar one last.
    Similarity,
}

/// Passages of a folder that are put in front of a prompt, the best ones by BM25.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retrieve {
    /// Text and Markdown files, with the folders in it.
    #[schemars(length(min = 1, max = 4096))]
    pub folder: PathBuf,
    /// How many passages.
    #[serde(default = "default_top")]
    #[schemars(range(min = 1, max = 100))]
    pub top: usize,
}

fn default_top() -> usize {
    3
}

/// A server that speaks OpenAI's protocol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Up to and with `/v1`.
    #[schemars(length(min = 1, max = 2048))]
    pub url: String,
    /// What the server calls the model.
    #[schemars(length(min = 1, max = 400))]
    pub model: String,
    /// `chat` sends conversations, which the server's template renders; `completions` sends prompts in our template.
    #[serde(default)]
    pub protocol: Protocol,
    /// The environment variable that has the bearer token. The token is never written anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub token_variable: Option<String>,
    /// Requests at the same time.
    #[serde(default = "default_concurrency")]
    #[schemars(range(min = 1, max = 256))]
    pub concurrency: usize,
    /// How often a request is tried again.
    #[serde(default = "default_retries")]
    #[schemars(range(max = 20))]
    pub retries: u32,
    /// Seconds until a request counts as failed.
    #[serde(default = "default_seconds")]
    #[schemars(range(min = 1, max = 86_400))]
    pub timeout: u64,
    /// Requests in a minute, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub requests_per_minute: Option<u32>,
    /// What may be spent in one command; it stops before more is asked.
    #[serde(default, skip_serializing_if = "Budget::is_unlimited")]
    pub budget: Budget,
}

fn default_concurrency() -> usize {
    4
}

fn default_retries() -> u32 {
    4
}

fn default_seconds() -> u64 {
    120
}

/// How a server is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// `/chat/completions`.
    #[default]
    Chat,
    /// `/completions`.
    Completions,
}

/// Limits of what a server is asked for; none by default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// Requests, those that are tried again among them.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub requests: Option<u64>,
    /// Tokens of prompts and answers.
    #[schemars(range(min = 1, max = 1_000_000_000_000_u64))]
    pub tokens: Option<u64>,
    /// Money, in the currency of the arm's `price`.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub cost: Option<f64>,
}

impl Budget {
    fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }
}

/// What answers cost, in a currency of your own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Price {
    /// A million tokens of prompts.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub prompt_million: Option<f64>,
    /// A million tokens of answers.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub completion_million: Option<f64>,
    /// An hour of the machine that answers.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub hour: Option<f64>,
}

/// Two arms whose difference the report shows, beside those that rules name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Compare {
    /// The candidate.
    #[serde(default = "Name::tuned")]
    pub arm: Name,
    /// The reference that it is held against.
    #[serde(default = "Name::base")]
    pub against: Name,
}

impl Config {
    /// Returns the arms of an evaluation: the base model where there is one, the tuned one where one is trained or named, and
    /// every `[[arm]]`. Held against each other are tuned and base, the two of every rule and every `[[compare]]`, and tuned
    /// and every arm that is the base model with another prompt: whether training beats prompting is the first question.
    pub fn arms(&self) -> Arms {
        let mut all = Vec::new();
        all.extend(self.model.is_some().then(Name::base));
        all.extend(self.has_tuned().then(Name::tuned));
        all.extend(self.arms.iter().map(|arm| Name::from(arm.name.as_str())));
        let mut arms = Arms { all, contrasts: Vec::new() };
        let prompted = self.arms.iter().filter(|arm| arm.is_prompted_base());
        let prompted = prompted.map(|arm| (Name::tuned(), Name::from(arm.name.as_str())));
        let ruled = self.rules.iter().map(|rule| (rule.arm.clone(), rule.against.clone()));
        let compared = self.comparisons.iter().map(|pair| (pair.arm.clone(), pair.against.clone()));
        let default = std::iter::once((Name::tuned(), Name::base()));
        for (candidate, reference) in default.chain(prompted).chain(ruled).chain(compared) {
            let known = arms.all.contains(&candidate) && arms.all.contains(&reference);
            let contrast = Contrast { candidate, reference };
            if known && contrast.candidate != contrast.reference && !arms.contrasts.contains(&contrast) {
                arms.contrasts.push(contrast);
            }
        }
        arms
    }

    /// Returns `[model]`.
    ///
    /// # Errors
    /// There is none.
    pub fn base(&self) -> Result<&Model> {
        self.model.as_ref().ok_or_else(|| {
            Error::config("this project has no `[model]`")
                .hint("add `[model]` with `path`, a safetensors folder or a GGUF file")
        })
    }

    /// The existing adapter that is evaluated instead of training one.
    pub fn adapter(&self) -> Option<&Path> {
        self.model.as_ref()?.adapter.as_deref()
    }

    /// Whether a model is trained.
    pub fn trains(&self) -> bool {
        self.has_tuned() && self.adapter().is_none()
    }

    /// Whether a model is trained, or an existing adapter is evaluated as the tuned one.
    pub fn has_tuned(&self) -> bool {
        self.model.as_ref().is_some_and(|model| self.data.is_some() || model.adapter.is_some())
    }

    /// The `[[arm]]` of this name.
    pub fn arm(&self, name: &Name) -> Option<&Arm> {
        self.arms.iter().find(|arm| arm.name == name.as_str())
    }

    /// What an arm's answers cost; for a model on this machine, the machine's price by default.
    pub fn price_of(&self, name: &Name) -> Price {
        let arm = self.arm(name);
        let own = arm.and_then(|arm| arm.price.clone());
        let here = arm.is_none_or(Arm::is_local);
        own.unwrap_or_else(|| Price { hour: self.run.price_per_hour.filter(|_| here), ..Price::default() })
    }
}

impl Arm {
    /// Whether a model on this machine answers.
    pub fn is_local(&self) -> bool {
        self.endpoint.is_none() && self.outputs.is_none()
    }

    /// Whether it is the base model, asked otherwise.
    pub fn is_prompted_base(&self) -> bool {
        self.is_local() && self.model.is_none() && self.adapter.is_none()
    }
}
