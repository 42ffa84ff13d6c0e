//! What `diapason.toml` says, as types with their bounds and defaults. `diapason-project` reads and checks the file.

mod arm;
mod columns;
mod limits;
mod task;
mod train;
mod watched;

pub use arm::{Arm, Budget, Choose, Compare, Endpoint, Examples, Price, Protocol, Retrieve};
pub use columns::Columns;
pub use limits::Limits;
pub use task::{Delimiters, Task};
pub use train::{Compute, EarlyStopping, Method, Optimizer, Overlong, Schedule, TARGETS, Train, pattern_value};

use crate::arm::Arm as Name;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The whole of `diapason.toml`. Relative paths start from the file's folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The run as a whole.
    #[serde(default)]
    pub run: Run,
    /// The base model. A project that only asks servers, or holds answers made elsewhere against each other, has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Model>,
    /// The training data.
    #[serde(default)]
    pub data: Option<Data>,
    /// How conversations become text.
    #[serde(default)]
    pub template: Template,
    /// Dataset validators, in order. Default: all four first-party ones.
    #[serde(default = "default_validators", rename = "validator")]
    pub validators: Vec<Plugin>,
    /// Fine-tuning.
    #[serde(default)]
    pub train: Train,
    /// How completions are decoded.
    #[serde(default)]
    pub generate: Generate,
    /// Evaluation suites.
    #[serde(default, rename = "suite")]
    pub suites: Vec<Suite>,
    /// What answers the suites beside `base` and `tuned`.
    #[serde(default, rename = "arm", skip_serializing_if = "Vec::is_empty")]
    pub arms: Vec<Arm>,
    /// Pairs of arms whose differences the report shows.
    #[serde(default, rename = "compare", skip_serializing_if = "Vec::is_empty")]
    pub comparisons: Vec<Compare>,
    /// The gate's rules.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
    /// How the gate decides.
    #[serde(default)]
    pub gate: Gate,
    /// Limits of plugin calls.
    #[serde(default)]
    pub limits: Limits,
}

/// The run as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Run {
    /// Shown in the report.
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    /// Folder of the run's artefacts.
    #[schemars(length(min = 1, max = 4096))]
    pub folder: PathBuf,
    /// Seeds everything that is random.
    #[schemars(range(max = 9_223_372_036_854_775_807_u64))]
    pub seed: u64,
    /// What an hour of this machine costs, in a currency of your own: of training, and of every arm that it answers for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub price_per_hour: Option<f64>,
}

impl Default for Run {
    fn default() -> Self {
        Self { name: "run".into(), folder: "runs/latest".into(), seed: 42, price_per_hour: None }
    }
}

/// The base model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// A safetensors folder or a GGUF file.
    #[schemars(length(min = 1, max = 4096))]
    pub path: PathBuf,
    /// `auto`, `cpu` or `cuda:N`.
    #[serde(default = "default_device")]
    pub device: String,
    /// An existing adapter to evaluate instead of training one.
    #[serde(default)]
    #[schemars(length(min = 1, max = 4096))]
    pub adapter: Option<PathBuf>,
    /// In which precision base and tuned model answer: `auto`, `f32`, `bf16` or `nf4`. Training has its own, in `[train]`.
    #[serde(default)]
    pub precision: Precision,
}

/// How the weights of the blocks' linear layers are kept while a model answers. What a folder holds in 4 bits stays so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// `f32` on the CPU, `bf16` on a GPU.
    #[default]
    Auto,
    /// 32 bits.
    F32,
    /// 16 bits with the range of 32. The CPU computes in 32 bits.
    Bf16,
    /// 4-bit NormalFloat with quantised constants, as QLoRA trains on by default.
    Nf4,
}

impl Default for Model {
    fn default() -> Self {
        Self { path: PathBuf::new(), device: default_device(), adapter: None, precision: Precision::default() }
    }
}

impl Precision {
    /// What a GPU computes in; the CPU computes in 32 bits.
    pub fn compute(self) -> Compute {
        match self {
            Self::F32 => Compute::F32,
            Self::Auto | Self::Bf16 | Self::Nf4 => Compute::Auto,
        }
    }
}

fn default_device() -> String {
    "auto".into()
}

/// The training data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// JSONL, a JSON list, Parquet, CSV or TSV, plain or packed with gzip or zstd: instruction/input/output, messages,
    /// prompt/completion or ShareGPT.
    #[schemars(length(min = 1, max = 4096))]
    pub train: PathBuf,
    /// What the file calls its columns, where they have other names: `{ prompt = "question", completion = "answer" }`.
    #[serde(default, skip_serializing_if = "Columns::is_empty")]
    pub columns: Columns,
    /// Share of the rows that is kept out of training; its loss is watched. The rows are drawn by the run's seed, from
    /// each tag or length alike. 0 keeps none.
    #[serde(default)]
    #[schemars(range(min = 0, max = 0.5))]
    pub held_out: f64,
    /// Use only the first rows.
    #[serde(default)]
    #[schemars(range(min = 1, max = 4_000_000_000_u64))]
    pub limit: Option<usize>,
    /// A system message for rows that have none.
    #[serde(default)]
    pub system: Option<String>,
}

/// How conversations become text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Template {
    /// An embedded plugin's name or the path of a component.
    #[schemars(length(min = 1, max = 4096))]
    pub plugin: String,
    /// A template of our own (`chatml`, `llama-3`, …), the path of a Jinja file, `base` for the model's own template, or
    /// `adapter` for that of `model.adapter`. Default: the model's own template.
    #[schemars(length(min = 1, max = 4096))]
    pub template: Option<String>,
    /// What becomes of special tokens that stand in the rows' texts.
    #[serde(skip_serializing_if = "SpecialTokens::is_default")]
    pub special_tokens_in_text: SpecialTokens,
    /// Settings handed to the plugin beside the template. `template_name` chooses one of a model's several templates.
    pub settings: serde_json::Map<String, serde_json::Value>,
}

impl Default for Template {
    fn default() -> Self {
        let special_tokens_in_text = SpecialTokens::default();
        Self { plugin: "chat-jinja".into(), template: None, special_tokens_in_text, settings: serde_json::Map::new() }
    }
}

/// What becomes of special tokens that stand in the rows' texts, such as `<|im_end|>` in a question about templates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SpecialTokens {
    /// They are the special tokens, as other tools encode them; `validate` says where they stand.
    #[default]
    Special,
    /// They are text, which no part of a row can end a turn with.
    Literal,
}

impl SpecialTokens {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A plugin and its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plugin {
    /// An embedded plugin's name or the path of a component.
    #[schemars(length(min = 1, max = 4096))]
    pub plugin: String,
    /// Its name in the report, where one plugin is used twice. Default: the plugin's id.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub name: Option<String>,
    /// Settings, checked against the plugin's JSON Schema.
    #[serde(default)]
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// Evaluators and comparators: measure to its smallest and largest possible value, where the plugin gives none. A
    /// value outside is an error. Without bounds a mean decides nothing on few or skewed samples.
    #[serde(default)]
    pub bounds: BTreeMap<String, (f64, f64)>,
}

fn default_validators() -> Vec<Plugin> {
    ["validate-shape", "validate-duplicates", "validate-leakage", "validate-balance"]
        .map(|name| Plugin {
            plugin: name.into(),
            name: None,
            settings: serde_json::Map::new(),
            bounds: BTreeMap::new(),
        })
        .into()
}

/// How completions are decoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Generate {
    /// Upper limit of new tokens for each completion.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_tokens: usize,
    /// 0 decodes greedily.
    #[schemars(range(min = 0, max = 100))]
    pub temperature: f64,
    /// Temperature of the draws, where an evaluator asks for more than one completion of a prompt (pass@k,
    /// self-consistency): all of them are drawn at it. Default: `temperature`, which must then be more than 0.
    #[schemars(range(max = 100), extend("exclusiveMinimum" = 0))]
    pub sampling_temperature: Option<f64>,
    /// Smallest set of tokens whose probability reaches this; 1 keeps all.
    #[schemars(range(max = 1), extend("exclusiveMinimum" = 0))]
    pub top_p: f64,
    /// Strings that end a completion, beside the model's own stop tokens.
    #[schemars(inner(length(min = 1)))]
    pub stop: Vec<String>,
    /// Prompts decoded side by side.
    #[schemars(range(min = 1, max = 4096))]
    pub batch_size: usize,
}

impl Default for Generate {
    fn default() -> Self {
        Self {
            max_tokens: 128,
            temperature: 0.0,
            sampling_temperature: None,
            top_p: 1.0,
            stop: Vec::new(),
            batch_size: 16,
        }
    }
}

/// An evaluation suite: a dataset and what is measured on it, for base and tuned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Names it in rules and in the report.
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    /// The same formats and shapes as training data; also `choices`, `context`, `tags`, `id`. Needed unless `task` is given.
    #[serde(default)]
    #[schemars(length(min = 1, max = 4096))]
    pub data: PathBuf,
    /// A task of lm-evaluation-harness, instead of `data`: `{ file = "arc.yaml" }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// What the file calls its columns, where they have other names: `{ prompt = "question", reference = "answer" }`.
    #[serde(default, skip_serializing_if = "Columns::is_empty")]
    pub columns: Columns,
    /// Use only the first rows.
    #[serde(default)]
    #[schemars(range(min = 1, max = 4_000_000_000_u64))]
    pub limit: Option<usize>,
    /// A system message for rows that have none.
    #[serde(default)]
    pub system: Option<String>,
    /// Variables of the chat template for rows that do not set them: `{ enable_thinking = false }`. They go before those of
    /// `template.settings`.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub template_variables: serde_json::Map<String, serde_json::Value>,
    /// Limit of new tokens here, instead of `generate.max_tokens`.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_tokens: Option<usize>,
    /// Evaluators and comparators.
    #[serde(default, rename = "evaluator")]
    pub evaluators: Vec<Plugin>,
}

/// A condition of the gate. At least one of `minimum`, `maximum`, `margin` and `gain` is given; each given one is a
/// condition of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The suite.
    pub suite: String,
    /// `plugin.measure`, or `measure` where only one plugin of the suite has it.
    pub measure: String,
    /// The arm that the rule is about, the candidate.
    #[serde(default = "Name::tuned", skip_serializing_if = "Name::is_tuned")]
    pub arm: Name,
    /// The reference that `margin` and `gain` hold it against.
    #[serde(default = "Name::base", skip_serializing_if = "Name::is_base")]
    pub against: Name,
    /// The arm's level must be shown to be at least this.
    #[serde(default)]
    pub minimum: Option<f64>,
    /// The arm's level must be shown to be at most this.
    #[serde(default)]
    pub maximum: Option<f64>,
    /// Non-inferiority margin: the arm must be shown not to be worse than the reference by more than this.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub margin: Option<f64>,
    /// Required gain: the arm must be shown to be better than the reference by more than this.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub gain: Option<f64>,
}

/// How the gate decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gate {
    /// Probability that the gate passes although a rule does not hold.
    #[schemars(range(min = 1e-9), extend("exclusiveMaximum" = 0.5))]
    pub alpha: f64,
    /// How often this model's evaluation may be looked at while samples are added to its suites: alpha is spent over the
    /// looks as O'Brien and Fleming do it. 1: once, with all samples.
    #[schemars(range(min = 1, max = 100))]
    pub looks: usize,
    /// How many candidates are held against these samples, of which one is released: each is held at alpha divided by
    /// this. 1: the candidate was chosen without looking at these samples.
    #[schemars(range(min = 1, max = 1000))]
    pub candidates: usize,
    /// Largest share of a suite's samples that may stay unscored.
    #[schemars(range(min = 0, max = 1))]
    pub max_unscored: f64,
    /// Resamples of a bootstrap.
    #[schemars(range(min = 100, max = 1_000_000))]
    pub resamples: usize,
}

impl Default for Gate {
    fn default() -> Self {
        Self { alpha: 0.05, looks: 1, candidates: 1, max_unscored: 0.02, resamples: 2000 }
    }
}
