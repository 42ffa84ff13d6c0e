//! The command line as it is typed.

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
    /// Write a starter project.
    Init(Init),
    /// Look for faults in the datasets: findings.jsonl.
    Validate(Checked),
    /// Foretell memory, tokens, steps and time of training; exit code 1 where it does not fit.
    Plan(PlanArguments),
    /// Fine-tune the base model: adapter/ or model/, and train.jsonl. Goes on where it was broken off.
    Train(Train),
    /// Let base and tuned answer, and score the answers: outputs.*.jsonl and scores.jsonl.
    Eval(Checked),
    /// Compare base and tuned, paired by sample: comparison.json.
    Compare(Config),
    /// Write the report: report.html, report.md, report.json and junit.xml.
    Report(Checked),
    /// Decide whether the tuned model may be released.
    Gate(Checked),
    /// Check a run folder, or a copy of it: exit code 4 where something differs, else the verdict's.
    Verify(Verify),
    /// All of it; goes on where an earlier run stopped.
    Run(Checked),
    /// Let a model answer one prompt.
    Generate(Generate),
    /// Merge an adapter into its base: a model folder of its own.
    Merge(Merge),
    /// Write a model, with its adapter merged in, as a GGUF file for llama.cpp.
    Export(Export),
    /// Write a model whose linear layers are in 4 bits, as bitsandbytes does.
    Quantize(Quantize),
    /// List, inspect, write and test plugins.
    #[command(subcommand)]
    Plugin(Plugin),
    /// See all of it at work, on a small model that is built in.
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
    /// The configuration of its project, where that is at hand: models, data and plugins are checked too.
    #[arg(long, short, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Which configuration, and which findings do not stop it.
#[derive(Debug, Args)]
pub struct Checked {
    /// Which configuration.
    #[command(flatten)]
    pub config: Config,
    /// Go on in spite of errors that validators found by this rule; the report says so. Can be given several times.
    #[arg(long, value_name = "RULE")]
    pub allow: Vec<String>,
}

/// `train`.
#[derive(Debug, Args)]
pub struct Train {
    /// Which configuration, and which findings do not stop it.
    #[command(flatten)]
    pub checked: Checked,
    /// Print the first N rows' tokens and what of them is learned; train nothing.
    #[arg(long, value_name = "N")]
    pub show: Option<usize>,
}

/// `plan`.
#[derive(Debug, Args)]
pub struct PlanArguments {
    /// Which configuration.
    #[command(flatten)]
    pub config: Config,
    /// Memory to fit into, in GB, instead of what there is.
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

/// `init`.
#[derive(Debug, Args)]
pub struct Init {
    /// The folder to write into.
    #[arg(default_value = ".")]
    pub folder: PathBuf,
    /// Which starter.
    #[arg(long, default_value = "address")]
    pub starter: String,
    /// The base model: a safetensors folder or a GGUF file.
    #[arg(long, value_name = "PATH")]
    pub model: Option<PathBuf>,
    /// Address starter: the labelled addresses, `training/labeled.xml` of the package usaddress.
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
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
    /// Go on with the assistant's turn that the conversation of `--message` ends with.
    #[arg(long = "continue", conflicts_with = "raw")]
    pub continues: bool,
    /// A system message.
    #[arg(long, value_name = "TEXT", conflicts_with = "raw")]
    pub system: Option<String>,
    /// A JSON file with a list of tools.
    #[arg(long, value_name = "FILE", conflicts_with = "raw")]
    pub tools: Option<PathBuf>,
    /// A variable of the chat template, such as `enable_thinking=false`. Can be given several times.
    #[arg(long = "variable", value_name = "NAME=JSON", conflicts_with = "raw")]
    pub variables: Vec<String>,
    /// Continue the prompt as it stands, without a chat template.
    #[arg(long)]
    pub raw: bool,
    /// One of our chat templates or a Jinja file, instead of the model's own; `base` or `adapter` for theirs. Without it, an
    /// adapter's own template goes before its base's.
    #[arg(long, value_name = "NAME", conflicts_with = "raw")]
    pub template: Option<String>,
    /// Which of the model's chat templates, where it has several.
    #[arg(long, value_name = "NAME", conflicts_with = "raw")]
    pub template_name: Option<String>,
    /// Upper limit of new tokens.
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
    /// Number format of the weights.
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
    /// How the weights are kept.
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
    /// Keep the quantisation constants in 32 bits.
    #[arg(long)]
    pub no_double_quantization: bool,
    /// Number format of what is not quantised: embedding, output head and norms.
    #[arg(long, value_enum, default_value_t)]
    pub dtype: Dtype,
}

/// `plugin`.
#[derive(Debug, Subcommand)]
pub enum Plugin {
    /// List the plugins that are built in.
    List,
    /// Show what a plugin can do, what it asks for and which settings it takes.
    Inspect {
        /// A built-in plugin's name or the path of a component.
        plugin: String,
    },
    /// Write a plugin to start from: an evaluator in Rust, with its cases.
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
        /// Plant faults and harmless changes into the cases' right answers and print, for each measure, the share of faults
        /// that were seen (sensitivity) and of harmless changes that were left alone (specificity).
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
