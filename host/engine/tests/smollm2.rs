//! The real model, where its path is given.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

use candle_core::{Device, Tensor};
use diapason_core::language_model::{Decoding, LanguageModel};
use diapason_engine::Local;
use diapason_models::Model;
use diapason_models::linear::Mode;
use diapason_nn::layout::{Sequences, Span};
use std::path::Path;

fn open() -> Option<Model> {
    let Ok(path) = std::env::var("DIAPASON_SMOLLM2") else {
        eprintln!("skipped: DIAPASON_SMOLLM2 does not name SmolLM2-135M-Instruct.Q4_1.gguf");
        return None;
    };
    Some(Model::open(Path::new(&path), &Device::Cpu).unwrap())
}

/// Token ids and logits by transformers 5 on the same file, dequantised to f32.
#[test]
fn agrees_with_transformers() {
    let Some(model) = open() else { return };
    let ids = model.tokenizer().encode("The capital of France is").unwrap();
    assert_eq!(ids, [504, 3575, 282, 4649, 314]);
    let ids = Tensor::from_vec(ids, (1, 5), &Device::Cpu).unwrap();
    let hidden = model
        .llama()
        .forward_hidden(&ids, &Sequences::Padded(vec![Span { offset: 0, keys: 5 }]), None, &Mode::Inference)
        .unwrap();
    let logits = model.llama().logits(&hidden.narrow(1, 4, 1).unwrap(), &Mode::Inference).unwrap();
    let logits: Vec<f32> = logits.flatten_all().unwrap().to_vec1().unwrap();
    let expected = [(7042, 17.3713), (260, 14.8886), (4528, 13.2450), (2250, 13.0095), (1315, 12.9515)];
    for (id, logit) in expected {
        assert!((logits[id] - logit).abs() < 2e-3, "token {id}: {} for {logit}", logits[id]);
    }
    let larger = logits.iter().filter(|logit| **logit > 12.9515 - 2e-3).count();
    assert_eq!(larger, expected.len(), "no other token is among the five likeliest");
}

#[test]
fn knows_its_template_and_where_a_turn_ends() {
    let Some(model) = open() else { return };
    assert_eq!(model.parameters(), 134_515_008);
    assert!(model.chat_template().unwrap().contains("<|im_start|>"));
    assert_eq!(model.special_tokens()["eos_token"], "<|im_end|>");
    assert_eq!(model.tokenizer().decode(&[504, 1, 3575]).unwrap(), "The capital");
    let prompt = "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n".to_owned();
    let decoding = Decoding { max_tokens: 32, ..Decoding::default() };
    let answer = &Local::new(&model).generate(&[prompt], &decoding, &mut |_| {}).unwrap()[0];
    assert!(answer.text.contains("Paris"), "{answer:?}");
}
