//! A training run handed to another trainer: its rows ([`rows`]) and its settings, in the words of that trainer. What it
//! cannot do as `[train]` says is refused by name.

mod document;
mod fixed;
mod refused;
pub mod rows;
mod table;

pub use document::text;
pub use refused::problems;
pub use table::{Fate, fates};

use diapason_core::config::{Compute, Method, Optimizer, Train};
use diapason_models::adapters::names_layer;
use rows::{Filler, Layout};

/// Who trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// TRL's `SFTTrainer`.
    Trl,
    /// Axolotl.
    Axolotl,
    /// LLaMA-Factory.
    LlamaFactory,
}

impl Tool {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Trl, Self::Axolotl, Self::LlamaFactory];

    /// What its authors call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trl => "TRL",
            Self::Axolotl => "Axolotl",
            Self::LlamaFactory => "LLaMA-Factory",
        }
    }

    /// Which filling rows it keeps: Axolotl drops a row without a label.
    pub fn filler(self) -> Filler {
        match self {
            Self::Axolotl => Filler::FirstLabelled,
            Self::Trl | Self::LlamaFactory => Filler::Unlabelled,
        }
    }

    /// The packages that the settings are written for and were tried with.
    pub fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Trl => &["trl==1.16.0", "transformers==5.24.0", "peft==0.21.2"],
            Self::Axolotl => &["axolotl==0.19.0"],
            Self::LlamaFactory => &["llamafactory==0.9.5"],
        }
    }
}

/// What is handed over.
pub struct Job<'a> {
    /// To whom.
    pub tool: Tool,
    /// The settings.
    pub config: &'a Train,
    /// Seeds what is random there.
    pub seed: u64,
    /// Where the base model is found.
    pub base: &'a str,
    /// The number format that the base's `config.json` names, if it does.
    pub base_dtype: Option<&'a str>,
    /// The rows.
    pub layout: &'a Layout<'a>,
    /// Whether there are held-out rows to watch.
    pub held_out: bool,
}

impl Job<'_> {
    /// Whether it is trained in bfloat16: what training does on a GPU unless it is told otherwise.
    fn is_bf16(&self) -> bool {
        self.config.compute != Compute::F32
    }

    /// Whether the base is quantized to 4 bits.
    pub fn is_qlora(&self) -> bool {
        self.config.method == Method::Qlora
    }

    /// Whether LoRA+ is switched on.
    fn is_lora_plus(&self) -> bool {
        self.config.method.is_adapter() && self.config.lora_plus_ratio != 1.0
    }

    /// A fraction of the steps, rounded up as the schedule does it.
    fn steps(&self, fraction: f64) -> u64 {
        (fraction * self.layout.steps as f64).ceil() as u64
    }

    /// What differs in spite of equal settings, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let (tool, config) = (self.tool.name(), self.config);
        let mut notes = Vec::new();
        if config.method.is_adapter() && config.dropout > 0.0 {
            notes.push(format!("{tool} draws other dropout masks than Diapason, so losses differ from step to step"));
        }
        if config.neftune_alpha > 0.0 {
            notes.push(format!(
                "{tool} draws other noise for NEFTune and scales it by the padded length of a batch, Diapason by a row's"
            ));
        }
        if self.held_out {
            notes.push(format!(
                "{tool} reports the held-out loss as a mean over batches, Diapason as a mean over trained tokens"
            ));
        }
        if self.is_qlora() && self.tool != Tool::Trl && self.is_bf16() {
            notes.push(format!("{tool} rounds the base's weights to bf16 before it quantizes them to 4 bits"));
        }
        if self.config.optimizer == Optimizer::AdamW8bit && self.trains_embedding() && !self.is_lora_plus() {
            notes.push(format!("{tool} keeps the optimizer's averages of the embedding in 32 bits"));
        }
        notes
    }

    fn trains_embedding(&self) -> bool {
        let Train { method, modules_to_save, .. } = self.config;
        let named = |target: &String| names_layer(target, "model.embed_tokens");
        !method.is_adapter() || modules_to_save.iter().any(named)
    }
}
