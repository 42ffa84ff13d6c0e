//! What is foretold of a run against what opening and preparing it really takes.
#![allow(clippy::unwrap_used)]

use candle_core::Device;
use diapason_core::config::{Method, Train};
use diapason_models::Model;
use diapason_models::formats::Format;
use diapason_train::forecast::{Load, Machine, Pass, flops, memory};
use diapason_train::run::trainable;
use std::path::{Path, PathBuf};

const MODELS: [&str; 4] = ["llama-tied", "llama-biases", "qwen2", "qwen3"];
const PASS: Pass = Pass { tokens: 64, trained: 64 };

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/golden").join(name)
}

#[test]
fn an_outline_has_the_models_shape_and_tokenizer() {
    for name in MODELS {
        let (outline, model) =
            (Model::outline(&folder(name)).unwrap(), Model::open(&folder(name), &Device::Cpu).unwrap());
        assert_eq!(outline.parameters(), model.parameters(), "{name}");
        assert_eq!(outline.llama().config(), model.llama().config());
        assert_eq!(outline.digests().tokenizer, model.digests().tokenizer);
    }
}

#[test]
fn weights_and_adapter_are_foretold_to_the_byte() {
    for name in MODELS {
        let outline = Model::outline(&folder(name)).unwrap();
        for method in [Method::Lora, Method::Qlora] {
            let config = Train { method, rank: 4, dora: true, ..Train::default() };
            let mut model = Model::open_as(&folder(name), Format::of_run(&config, false), &Device::Cpu).unwrap();
            let foretold = memory(outline.llama(), &config, PASS, false, 0, Machine::Cpu);
            let weights: usize = model.llama().parameters().iter().map(|(_, weight)| weight.bytes()).sum();
            // Of small tensors in 4 bits each block's start costs a few bytes more.
            let slack = if method == Method::Qlora { 0.02 } else { 0.0 };
            assert!((foretold.weights as f64 / weights as f64 - 1.0).abs() <= slack, "{name}: {foretold:?}, {weights}");
            let vars = trainable::prepare(&mut model, &config, 1).unwrap();
            let trained: usize = vars.iter().map(|(_, var)| var.elem_count()).sum();
            assert_eq!(foretold.adapter, 4 * trained as u64, "{name}");
            assert_eq!(foretold.gradients, 4 * trained as u64);
            assert_eq!(foretold.optimizer, 8 * trained as u64);
        }
    }
}

#[test]
fn checkpointing_costs_arithmetic_and_saves_memory() {
    let outline = Model::outline(&folder("llama-tied")).unwrap();
    let plain = Train::default();
    let checkpointing = Train { gradient_checkpointing: true, ..Train::default() };
    let of =
        |config: &Train| memory(outline.llama(), config, Pass { tokens: 4096, trained: 1 }, false, 0, Machine::Cpu);
    assert!(of(&checkpointing).activations < of(&plain).activations);
    let load = Load { steps: 1, passes: 1, tokens: 4096, trained: 1, pairs: 4096, largest: PASS };
    assert!(flops(outline.llama(), &checkpointing, &load) > flops(outline.llama(), &plain, &load));
}
