//! Adapters as PEFT 0.21.2 writes them (`tests/oracles/peft_adapters.py`): read with PEFT's own result, or refused by name.
#![allow(clippy::unwrap_used, missing_docs)]

use candle_core::{Device, Tensor};
use diapason_core::{Class, Error};
use diapason_models::Model;
use diapason_models::linear::Mode;
use diapason_nn::layout::{Sequences, Span};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Expected {
    ids: Vec<u32>,
    adapters: BTreeMap<String, Adapter>,
}

#[derive(Deserialize)]
struct Adapter {
    model: String,
    logits: Vec<f32>,
}

#[derive(Deserialize)]
struct Refused {
    options: BTreeMap<String, Vec<Map<String, Value>>>,
    methods: BTreeMap<String, Map<String, Value>>,
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn open(name: &str) -> Model {
    Model::open(&golden(name), &Device::Cpu).unwrap()
}

fn logits(model: &Model, ids: &[u32]) -> Vec<f32> {
    let input = Tensor::new(ids, &Device::Cpu).unwrap().unsqueeze(0).unwrap();
    let spans = vec![Span { offset: 0, keys: ids.len() }];
    let hidden = model.llama().forward_hidden(&input, &Sequences::Padded(spans), None, &Mode::Inference).unwrap();
    let logits = model.llama().logits(&hidden.narrow(1, ids.len() - 1, 1).unwrap(), &Mode::Inference).unwrap();
    logits.flatten_all().unwrap().to_vec1().unwrap()
}

fn expected() -> Expected {
    serde_json::from_str(&std::fs::read_to_string(golden("adapters/expected.json")).unwrap()).unwrap()
}

/// Writes the adapter `name` with another configuration, attaches it and gives the error, which `check` gives too.
#[track_caller]
fn refused(name: &str, change: impl Fn(&mut Map<String, Value>)) -> Error {
    let folder = tempfile::tempdir().unwrap();
    let from = golden("adapters").join(name);
    let text = std::fs::read_to_string(from.join("adapter_config.json")).unwrap();
    let mut config: Map<String, Value> = serde_json::from_str(&text).unwrap();
    change(&mut config);
    std::fs::write(folder.path().join("adapter_config.json"), serde_json::to_string_pretty(&config).unwrap()).unwrap();
    std::fs::copy(from.join("adapter_model.safetensors"), folder.path().join("adapter_model.safetensors")).unwrap();
    error(&expected().adapters[name].model, folder.path())
}

#[track_caller]
fn error(model: &str, folder: &Path) -> Error {
    let mut model = open(model);
    let error = model.attach_adapter(folder).unwrap_err();
    assert_eq!(error.class(), Class::Data, "{error}");
    assert!(error.hint_text().is_some(), "{error}");
    let outline = Model::outline(model.path()).unwrap();
    assert_eq!(outline.check_adapter(folder).unwrap_err().to_string(), error.to_string());
    error
}

#[test]
fn every_adapter_gives_the_logits_of_peft() {
    let Expected { ids, adapters } = expected();
    assert_eq!(adapters.len(), 33);
    for (name, Adapter { model, logits: theirs }) in adapters {
        let mut model = open(&model);
        let before = logits(&model, &ids);
        let folder = golden("adapters").join(&name);
        model.attach_adapter(&folder).unwrap_or_else(|error| panic!("{name}: {error}"));
        Model::outline(model.path()).unwrap().check_adapter(&folder).unwrap();
        let ours = logits(&model, &ids);
        for (token, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            assert!((ours - theirs).abs() < 2e-4, "{name}, token {token}: {ours} for {theirs}");
        }
        model.detach_adapter();
        assert_eq!(logits(&model, &ids), before, "{name}: taken away");
    }
}

#[test]
fn every_option_that_changes_the_base_or_the_arithmetic_is_refused_by_name() {
    let text = std::fs::read_to_string(golden("adapters/refused.json")).unwrap();
    let Refused { options, methods } = serde_json::from_str(&text).unwrap();
    assert!(options.len() > 10 && methods.len() > 40);
    for (field, configs) in options {
        for config in configs {
            let error = refused("list", |own| own.clone_from(&config)).to_string();
            assert!(
                error.contains("adapter_config.json line ") && error.contains(&format!("`{field}` is ")),
                "{error}"
            );
        }
    }
    for (method, config) in methods {
        let error = refused("list", |own| own.clone_from(&config)).to_string();
        assert!(error.contains(&format!("`peft_type` is \"{method}\": only LORA")), "{error}");
    }
}

#[test]
fn weights_and_configuration_must_fit() {
    let set = |key: &'static str, value: Value| {
        move |config: &mut Map<String, Value>| drop(config.insert(key.into(), value.clone()))
    };
    for (name, key, value, message) in [
        ("list", "target_modules", json!(["q_proj"]), "`target_modules` in adapter_config.json leaves out"),
        ("list", "target_modules", json!(["q_proj", "v_proj", "k_proj"]), "takes in `model.layers.0.self_attn.k_proj`"),
        ("list", "target_modules", json!(["q_proj", "v_proj", "lm_head"]), "takes in `lm_head`"),
        ("list", "target_modules", json!(["q_proj", "v_proj", "embed_tokens"]), "takes in the embedding"),
        ("list", "layers_to_transform", json!([0]), "leaves out"),
        ("list", "modules_to_save", json!(["norm"]), "`modules_to_save` in adapter_config.json names `norm`"),
        ("list", "modules_to_save", json!(["classifier"]), "names `classifier`, which is no module of the model"),
        ("list", "modules_to_save", json!(["embed_tokens"]), "share their weights"),
        ("list", "trainable_token_indices", json!([3]), "of which the file has no rows"),
        ("list", "r", json!(3), "has shape [2, 32], expected [3, 32]"),
        ("modules-to-save", "modules_to_save", json!(["lm_head", "embed_tokens", "mlp"]), "names `mlp`"),
        ("list", "use_dora", json!(true), "has no lora_magnitude_vector"),
        ("dora", "use_dora", json!(false), "but `use_dora` is false"),
        ("tokens", "trainable_token_indices", json!([7, 7]), "names tokens twice"),
        ("tokens", "trainable_token_indices", Value::Null, "leaves out"),
        ("dora-rslora-biases", "bias", json!("all"), "`bias` is not \"none\""),
    ] {
        let error = refused(name, set(key, value)).to_string();
        assert!(error.contains(message), "{name}, {key}: {error}");
    }
}

#[test]
fn folders_that_are_no_adapters_say_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let message = error("llama-tied", folder.path()).to_string();
    assert!(message.ends_with("there is no adapter_config.json"), "{message}");
    std::fs::copy(golden("adapters/list/adapter_config.json"), folder.path().join("adapter_config.json")).unwrap();
    let message = error("llama-tied", folder.path()).to_string();
    assert!(message.ends_with("there is no adapter_model.safetensors"), "{message}");
    std::fs::write(folder.path().join("adapter_model.bin"), b"pickle").unwrap();
    let pickled = error("llama-tied", folder.path());
    assert!(pickled.to_string().contains("pickle format"), "{pickled}");
    assert!(pickled.hint_text().unwrap().contains("torch.load('adapter_model.bin', weights_only=True)"), "{pickled}");
    let resized = error("mistral-sharded", &golden("adapters/resized"));
    assert!(resized.to_string().contains("has shape [266, 32], expected [264, 32]"), "{resized}");
    assert!(resized.hint_text().unwrap().contains("a base of 266 tokens"), "{resized}");
    let whole = error("llama-tied", &golden("llama-tied"));
    assert!(whole.hint_text().unwrap().contains("a whole model"), "{whole}");
}
