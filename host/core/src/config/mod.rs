//! `diapason.toml`: what one run does. Unknown keys are refused, with the nearest known one.

mod load;
mod nearest;
mod problems;
mod rules;
mod settings;

pub use load::{is_path, load, parse, schema};
pub use nearest::{did_you_mean, nearest};
pub use settings::check_settings;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The whole of `diapason.toml`. Relative paths start from the file's folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The run as a whole.
    #[serde(default)]
    pub run: Run,
    /// The base model.
    pub model: Model,
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
    pub name: String,
    /// Folder of the run's artefacts.
    pub folder: PathBuf,
    /// Seeds everything that is random.
    pub seed: u64,
}

impl Default for Run {
    fn default() -> Self {
        Self { name: "run".into(), folder: "runs/latest".into(), seed: 42 }
    }
}

/// The base model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// A safetensors folder or a GGUF file.
    pub path: PathBuf,
    /// `auto`, `cpu` or `cuda:N`.
    #[serde(default = "default_device")]
    pub device: String,
    /// An existing adapter to evaluate instead of training one.
    #[serde(default)]
    pub adapter: Option<PathBuf>,
}

fn default_device() -> String {
    "auto".into()
}

/// The training data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// JSONL, one row a line: instruction/input/output, messages, prompt/completion or ShareGPT.
    pub train: PathBuf,
    /// Use only the first rows.
    #[serde(default)]
    #[schemars(range(min = 1))]
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
    pub plugin: String,
    /// A template of our own (`chatml`, `llama-3`, …) or the path of a Jinja file. Default: the model's own template.
    pub template: Option<String>,
    /// Settings handed to the plugin beside the template.
    pub settings: serde_json::Map<String, serde_json::Value>,
}

impl Default for Template {
    fn default() -> Self {
        Self { plugin: "chat-jinja".into(), template: None, settings: serde_json::Map::new() }
    }
}

/// A plugin and its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plugin {
    /// An embedded plugin's name or the path of a component.
    pub plugin: String,
    /// Its name in the report, where one plugin is used twice. Default: the plugin's id.
    #[serde(default)]
    pub name: Option<String>,
    /// Settings, checked against the plugin's JSON Schema.
    #[serde(default)]
    pub settings: serde_json::Map<String, serde_json::Value>,
}

fn default_validators() -> Vec<Plugin> {
    ["validate-shape", "validate-duplicates", "validate-leakage", "validate-balance"]
        .map(|name| Plugin { plugin: name.into(), name: None, settings: serde_json::Map::new() })
        .into()
}

/// What training changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Low-rank adapters on frozen weights.
    Lora,
    /// Every parameter.
    Full,
}

/// The learning rate over the run, after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Stays.
    Constant,
    /// Falls to 0 in a straight line.
    Linear,
    /// Falls to 0 along half a cosine.
    Cosine,
}

/// The linear layers of a Llama-family block, by the names that adapters use for them.
pub const TARGETS: [&str; 7] = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

/// Fine-tuning. The defaults are common LoRA practice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Train {
    /// `lora` or `full`.
    pub method: Method,
    /// LoRA: rank r of the adapter.
    #[schemars(range(min = 1))]
    pub rank: usize,
    /// LoRA: the update is scaled by alpha / rank.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub alpha: f64,
    /// LoRA: dropout on the adapter's input while training.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub dropout: f64,
    /// LoRA: names of the adapted linear layers, of [`TARGETS`].
    #[schemars(length(min = 1))]
    pub target_modules: Vec<String>,
    /// Rows in one forward pass.
    #[schemars(range(min = 1))]
    pub batch_size: usize,
    /// Forward passes in one optimizer step.
    #[schemars(range(min = 1))]
    pub gradient_accumulation: usize,
    /// Peak learning rate.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub learning_rate: f64,
    /// Shape of the learning rate over the run.
    pub schedule: Schedule,
    /// Fraction of the steps in which the learning rate rises from 0.
    #[schemars(range(min = 0, max = 1))]
    pub warmup: f64,
    /// AdamW's decoupled weight decay.
    #[schemars(range(min = 0))]
    pub weight_decay: f64,
    /// Gradients are scaled so that their joint L2 norm is at most this; 0 switches it off.
    #[schemars(range(min = 0))]
    pub max_gradient_norm: f64,
    /// Passes over the data.
    #[schemars(range(min = 1))]
    pub epochs: usize,
    /// Stop after this many optimizer steps, whatever the epochs.
    #[schemars(range(min = 1))]
    pub max_steps: Option<usize>,
    /// Report the loss every so many steps.
    #[schemars(range(min = 1))]
    pub logging_steps: usize,
    /// Keep the adapter of every epoch under `checkpoints/`.
    pub save_per_epoch: bool,
    /// Longest row in tokens; a longer one is refused.
    #[schemars(range(min = 2))]
    pub max_sequence_length: usize,
}

impl Default for Train {
    fn default() -> Self {
        Self {
            method: Method::Lora,
            rank: 16,
            alpha: 32.0,
            dropout: 0.05,
            target_modules: ["q_proj", "k_proj", "v_proj", "o_proj"].map(String::from).into(),
            batch_size: 4,
            gradient_accumulation: 4,
            learning_rate: 2e-4,
            schedule: Schedule::Linear,
            warmup: 0.03,
            weight_decay: 0.0,
            max_gradient_norm: 1.0,
            epochs: 3,
            max_steps: None,
            logging_steps: 10,
            save_per_epoch: true,
            max_sequence_length: 2048,
        }
    }
}

/// How completions are decoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Generate {
    /// Upper limit of new tokens for each completion.
    #[schemars(range(min = 1))]
    pub max_tokens: usize,
    /// 0 decodes greedily.
    #[schemars(range(min = 0))]
    pub temperature: f64,
    /// Smallest set of tokens whose probability reaches this; 1 keeps all.
    #[schemars(range(max = 1), extend("exclusiveMinimum" = 0))]
    pub top_p: f64,
    /// Strings that end a completion, beside the model's own stop tokens.
    pub stop: Vec<String>,
    /// Prompts decoded side by side.
    #[schemars(range(min = 1))]
    pub batch_size: usize,
}

impl Default for Generate {
    fn default() -> Self {
        Self { max_tokens: 128, temperature: 0.0, top_p: 1.0, stop: Vec::new(), batch_size: 16 }
    }
}

/// An evaluation suite: a dataset and what is measured on it, for base and tuned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Names it in rules and in the report.
    pub name: String,
    /// JSONL, the same shapes as training data; also `choices`, `context`, `tags`, `id`.
    pub data: PathBuf,
    /// Use only the first rows.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub limit: Option<usize>,
    /// A system message for rows that have none.
    #[serde(default)]
    pub system: Option<String>,
    /// Limit of new tokens here, instead of `generate.max_tokens`.
    #[serde(default)]
    #[schemars(range(min = 1))]
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
    /// The tuned model's level must be shown to be at least this.
    #[serde(default)]
    pub minimum: Option<f64>,
    /// The tuned model's level must be shown to be at most this.
    #[serde(default)]
    pub maximum: Option<f64>,
    /// Non-inferiority margin: tuned must be shown not to be worse than base by more than this.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub margin: Option<f64>,
    /// Required gain: tuned must be shown to be better than base by more than this.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub gain: Option<f64>,
}

/// How the gate decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gate {
    /// Probability that a rule passes although it does not hold, over all rules together (Holm).
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub alpha: f64,
    /// Largest share of a suite's samples that may stay unscored.
    #[schemars(range(min = 0, max = 1))]
    pub max_unscored: f64,
    /// Resamples of a bootstrap.
    #[schemars(range(min = 100))]
    pub resamples: usize,
}

impl Default for Gate {
    fn default() -> Self {
        Self { alpha: 0.05, max_unscored: 0.02, resamples: 2000 }
    }
}

/// Limits of plugin calls: the same on every machine, so that a verdict does not depend on one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// wasmtime fuel for each row or sample of a call, and once for the call: about one unit an instruction.
    #[schemars(range(min = 1))]
    pub fuel: u64,
    /// Memory of an instance in MiB.
    #[schemars(range(min = 1))]
    pub memory: u64,
    /// Size of what one call may return, in MiB.
    #[schemars(range(min = 1))]
    pub output: u64,
    /// Wall time of one call in seconds: only a backstop behind the fuel.
    #[schemars(range(min = 1))]
    pub seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { fuel: 1_000_000_000, memory: 256, output: 64, seconds: 120 }
    }
}

#[cfg(test)]
mod tests;
