//! `cargo x base`: the recipe of the demo. Writes its datasets, and trains its base model from scratch with the same
//! loop that fine-tunes.

mod corpus;
mod tasks;
mod tokenizer;
mod words;

use crate::root;
use anyhow::Result;
use diapason_core::config::{Method, Schedule, Train};
use diapason_core::event::Event;
use diapason_core::sample::Segment;
use diapason_models::Model;
use diapason_models::families;
use diapason_train::encode::{Example, encode};
use diapason_train::run::{self, Run};
use std::path::PathBuf;

/// Options of `cargo x base`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Folder of the demo project.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Pretraining rows; each is seen once.
    #[arg(long, default_value_t = 204_800)]
    rows: usize,
    /// Seeds the data and the model.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Write the datasets only.
    #[arg(long)]
    data_only: bool,
}

/// Writes the demo's data and trains its base.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let folder = arguments.folder.clone().unwrap_or_else(|| root().join("templates/project/demo"));
    corpus::write_demo(&folder.join("data"), arguments.seed)?;
    if arguments.data_only {
        return Ok(());
    }
    let rows = corpus::pretraining(arguments.rows, arguments.seed + 1);
    let tokenizer = tokenizer::train(&rows[..rows.len().min(20_000)])?;
    let config = families::Config::from_json(&shape())?;
    let mut model = Model::init(config, tokenizer, Some(TEMPLATE.into()), &[END], arguments.seed)?;
    let text = model.tokenizer();
    let examples = rows.iter().map(|row| encode(text.as_ref(), &render(row))).collect::<Result<Vec<Example>, _>>()?;
    let out = tempfile::tempdir()?;
    let outcome = run::train(&mut model, Run::new(&examples, &recipe(), arguments.seed, out.path(), &print))?;
    println!("{} steps, {} tokens, final loss {:.4}", outcome.steps, outcome.tokens, outcome.final_loss);
    Ok(model.save(&folder.join("base"), diapason_nn::SaveType::F16)?)
}

const TEMPLATE: &str = include_str!("chat_template.jinja");

/// 0.85 million parameters.
fn shape() -> serde_json::Value {
    serde_json::json!({
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": tokenizer::VOCABULARY,
        "hidden_size": 128,
        "intermediate_size": 336,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10_000.0,
        "tie_word_embeddings": true,
        "pad_token_id": 0,
        "eos_token_id": END,
    })
}

/// The token `<|end|>`.
const END: u32 = 4;

fn recipe() -> Train {
    Train {
        method: Method::Full,
        batch_size: 32,
        gradient_accumulation: 2,
        learning_rate: 3e-3,
        schedule: Schedule::Linear,
        warmup: 0.04,
        weight_decay: 0.01,
        epochs: 1,
        logging_steps: 50,
        save_per_epoch: false,
        max_sequence_length: 256,
        ..Train::default()
    }
}

/// What the template below makes of a row; written out because it runs no component.
fn render(row: &tasks::Row) -> [Segment; 2] {
    [
        Segment { text: format!("<|user|>{}<|end|><|assistant|>", row.prompt), learn: false },
        Segment { text: format!("{}<|end|>", row.answer), learn: true },
    ]
}

fn print(event: &Event) {
    if let Event::Step(step) = event {
        println!(
            "step {}/{} loss {:.4} {:.0} tok/s",
            step.step,
            step.steps,
            step.loss,
            step.tokens as f64 / step.seconds
        );
    }
}
