//! What is written is the same model to its readers: everything beside the weights is the base's but for what changed.
//! `tests/oracles/saved_folders.py` opens what these tests leave in `DIAPASON_SAVED_OUT` in transformers.
#![allow(clippy::unwrap_used, missing_docs)]

use candle_core::Device;
use diapason_models::Model;
use diapason_models::adapters::merge::merge;
use diapason_models::formats::Format;
use diapason_nn::SaveType;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A golden model, what its `config.json` says besides, and the keys that it has not.
type Variant = (&'static str, &'static str, fn() -> Value, &'static [&'static str]);

/// Configurations as their users leave them.
const VARIANTS: [Variant; 6] = [
    ("mistral-sharded", "no-window", || json!({"sliding_window": null, "pad_token_id": 3}), &["bos_token_id"]),
    ("mistral-sharded", "window", || json!({"eos_token_id": [257, 9], "use_cache": false, "_name_or_path": "m"}), &[]),
    (
        "qwen2",
        "window-not-used",
        || json!({"use_sliding_window": false, "sliding_window": 16, "max_window_layers": 1, "pad_token_id": 5}),
        &["layer_types"],
    ),
    ("qwen3", "older-dtype", || json!({"torch_dtype": "bfloat16", "attention_dropout": 0.0}), &["dtype"]),
    ("llama-biases", "older-rope", || json!({"bos_token_id": 256, "task_specific_params": null}), &[]),
    ("llama-tied", "both-dtypes", || json!({"dtype": "bfloat16", "torch_dtype": "bfloat16"}), &[]),
];

const FILES: [(&str, &str); 5] = [
    ("generation_config.json", r#"{"eos_token_id": [257, 7], "temperature": 0.6, "top_p": 0.95,   "do_sample": true}"#),
    (
        "tokenizer_config.json",
        r#"{"bos_token": "<s>", "eos_token": {"content": "</s>"}, "model_max_length": 128, "clean_up_tokenization_spaces": false}"#,
    ),
    ("special_tokens_map.json", r#"{"eos_token": "</s>", "additional_special_tokens": []}"#),
    ("added_tokens.json", r#"{"<s>": 256}"#),
    ("tokenizer.model", "pieces"),
];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// The model of a variant in the folder `place`.
fn base((name, _, more, without): &Variant, place: &Path) {
    copy(&golden(name), place);
    let mut config = read(&place.join("config.json"));
    let fields = config.as_object_mut().unwrap();
    fields.extend(more().as_object().unwrap().clone());
    fields.retain(|key, _| !without.contains(&key.as_str()));
    std::fs::write(place.join("config.json"), config.to_string()).unwrap();
    for (name, text) in FILES {
        std::fs::write(place.join(name), text).unwrap();
    }
}

/// The keys of `config.json` whose values differ.
fn changed(base: &Path, saved: &Path) -> Vec<String> {
    let (base, saved) = (read(&base.join("config.json")), read(&saved.join("config.json")));
    let (base, saved) = (base.as_object().unwrap(), saved.as_object().unwrap());
    let mut keys: Vec<String> = base.keys().chain(saved.keys()).cloned().collect();
    keys.sort();
    keys.dedup();
    keys.retain(|key| base.get(key) != saved.get(key));
    keys
}

fn assert_same_files(base: &Path, saved: &Path) {
    for (name, text) in FILES {
        assert_eq!(std::fs::read_to_string(saved.join(name)).unwrap(), text, "{name}");
    }
    let (before, after) = (read(&base.join("tokenizer.json")), read(&saved.join("tokenizer.json")));
    assert_eq!(before, after);
}

/// Where the oracle looks at both.
fn keep(name: &str, base: &Path, saved: &Path) {
    if let Some(out) = std::env::var_os("DIAPASON_SAVED_OUT") {
        copy(base, &Path::new(&out).join(name).join("base"));
        copy(saved, &Path::new(&out).join(name).join("saved"));
    }
}

#[test]
fn a_folder_keeps_what_did_not_change() {
    for variant in &VARIANTS {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        base(variant, from.path());
        let model = Model::open(from.path(), &Device::Cpu).unwrap();
        model.save(to.path(), SaveType::F32).unwrap();
        let dtypes: Vec<&str> = ["dtype", "torch_dtype"]
            .into_iter()
            .filter(|key| read(&from.path().join("config.json")).get(key).is_some())
            .collect();
        assert_eq!(changed(from.path(), to.path()), dtypes, "{}", variant.1);
        let (before, after) = (read(&from.path().join("config.json")), read(&to.path().join("config.json")));
        let keys = |json: &Value| json.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&before), keys(&after), "the order is the base's");
        assert_same_files(from.path(), to.path());
        let again = Model::open(to.path(), &Device::Cpu).unwrap();
        assert_eq!((again.stop_ids(), again.special_tokens()), (model.stop_ids(), model.special_tokens()));
        keep(&format!("{}-{}", variant.0, variant.1), from.path(), to.path());
    }
}

#[test]
fn merging_changes_the_type_only() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    base(&VARIANTS[2], from.path());
    let mut model = Model::open(from.path(), &Device::Cpu).unwrap();
    model.attach_adapter(&golden("train/qwen2.dora")).unwrap();
    merge(&mut model, to.path(), SaveType::F16, u64::MAX).unwrap();
    assert_eq!(changed(from.path(), to.path()), ["dtype"]);
    assert_same_files(from.path(), to.path());
}

#[test]
fn weights_in_4_bits_are_said_and_taken_back() {
    let (from, small, large) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    base(&VARIANTS[3], from.path());
    let model = Model::open_as(from.path(), Format::Nf4 { double: true }, &Device::Cpu).unwrap();
    model.save(small.path(), SaveType::F32).unwrap();
    assert_eq!(changed(from.path(), small.path()), ["quantization_config", "torch_dtype"]);
    let mut model = Model::open(small.path(), &Device::Cpu).unwrap();
    model.attach_adapter(&golden("train/qwen3.dora")).unwrap();
    merge(&mut model, large.path(), SaveType::F32, u64::MAX).unwrap();
    assert_eq!(changed(from.path(), large.path()), ["torch_dtype"], "merged weights are not in 4 bits");
}

#[test]
fn files_of_an_earlier_model_go() {
    let to = tempfile::tempdir().unwrap();
    for (name, text) in FILES {
        std::fs::write(to.path().join(name), text).unwrap();
    }
    Model::open(&golden("qwen2"), &Device::Cpu).unwrap().save(to.path(), SaveType::F32).unwrap();
    for name in ["special_tokens_map.json", "added_tokens.json", "tokenizer.model"] {
        assert!(!to.path().join(name).exists(), "{name} would be read as this model's");
    }
    for name in ["generation_config.json", "tokenizer_config.json"] {
        assert_eq!(read(&to.path().join(name)), read(&golden("qwen2").join(name)), "{name}");
    }
}

#[test]
fn a_gguf_file_becomes_a_folder_that_says_all() {
    let to = tempfile::tempdir().unwrap();
    let model = Model::open(&golden("llama-biases.gguf"), &Device::Cpu).unwrap();
    model.save(to.path(), SaveType::F32).unwrap();
    let config = read(&to.path().join("config.json"));
    assert_eq!((&config["bos_token_id"], &config["eos_token_id"]), (&json!(256), &json!(257)));
    let again = Model::open(to.path(), &Device::Cpu).unwrap();
    assert_eq!((again.stop_ids(), again.llama().config()), (model.stop_ids(), model.llama().config()));
}
