//! The command line as it is typed.

mod init;

pub use init::{Init, Task};

use crate::ui::Format;
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Fine-tune a language model, prove that it got better, gate its release.
///
/// Exit codes: 0 passed, 1 the gate failed, 2 usage or configuration, 3 inconclusive, 4 a plugin, data or run error.
#[derive(Debug, Parser)]
#[command(name = "diapason", version, propagate_version = true, max_term_width = 100)]
pub struct Arguments {
    /// What goes to standard output: text for people, or one JSON document.
    #[arg(long, global = true, value_enum, default_value_t)]
    pub format: Format,
    /// Print results and errors only.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a project: for your own data, or a starter.
    Init(Init),
    /// Check the datasets for problems; writes findings.jsonl.
    Validate(Checked),
    /// Estimate memory, tokens, steps and time of training; exit code 1 if it does not fit.
    Plan(PlanArguments),
    /// Fine-tune the base model; writes adapter/ or model/, and train.jsonl. Resumes an interrupted run.
    Train(Train),
    /// Hand the training to TRL, Axolotl or LLaMA-Factory: writes a folder with rows, settings and the command to run.
    HandOff(HandOff),
    /// Generate and score the answers of base and tuned; writes outputs.*.jsonl and scores.jsonl.
    Eval(Checked),
    /// Compare base and tuned, paired by sample; writes comparison.json.
    Compare(Config),
    /// Write the report: report.html, report.md, report.json and junit.xml.
    Report(Checked),
    /// Decide whether the tuned model may be released.
    Gate(Checked),
    /// Verify a run folder or a copy of it; exit code 4 if anything differs, otherwise the verdict's.
    Verify(Verify),
    /// Run all stages; resumes where an earlier run stopped.
    Run(Checked),
    /// Generate a model's answer to one prompt.
    Generate(Generate),
    /// Merge an adapter into its base model; writes a model folder.
    Merge(Merge),
    /// Export a model, with its adapter merged in, as a GGUF file for llama.cpp.
    Export(Export),
    /// Quantize a model's linear layers to 4 bits, as bitsandbytes does.
    Quantize(Quantize),
    /// List, inspect, write and test plugins.
    #[command(subcommand)]
    Plugin(Plugin),
    /// See everything at work on a small built-in model.
    Demo(Demo),
}

/// Which configuration.
#[derive(Debug, Args)]
pub struct Config {
    /// The run's configuration.
    #[arg(long, short, default_value = "diapason.toml", value_name = "FILE")]
    pub config: PathBuf,
}

/// `verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// The run folder.
    pub run: PathBuf,
    /// The configuration of its project, if available: models, data and plugins are checked too.
    #[arg(long, short, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Which configuration, and which findings do not stop it.
#[derive(Debug, Args)]
pub struct Checked {
    /// Which configuration.
    #[command(flatten)]
    pub config: Config,
    /// Continue despite validation errors of this rule; the report says so. May be repeated.
    #[arg(long, value_name = "RULE")]
    pub allow: Vec<String>,
}

/// `train`.
#[derive(Debug, Args)]
pub struct Train {
    /// Which configuration, and which findings do not stop it.
    #[command(flatten)]
    pub checked: Checked,
    /// Print the tokens of the first N rows with their loss mask; train nothing.
    #[arg(long, value_name = "N")]
    pub show: Option<usize>,
}

/// `hand-off`.
#[derive(Debug, Args)]
pub struct HandOff {
    /// Who trains.
    #[arg(value_enum)]
    pub trainer: Trainer,
    /// Which configuration, and which findings do not stop it.
    #[command(flatten)]
    pub checked: Checked,
    /// The folder to write; an existing one must be empty.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Where the base model is found there, if not at `model.path`: a folder or a name on a hub.
    #[arg(long, value_name = "PATH")]
    pub base: Option<String>,
    /// GPUs of each node.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub gpus: u32,
    /// Nodes.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub nodes: u32,
}

/// Trainers that a run can be handed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Trainer {
    /// TRL's `SFTTrainer`.
    Trl,
    /// Axolotl.
    Axolotl,
    /// LLaMA-Factory.
    LlamaFactory,
}

/// `plan`.
#[derive(Debug, Args)]
pub struct PlanArguments {
    /// Which configuration.
    #[command(flatten)]
    pub config: Config,
    /// Memory to fit into, in GB, instead of what is available.
    #[arg(long, value_name = "GB", allow_negative_numbers = true)]
    pub memory: Option<f64>,
    /// Plan for this GPU instead of this machine's processor.
    #[arg(long, value_enum, value_name = "NAME")]
    pub gpu: Option<Gpu>,
}

/// GPUs that can be planned for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Gpu {
    /// 16 GB.
    T4,
    /// 24 GB.
    Rtx3090,
    /// 24 GB.
    Rtx4090,
    /// 24 GB.
    A10g,
    /// 48 GB.
    L40s,
    /// 40 GB.
    #[value(name = "a100-40gb")]
    A10040gb,
    /// 80 GB.
    #[value(name = "a100-80gb")]
    A10080gb,
    /// 80 GB.
    H100,
    /// 141 GB.
    H200,
}

/// `generate`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("asked").required(true).args(["prompt", "message"])))]
pub struct Generate {
    /// A safetensors folder or a GGUF file.
    #[arg(long, value_name = "PATH")]
    pub model: PathBuf,
    /// A LoRA adapter in PEFT's format.
    #[arg(long, value_name = "DIR")]
    pub adapter: Option<PathBuf>,
    /// What to ask.
    #[arg(long, value_name = "TEXT")]
    pub prompt: Option<String>,
    /// A conversation to ask instead: a JSON or JSONL file with one row as datasets have them (`messages`, `tools`,
    /// `chat_template_kwargs`), or with the messages alone.
    #[arg(long, value_name = "FILE", conflicts_with = "raw")]
    pub message: Option<PathBuf>,
    /// Continue the assistant's turn that the conversation in `--message` ends with.
    #[arg(long = "continue", conflicts_with = "raw")]
    pub continues: bool,
    /// A system message.
    #[arg(long, value_name = "TEXT", conflicts_with = "raw")]
    pub system: Option<String>,
    /// A JSON file with a list of tools.
    #[arg(long, value_name = "FILE", conflicts_with = "raw")]
    pub tools: Option<PathBuf>,
    /// A variable of the chat template, such as `enable_thinking=false`. May be repeated.
    #[arg(long = "variable", value_name = "NAME=JSON", conflicts_with = "raw")]
    pub variables: Vec<String>,
    /// Continue the prompt as is, without a chat template.
    #[arg(long)]
    pub raw: bool,
    /// A built-in chat template or a Jinja file, instead of the model's own; `base` or `adapter` selects theirs. By default,
    /// an adapter's own template takes precedence over its base's.
    #[arg(long, value_name = "NAME", conflicts_with = "raw")]
    pub template: Option<String>,
    /// Which of the model's chat templates to use, if it has several.
    #[arg(long, value_name = "NAME", conflicts_with = "raw")]
    pub template_name: Option<String>,
    /// Maximum number of new tokens.
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_tokens: u32,
    /// 0 decodes greedily.
    #[arg(long, value_name = "T", default_value_t = 0.0)]
    pub temperature: f64,
    /// Seeds the sampling.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// auto, cpu or cuda:N.
    #[arg(long, default_value = "auto")]
    pub device: String,
}

/// `merge`.
#[derive(Debug, Args)]
pub struct Merge {
    /// The base: a safetensors folder or a GGUF file.
    #[arg(long, value_name = "PATH")]
    pub model: PathBuf,
    /// The adapter, in PEFT's format.
    #[arg(long, value_name = "DIR")]
    pub adapter: PathBuf,
    /// The folder to write.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Data type of the weights.
    #[arg(long, value_enum, default_value_t)]
    pub dtype: Dtype,
    /// Largest size of a file of weights, in GB.
    #[arg(long, value_name = "GB", default_value_t = 5.0)]
    pub max_shard_size: f64,
}

/// Number formats of saved weights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Dtype {
    /// 16 bits with the range of f32.
    #[default]
    Bf16,
    /// 16 bits with more precision and less range.
    F16,
    /// 32 bits.
    F32,
}

/// `export`.
#[derive(Debug, Args)]
pub struct Export {
    /// A safetensors folder or a GGUF file.
    #[arg(long, value_name = "PATH")]
    pub model: PathBuf,
    /// A LoRA adapter in PEFT's format, to be merged in.
    #[arg(long, value_name = "DIR")]
    pub adapter: Option<PathBuf>,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// How the weights are stored.
    #[arg(long = "type", value_enum, default_value_t, value_name = "TYPE")]
    pub kind: Kind,
}

/// How a GGUF file keeps weights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// 16 bits.
    F16,
    /// 8.5 bits.
    #[default]
    #[value(name = "q8_0")]
    Q8_0,
    /// 4.5 bits.
    #[value(name = "q4_0")]
    Q4_0,
}

/// `quantize`.
#[derive(Debug, Args)]
pub struct Quantize {
    /// A safetensors folder or a GGUF file.
    #[arg(long, value_name = "PATH")]
    pub model: PathBuf,
    /// The folder to write.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Keep the quantization constants in 32 bits.
    #[arg(long)]
    pub no_double_quantization: bool,
    /// Data type of what is not quantized: embedding, output head and norms.
    #[arg(long, value_enum, default_value_t)]
    pub dtype: Dtype,
}

/// `plugin`.
#[derive(Debug, Subcommand)]
pub enum Plugin {
    /// List the built-in plugins.
    List,
    /// Show a plugin's capabilities, permissions and settings.
    Inspect {
        /// A built-in plugin's name or the path of a component.
        plugin: String,
    },
    /// Write a starter plugin: an evaluator in Rust, with its cases.
    New {
        /// The folder to write into; its name becomes the plugin's.
        folder: PathBuf,
        /// Build against the SDK in this folder (`plugins/sdk` of a checkout) instead of the published one.
        #[arg(long, value_name = "DIR")]
        sdk: Option<PathBuf>,
    },
    /// Run a plugin's cases in the sandbox.
    Test {
        /// A built-in plugin's name or the path of a component.
        plugin: String,
        /// Case files, or folders of them.
        #[arg(required = true)]
        cases: Vec<PathBuf>,
        /// Plant faults and harmless changes in the cases' correct answers and print, for each measure, the share of faults
        /// that were detected (sensitivity) and of harmless changes that were accepted (specificity).
        #[arg(long)]
        mutate: bool,
    },
}

/// `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// The folder for the two runs.
    #[arg(default_value = "diapason-demo")]
    pub folder: PathBuf,
}
