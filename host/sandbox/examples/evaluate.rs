//! Scores two answers with an evaluator: a component in the sandbox.
//!
//!     cargo run --release -p diapason-sandbox --example evaluate plugins/prebuilt/eval-accuracy.wasm

// An example speaks to whoever runs it.
#![allow(clippy::print_stdout)]

use diapason_core::config::Limits;
use diapason_core::language_model::{Completion, Finish};
use diapason_core::sample::{Message, Sample};
use diapason_core::score::Observation;
use diapason_core::{Error, Result};
use diapason_sandbox::{Engine, Evaluator, Grants, Plugin};
use std::path::Path;

fn main() -> Result<()> {
    let path = std::env::args().nth(1).ok_or_else(|| Error::config("no component is named"))?;
    let engine = Engine::new(None)?;
    let plugin = Plugin::load(&engine, Path::new(&path), &Limits::default())?;
    println!("{} {}: {}", plugin.id(), plugin.version(), plugin.summary());
    let mut evaluator = Evaluator::new(&plugin, &serde_json::Map::new(), &Grants::default())?;
    let observations = [("a", "Paris"), ("b", "London")].map(|(id, answer)| observation(id, answer));
    for judgement in evaluator.score(&observations)? {
        println!("{:?}", judgement.outcome);
    }
    Ok(())
}

fn observation(id: &str, answer: &str) -> Observation {
    let sample = Sample {
        id: id.into(),
        messages: vec![Message::new("user", "What is the capital of France?")],
        reference: Some("Paris".into()),
        ..Sample::default()
    };
    let completion = Completion { text: answer.into(), tokens: 1, finish: Finish::Stop };
    Observation { sample, completions: vec![completion], likelihoods: Vec::new() }
}
