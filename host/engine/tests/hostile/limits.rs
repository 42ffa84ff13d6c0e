//! States that training goes on from, and what cannot be computed with.

use crate::damage::{copy, damaged, golden, header_end, small, sound};
use candle_core::Device;
use diapason_core::Class;
use diapason_core::config::Train;
use diapason_core::event::Silent;
use diapason_core::language_model::{Decoding, LanguageModel as _};
use diapason_engine::Local;
use diapason_models::Model;
use diapason_train::encode::Example;
use diapason_train::run::{Run, train};
use serde_json::{Value, json};
use std::cell::Cell;

/// The state that a broken-off run goes on from.
#[test]
fn training_states() {
    let config = Train {
        rank: 4,
        batch_size: 2,
        gradient_accumulation: 1,
        save_steps: 1,
        max_steps: Some(6),
        ..Train::default()
    };
    let rows: Vec<Example> = (0..12)
        .map(|i| Example { ids: (0..6).map(|j| i * 7 + j).collect(), learn: (0..6).map(|j| j > 1).collect() })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let broken_off = |passes: usize| {
        let left = Cell::new(passes);
        let interrupted = || left.replace(left.get().saturating_sub(1)) == 0;
        let mut model = Model::open(&golden("llama-tied"), &Device::Cpu).unwrap();
        train(&mut model, Run { interrupted: &interrupted, ..Run::new(&rows, &config, 3, folder.path(), &Silent) })
            .unwrap_err()
    };
    assert!(broken_off(3).to_string().contains("interrupted after step 3"));
    let path = folder.path().join("checkpoints/resume.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    for version in damaged(&bytes, header_end(&bytes), 60, 250, 9).chain(damaged(&bytes, bytes.len(), 0, 50, 10)) {
        std::fs::write(&path, &version).unwrap();
        sound(&broken_off(1), "state");
    }
    small();
}

/// A context of a billion tokens, and somebody who asks for all of it.
#[cfg(target_os = "linux")]
#[test]
fn more_tokens_than_memory_are_refused() {
    let folder = copy(&golden("llama-tied"));
    let path = folder.path().join("config.json");
    let mut config: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    config["max_position_embeddings"] = json!(1 << 30);
    std::fs::write(&path, config.to_string()).unwrap();
    let model = Model::open(folder.path(), &Device::Cpu).unwrap();
    let decoding = Decoding { max_tokens: usize::MAX, ..Decoding::default() };
    let prompts = vec!["x".to_owned(); 16];
    let error = Local::new(&model).generate(&prompts, &decoding, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("16 rows of up to 1073741824 tokens do not fit into memory"), "{error}");
    small();
}

/// Weights that are not numbers would still give an answer.
#[test]
fn weights_that_are_not_numbers_give_no_answer() {
    let folder = copy(&golden("llama-tied"));
    let path = folder.path().join("model.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let start = header_end(&bytes);
    // Not a number in 16 bits, and in 32.
    bytes[start..].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    let model = Model::open(folder.path(), &Device::Cpu).unwrap();
    for temperature in [0.0, 1.0] {
        let decoding = Decoding { max_tokens: 2, temperature, ..Decoding::default() };
        let error = Local::new(&model).generate(&["x".to_owned()], &decoding, &mut |_| {}).unwrap_err();
        assert!(error.to_string().contains("not numbers"), "{error}");
    }
    assert!(
        Local::new(&model)
            .loglikelihood(&[("a".into(), "b".into())], &mut |_| {})
            .unwrap_err()
            .to_string()
            .contains("not numbers")
    );
}

/// A rank above a layer's width is refused with the layer's name.
#[test]
fn a_rank_above_a_layers_width() {
    let mut model = Model::open(&golden("llama-tied"), &Device::Cpu).unwrap();
    let rows = [Example { ids: vec![1, 2, 3], learn: vec![false, true, true] }];
    let folder = tempfile::tempdir().unwrap();
    let config = Train { rank: 17, ..Train::default() };
    let error = train(&mut model, Run::new(&rows, &config, 1, folder.path(), &Silent)).unwrap_err();
    assert_eq!(error.class(), Class::Config);
    let said = "`train.rank` is 17, more than the 16 that `model.layers.0.self_attn.k_proj` is wide";
    assert!(error.to_string().contains(said) && error.hint_text().is_some(), "{error}");
}

/// Sizes that no model has, numbers that make every activation infinite: named, before anything is allocated.
#[test]
fn sizes_and_numbers_that_cannot_be() {
    let folder = copy(&golden("llama-tied"));
    let path = folder.path().join("config.json");
    let whole: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let sizes = [
        "vocab_size",
        "hidden_size",
        "intermediate_size",
        "num_hidden_layers",
        "num_attention_heads",
        "num_key_value_heads",
        "head_dim",
        "max_position_embeddings",
    ];
    let numbers = ["rope_theta", "rms_norm_eps"];
    let mut cases: Vec<(&str, Value)> = Vec::new();
    for name in sizes {
        cases.extend(
            [json!(0), json!(-1), json!(1e18), json!(u64::MAX), json!(1_u64 << 53), json!("8")]
                .map(|value| (name, value)),
        );
    }
    for name in numbers {
        cases.extend([json!(-1), json!(1e308), json!("x"), json!([1])].map(|value| (name, value)));
    }
    cases.push(("tie_word_embeddings", json!("yes")));
    for (name, value) in cases {
        let mut version = whole.clone();
        version["rope_parameters"] = Value::Null;
        version[name] = value.clone();
        std::fs::write(&path, version.to_string()).unwrap();
        let error = Model::outline(folder.path()).expect_err(&format!("{name} = {value}"));
        assert!(error.to_string().contains(name) && error.hint_text().is_some(), "{name} = {value}: {error}");
    }
    small();
}
