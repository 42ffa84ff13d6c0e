//! Training and generation.

use anyhow::Result;
use diapason_core::config::Train;
use diapason_core::event::Event;
use diapason_core::language_model::{Decoding, LanguageModel};
use diapason_engine::Local;
use diapason_models::Model;
use diapason_nn::device;
use diapason_train::encode::Example;
use diapason_train::run::{self, Run};
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

const ROWS: usize = 4;
const LENGTH: usize = 256;

pub(super) fn run(path: &Path, steps: usize) -> Result<()> {
    let start = Instant::now();
    let mut model = Model::open(path, &device::parse("cpu")?)?;
    println!("\n{} parameters opened in {:.2} s", model.parameters(), start.elapsed().as_secs_f64());
    for (prompts, tokens) in [(1, 64), (16, 64)] {
        generation(&model, prompts, tokens)?;
    }
    training(&mut model, steps)
}

fn generation(model: &Model, prompts: usize, max_tokens: usize) -> Result<()> {
    let texts: Vec<String> =
        (0..prompts).map(|i| format!("Here is story number {i} about a tuning fork. Once")).collect();
    let decoding = Decoding { max_tokens, ..Decoding::default() };
    let start = Instant::now();
    let tokens: usize = Local::new(model)
        .batched(prompts)
        .generate(&texts, &decoding, &mut |_| ())?
        .iter()
        .map(|completion| completion.tokens)
        .sum();
    println!(
        "generation, {prompts:>2} prompts side by side: {:.1} tokens/s",
        tokens as f64 / start.elapsed().as_secs_f64()
    );
    Ok(())
}

/// LoRA, r = 16 on all linear layers, 4 × 256 tokens, all supervised.
fn training(model: &mut Model, steps: usize) -> Result<()> {
    let vocabulary = 1000;
    let ids = |row: usize| (0..LENGTH).map(|i| ((row * 7919 + i * 104_729) % vocabulary) as u32).collect();
    let examples: Vec<_> =
        (0..ROWS * (steps + 1)).map(|row| Example { ids: ids(row), learn: vec![true; LENGTH] }).collect();
    let linear = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];
    let settings = Train {
        target_modules: linear.map(String::from).into(),
        batch_size: ROWS,
        gradient_accumulation: 1,
        epochs: 1,
        dropout: 0.0,
        logging_steps: 1,
        save_per_epoch: false,
        ..Train::default()
    };
    let times = Mutex::new(Vec::new());
    let sink = |event: &Event| {
        if let (Event::Step(step), Ok(mut times)) = (event, times.lock()) {
            times.push(step.tokens as f64 / step.seconds);
        }
    };
    let folder = tempfile::tempdir()?;
    run::train(model, Run::new(&examples, &settings, 1, folder.path(), &sink))?;
    let mut rates = times.into_inner().unwrap_or_default().split_off(1);
    rates.sort_by(f64::total_cmp);
    println!(
        "training, LoRA r 16 all-linear, {ROWS} x {LENGTH}: {:.0} tokens/s (median of {})",
        rates[rates.len() / 2],
        rates.len()
    );
    Ok(())
}
