//! `[train]`: how a model is fine-tuned.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What training changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Low-rank adapters on frozen weights.
    Lora,
    /// Low-rank adapters on frozen weights in 4-bit NormalFloat.
    Qlora,
    /// Every parameter.
    Full,
}

impl Method {
    /// Whether an adapter is trained rather than the model itself.
    pub fn is_adapter(self) -> bool {
        self != Self::Full
    }
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
    /// Warm-up, stable, decay: stays, then falls to 0 in a straight line over the last `decay` of the steps.
    Wsd,
}

/// What keeps the optimizer's two moving averages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Optimizer {
    /// AdamW with its averages in 32 bits.
    #[serde(rename = "adamw")]
    AdamW,
    /// AdamW with its averages in 8 bits, quantised in blocks of 256.
    #[serde(rename = "adamw-8bit")]
    AdamW8bit,
}

/// The number format of frozen weights and, on a GPU, of the arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Compute {
    /// `f32` on the CPU, `bf16` on a GPU.
    Auto,
    /// 32 bits.
    F32,
    /// 16 bits with the range of 32. The CPU keeps frozen weights so, and computes in 32 bits.
    Bf16,
}

/// What becomes of a row with more tokens than `max_sequence_length`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Overlong {
    /// Training is refused.
    Refuse,
    /// Its end is cut off, and it is reported.
    Truncate,
    /// It is left out, and reported.
    Drop,
}

/// When to stop before the last step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EarlyStopping {
    /// `loss` of the held-out rows, or `suite.plugin.measure`: the tuned model's mean on a suite, a development split that
    /// shares no row with a suite that has rules.
    pub metric: String,
    /// Stop after this many looks in a row without a better value; the best state is what is kept.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub patience: usize,
    /// A value counts as better only if it is so by more than this.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub min_delta: f64,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self { metric: "loss".into(), patience: 3, min_delta: 0.0 }
    }
}

/// The linear layers of a Llama-family block, by the names that adapters use for them.
pub const TARGETS: [&str; 7] = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

/// Fine-tuning. The defaults are common LoRA practice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Train {
    /// `lora`, `qlora` or `full`.
    pub method: Method,
    /// LoRA: rank r of the adapter.
    #[schemars(range(min = 1, max = 65_536))]
    pub rank: usize,
    /// LoRA: the update is scaled by alpha / rank.
    #[schemars(range(max = 1_000_000), extend("exclusiveMinimum" = 0))]
    pub alpha: f64,
    /// LoRA: dropout on the adapter's input while training.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub dropout: f64,
    /// LoRA: names of the adapted linear layers, or `all-linear`: all but the output head.
    #[schemars(length(min = 1))]
    pub target_modules: Vec<String>,
    /// LoRA: other ranks for some layers, by name: `q_proj`, `layers.0.mlp.up_proj`. The longest name that fits counts.
    pub rank_pattern: BTreeMap<String, usize>,
    /// LoRA: other alphas for some layers.
    pub alpha_pattern: BTreeMap<String, f64>,
    /// LoRA: parts of the model that are trained in full beside the adapter: `lm_head`, `embed_tokens`.
    pub modules_to_save: Vec<String>,
    /// LoRA: scale by alpha / √rank instead (rank-stabilised LoRA, <https://arxiv.org/abs/2312.03732>).
    pub rslora: bool,
    /// LoRA: train the weights' magnitudes apart from their directions (<https://arxiv.org/abs/2402.09353>).
    pub dora: bool,
    /// LoRA: B's learning rate is this times A's (LoRA+, <https://arxiv.org/abs/2402.12354>); 16 is its authors' choice.
    #[schemars(range(max = 1_000_000), extend("exclusiveMinimum" = 0))]
    pub lora_plus_ratio: f64,
    /// QLoRA: quantise the quantisation constants too.
    pub double_quantization: bool,
    /// `auto`, `f32` or `bf16`.
    pub compute: Compute,
    /// Rows in one forward pass.
    #[schemars(range(min = 1, max = 65_536))]
    pub batch_size: usize,
    /// Forward passes in one optimizer step.
    #[schemars(range(min = 1, max = 65_536))]
    pub gradient_accumulation: usize,
    /// Put rows one behind the other instead of padding them; none sees another. The loss is the same.
    pub packing: bool,
    /// Keep only each layer's input and compute the rest again in the backward pass: less memory, more time.
    pub gradient_checkpointing: bool,
    /// Noise on the embeddings while training (NEFTune, <https://arxiv.org/abs/2310.05914>); 0 switches it off, 5 is usual.
    #[schemars(range(min = 0, max = 1_000))]
    pub neftune_alpha: f64,
    /// `adamw` or `adamw-8bit`.
    pub optimizer: Optimizer,
    /// Peak learning rate.
    #[schemars(range(max = 10), extend("exclusiveMinimum" = 0))]
    pub learning_rate: f64,
    /// Shape of the learning rate over the run.
    pub schedule: Schedule,
    /// Fraction of the steps in which the learning rate rises from 0.
    #[schemars(range(min = 0, max = 1))]
    pub warmup: f64,
    /// Schedule `wsd`: fraction of the steps, the last ones, in which the learning rate falls to 0.
    #[schemars(range(min = 0, max = 1))]
    pub decay: f64,
    /// AdamW's decoupled weight decay.
    #[schemars(range(min = 0, max = 100))]
    pub weight_decay: f64,
    /// Gradients are scaled so that their joint L2 norm is at most this; 0 switches it off.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub max_gradient_norm: f64,
    /// Passes over the data.
    #[schemars(range(min = 1, max = 10_000))]
    pub epochs: usize,
    /// Stop after this many optimizer steps, whatever the epochs.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub max_steps: Option<usize>,
    /// Report the loss every so many steps.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub logging_steps: usize,
    /// Look at the held-out loss and the early-stopping metric every so many steps. Default: after every epoch.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub eval_steps: Option<usize>,
    /// Stop early; off unless this table is there.
    pub early_stopping: Option<EarlyStopping>,
    /// Save what a broken-off run needs to go on, every so many steps.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub save_steps: usize,
    /// Keep the adapter of every epoch under `checkpoints/`.
    pub save_per_epoch: bool,
    /// Longest row in tokens.
    #[schemars(range(min = 2, max = 1_048_576))]
    pub max_sequence_length: usize,
    /// What becomes of a longer row: `refuse`, `truncate` or `drop`.
    pub overlong: Overlong,
}

impl Default for Train {
    fn default() -> Self {
        Self {
            method: Method::Lora,
            rank: 16,
            alpha: 32.0,
            dropout: 0.05,
            target_modules: vec!["all-linear".into()],
            rank_pattern: BTreeMap::new(),
            alpha_pattern: BTreeMap::new(),
            modules_to_save: Vec::new(),
            rslora: false,
            dora: false,
            lora_plus_ratio: 1.0,
            double_quantization: true,
            compute: Compute::Auto,
            batch_size: 4,
            gradient_accumulation: 4,
            packing: false,
            gradient_checkpointing: false,
            neftune_alpha: 0.0,
            optimizer: Optimizer::AdamW,
            learning_rate: 2e-4,
            schedule: Schedule::Linear,
            warmup: 0.03,
            decay: 0.1,
            weight_decay: 0.0,
            max_gradient_norm: 1.0,
            epochs: 3,
            max_steps: None,
            logging_steps: 10,
            eval_steps: None,
            early_stopping: None,
            save_steps: 100,
            save_per_epoch: true,
            max_sequence_length: 2048,
            overlong: Overlong::Refuse,
        }
    }
}

impl Train {
    /// The adapter's rank and alpha for the layer `name`.
    pub fn rank_alpha(&self, name: &str) -> (usize, f64) {
        let rank = pattern_value(&self.rank_pattern, name).copied().unwrap_or(self.rank);
        (rank, pattern_value(&self.alpha_pattern, name).copied().unwrap_or(self.alpha))
    }

    /// What an adapter's update is multiplied by in the layer `name`: alpha / rank, or alpha / √rank with rsLoRA.
    pub fn scale(&self, name: &str) -> f64 {
        let (rank, alpha) = self.rank_alpha(name);
        alpha / if self.rslora { (rank as f64).sqrt() } else { rank as f64 }
    }
}

/// The value of the longest key that is `name` or its last parts.
pub fn pattern_value<'a, T>(pattern: &'a BTreeMap<String, T>, name: &str) -> Option<&'a T> {
    let fits = |key: &str| name.strip_suffix(key).is_some_and(|before| before.is_empty() || before.ends_with('.'));
    pattern.iter().filter(|(key, _)| fits(key)).max_by_key(|(key, _)| key.len()).map(|(_, value)| value)
}
