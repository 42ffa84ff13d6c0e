//! The training step: whatever saves memory or time changes nothing that is trained beyond rounding.
#![allow(clippy::unwrap_used, missing_docs)]

use candle_core::{Device, Tensor};
use diapason_core::config::{Method, Train};
use diapason_models::Model;
use diapason_models::formats::Format;
use diapason_train::encode::Example;
use diapason_train::run::{Pass, Trainer, mean_loss, trainable};
use std::path::Path;

const METHODS: [Method; 3] = [Method::Lora, Method::Qlora, Method::Full];

fn model(method: Method) -> Model {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/golden/qwen3");
    let train = Train { method, ..Train::default() };
    Model::open_as(&path, Format::of_run(&train, false), &Device::Cpu).unwrap()
}

/// Twelve rows of 3 to 25 tokens.
fn examples() -> Vec<Example> {
    let row = |i: u32| {
        let n = 3 + (i * 7 % 23) as usize;
        let ids = (0..n as u32).map(|j| (i * 31 + j * j * 17) % 256).collect();
        Example { ids, learn: (0..n).map(|j| j > n / 3).collect() }
    };
    (0..12).map(row).collect()
}

fn settings(method: Method) -> Train {
    Train { method, rank: 4, dropout: 0.0, batch_size: 4, max_sequence_length: 64, ..Train::default() }
}

/// One step's gradients, after two updates, so that no part of an adapter is zero.
fn pass(method: Method, change: impl Fn(&mut Train)) -> Pass {
    let mut config = settings(method);
    let mut model = model(method);
    let vars = trainable::prepare(&mut model, &config, 7).unwrap();
    let rows: Vec<usize> = (0..12).collect();
    let mut trainer = Trainer::new(&vars, &config, 7);
    for _ in 0..2 {
        let pass = trainer.gradients(model.llama(), &examples(), &rows).unwrap();
        trainer.update(&pass, 1e-2).unwrap();
    }
    change(&mut config);
    Trainer::new(&vars, &config, 7).gradients(model.llama(), &examples(), &rows).unwrap()
}

#[track_caller]
fn assert_same(a: &Pass, b: &Pass) {
    assert!((a.loss - b.loss).abs() < 1e-5, "loss {} and {}", a.loss, b.loss);
    assert_eq!((a.tokens, a.trained), (b.tokens, b.trained));
    let worst = |a: &Tensor, b: &Tensor| {
        let (difference, size) = ((a - b).unwrap().abs().unwrap(), a.abs().unwrap());
        let largest = |x: Tensor| x.flatten_all().unwrap().max(0).unwrap().to_scalar::<f32>().unwrap();
        largest(difference) / largest(size).max(1e-6)
    };
    for (i, (a, b)) in a.gradients.iter().zip(&b.gradients).enumerate() {
        assert!(worst(a, b) < 1e-4, "gradient {i} differs by {}", worst(a, b));
    }
}

#[test]
fn packing_changes_nothing() {
    for method in METHODS {
        assert_same(&pass(method, |_| ()), &pass(method, |config| config.packing = true));
    }
}

#[test]
fn splitting_a_step_changes_nothing() {
    for method in METHODS {
        assert_same(&pass(method, |_| ()), &pass(method, |config| config.batch_size = 1));
    }
}

#[test]
fn gradient_checkpointing_changes_nothing_dropout_and_noise_included() {
    for method in METHODS {
        let noisy = |config: &mut Train| (config.dropout, config.neftune_alpha) = (0.2, 5.0);
        let checkpointed = |config: &mut Train| {
            noisy(config);
            config.gradient_checkpointing = true;
        };
        assert_same(&pass(method, noisy), &pass(method, checkpointed));
    }
}

#[test]
fn noise_changes_the_loss_a_little() {
    let (plain, noisy) = (pass(Method::Lora, |_| ()), pass(Method::Lora, |config| config.neftune_alpha = 5.0));
    let difference = (plain.loss - noisy.loss).abs();
    assert!(difference > 1e-4 && difference < 1.0, "{difference}");
}

#[test]
fn the_held_out_loss_is_the_loss_of_a_step() {
    for method in METHODS {
        let mut model = model(method);
        let config = settings(method);
        let vars = trainable::prepare(&mut model, &config, 7).unwrap();
        let rows: Vec<usize> = (0..12).collect();
        let step = Trainer::new(&vars, &config, 7).gradients(model.llama(), &examples(), &rows).unwrap();
        let loss =
            trainable::without_gradients(&mut model, &vars, &config, |model| mean_loss(model.llama(), &examples(), 5));
        assert!((loss.unwrap() - step.loss).abs() < 1e-5);
        let again = Trainer::new(&vars, &config, 7).gradients(model.llama(), &examples(), &rows).unwrap();
        assert_eq!((step.loss, step.norm), (again.loss, again.norm), "trainable again");
    }
}
