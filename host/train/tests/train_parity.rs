//! Training of tiny models against PyTorch and PEFT (`tests/oracles/train_parity.py`): the same start, the same rows in
//! the same order, the same loss at every step.
#![allow(clippy::unwrap_used, missing_docs)]

use candle_core::{Device, Tensor, Var};
use diapason_core::config::{Method, Schedule, Train};
use diapason_models::Model;
use diapason_models::formats::Format;
use diapason_models::linear::Mode;
use diapason_nn::layout::{Sequences, Span};
use diapason_train::encode::Example;
use diapason_train::run::{Trainer, trainable};
use diapason_train::schedule::LearningRate;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const MODELS: [&str; 4] = ["llama-tied", "llama-biases", "qwen2", "qwen3"];

#[derive(Deserialize)]
struct Golden {
    rows: Vec<Row>,
    order: Vec<Vec<usize>>,
    warmup: f64,
    rank: usize,
    alpha: f64,
    probe: Vec<u32>,
    runs: BTreeMap<String, Run>,
}

#[derive(Deserialize)]
struct Row {
    ids: Vec<u32>,
    learn: Vec<bool>,
}

#[derive(Deserialize)]
struct Run {
    rate: f64,
    losses: Vec<f64>,
    norms: Vec<f64>,
    logits: Vec<f32>,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/golden").join(name)
}

fn golden(name: &str) -> Golden {
    serde_json::from_str(&std::fs::read_to_string(folder("train").join(format!("{name}.json"))).unwrap()).unwrap()
}

fn settings(method: Method, golden: &Golden) -> Train {
    Train {
        method,
        rank: golden.rank,
        alpha: golden.alpha,
        dropout: 0.0,
        target_modules: vec!["all-linear".into()],
        batch_size: 4,
        weight_decay: 0.01,
        ..Train::default()
    }
}

fn probe(model: &Model, ids: &[u32]) -> Vec<f32> {
    let input = Tensor::new(ids, &Device::Cpu).unwrap().unsqueeze(0).unwrap();
    let spans = vec![Span { offset: 0, keys: ids.len() }];
    let hidden = model.llama().forward_hidden(&input, &Sequences::Padded(spans), None, &Mode::Inference).unwrap();
    let logits = model.llama().logits(&hidden.narrow(1, ids.len() - 1, 1).unwrap(), &Mode::Inference).unwrap();
    logits.flatten_all().unwrap().to_vec1().unwrap()
}

#[track_caller]
fn assert_close(name: &str, ours: &[f32], theirs: &[f32], tolerance: f32) {
    assert_eq!(ours.len(), theirs.len());
    let worst = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= tolerance, "{name}: logits differ by {worst}");
}

/// Trains and compares the loss, and the gradients' norm before clipping, at every step; then the logits.
fn run(name: &str, model: &Model, vars: &[(String, Var)], settings: &Train, golden: &Golden, expected: &Run) {
    let rows = golden.rows.iter().map(|row| Example { ids: row.ids.clone(), learn: row.learn.clone() });
    let examples: Vec<Example> = rows.collect();
    let rate = LearningRate::new(expected.rate, Schedule::Cosine, golden.warmup, 0.0, golden.order.len() as u64);
    let mut trainer = Trainer::new(vars, settings, 1);
    for (step, rows) in (1..).zip(&golden.order) {
        let pass = trainer.gradients(model.llama(), &examples, rows).unwrap();
        let (loss, norm) = (expected.losses[step - 1], expected.norms[step - 1]);
        assert!((pass.loss - loss).abs() <= 2e-5, "{name}, step {step}: loss {} for {loss}", pass.loss);
        assert!((pass.norm / norm - 1.0).abs() <= 1e-3, "{name}, step {step}: norm {} for {norm}", pass.norm);
        trainer.update(&pass, rate.at(step as u64)).unwrap();
    }
    assert_close(name, &probe(model, &golden.probe), &expected.logits, 2e-4);
}

#[test]
fn full_training_equals_pytorch() {
    for name in MODELS {
        let golden = golden(name);
        let mut model = Model::open(&folder(name), &Device::Cpu).unwrap();
        let settings = settings(Method::Full, &golden);
        let vars = trainable::prepare(&mut model, &settings, 1).unwrap();
        run(name, &model, &vars, &settings, &golden, &golden.runs["full"]);
    }
}

/// Trains a variant of LoRA from PEFT's initial A matrices.
fn check(variant: &str, initial: &str, change: impl Fn(&Model, &mut Train)) {
    for name in MODELS {
        let golden = golden(name);
        let mut settings = settings(Method::Lora, &golden);
        let mut model = Model::open(&folder(name), &Device::Cpu).unwrap();
        change(&model, &mut settings);
        if settings.method == Method::Qlora {
            model = Model::open_as(&folder(name), Format::of_run(&settings, false), &Device::Cpu).unwrap();
        }
        let vars = trainable::prepare(&mut model, &settings, 1).unwrap();
        let initial = folder("train").join(format!("{name}.{initial}.initial.safetensors"));
        let initial = candle_core::safetensors::load(initial, &Device::Cpu).unwrap();
        let matrices: Vec<_> = vars.iter().filter(|(name, _)| name.ends_with("lora_A.weight")).collect();
        assert_eq!(initial.len(), matrices.len());
        matrices.into_iter().for_each(|(name, var)| var.set(&initial[name]).unwrap());
        run(&format!("{name} {variant}"), &model, &vars, &settings, &golden, &golden.runs[variant]);
        // For `train_parity.py --check`, which opens this with PEFT.
        if let Some(out) = std::env::var_os("DIAPASON_PARITY_OUT").filter(|_| variant != "qlora") {
            let out = Path::new(&out).join(format!("{name}.{variant}"));
            diapason_models::adapters::save(&model, &settings, &out).unwrap();
            std::fs::write(out.join("logits.json"), serde_json::to_string(&probe(&model, &golden.probe)).unwrap())
                .unwrap();
        }
    }
}

#[test]
fn lora_training_equals_peft() {
    check("lora", "lora", |_, _| ());
}

#[test]
fn dora_training_equals_peft() {
    check("dora", "lora", |_, settings| settings.dora = true);
}

#[test]
fn qlora_training_equals_peft_on_the_weights_of_bitsandbytes() {
    check("qlora", "lora", |_, settings| settings.method = Method::Qlora);
}

#[test]
fn lora_plus_training_equals_peft() {
    check("plus", "lora", |_, settings| settings.lora_plus_ratio = 3.0);
}

#[test]
fn rslora_with_patterns_and_a_whole_output_head_equals_peft() {
    check("patterns", "patterns", |model, settings| {
        let named =
            |entries: &[(&str, usize)]| entries.iter().map(|(name, rank)| ((*name).to_owned(), *rank)).collect();
        settings.rslora = true;
        settings.rank_pattern = named(&[("layers.0.self_attn.q_proj", 3), ("q_proj", 2), ("up_proj", 6)]);
        settings.alpha_pattern = [("q_proj".to_owned(), 5.0), ("down_proj".to_owned(), 12.0)].into();
        if !model.llama().config().tied {
            settings.modules_to_save = vec!["lm_head".into()];
        }
    });
}

#[test]
fn adapters_of_peft_are_read() {
    for name in MODELS {
        let golden = golden(name);
        let mut model = Model::open(&folder(name), &Device::Cpu).unwrap();
        let bare = probe(&model, &golden.probe);
        for variant in ["lora", "dora", "patterns"] {
            model.attach_adapter(&folder("train").join(format!("{name}.{variant}"))).unwrap();
            let found = probe(&model, &golden.probe);
            assert_close(&format!("{name} {variant}"), &found, &golden.runs[variant].logits, 2e-4);
        }
        model.detach_adapter();
        assert_close(name, &probe(&model, &golden.probe), &bare, 0.0);
    }
}
