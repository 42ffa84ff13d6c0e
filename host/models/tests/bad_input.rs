//! Damaged and contradictory model files: each an error with its cause and a hint.
#![allow(clippy::unwrap_used, missing_docs)]

use candle_core::Device;
use diapason_core::{Class, Error};
use diapason_models::Model;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A copy of a golden folder that may be spoilt.
fn copy(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}

fn error(path: &Path) -> Error {
    let error = Model::open(path, &Device::Cpu).unwrap_err();
    assert_eq!(error.class(), Class::Data, "{error}");
    error
}

/// Opens a golden folder with `from` replaced by `to` in one of its files.
fn error_after(file: &str, from: &str, to: &str) -> String {
    let folder = copy("llama-tied");
    let path = folder.path().join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(&path, text.replace(from, to)).unwrap();
    let error = error(folder.path());
    format!("{error} / {}", error.hint_text().unwrap_or_default())
}

fn cut(path: PathBuf, to: impl Fn(usize) -> usize) {
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..to(bytes.len())]).unwrap();
}

#[test]
fn truncated_safetensors() {
    for to in [0, 4, 100, 10_000] {
        let folder = copy("llama-tied");
        cut(folder.path().join("model.safetensors"), |_| to);
        let error = error(folder.path());
        assert!(error.to_string().contains("model.safetensors"), "{error}");
        assert!(to == 0 || error.hint_text().unwrap().contains("truncated"), "{error}");
    }
}

#[test]
fn a_shard_is_missing() {
    let folder = copy("mistral-sharded");
    std::fs::remove_file(folder.path().join("model-00002-of-00002.safetensors")).unwrap();
    assert!(error(folder.path()).to_string().contains("model-00002-of-00002.safetensors"));
}

#[test]
fn an_index_that_leaves_its_folder() {
    let folder = copy("mistral-sharded");
    let index = folder.path().join("model.safetensors.index.json");
    std::fs::write(&index, r#"{"metadata": {}, "weight_map": {"a": "../secret.safetensors"}}"#).unwrap();
    assert!(error(folder.path()).to_string().contains("names the shard `../secret.safetensors`"));
}

#[test]
fn shapes_that_disagree() {
    let message = error_after("config.json", r#""intermediate_size": 64"#, r#""intermediate_size": 96"#);
    assert!(message.contains("tensor `model.layers.0.mlp.gate_proj.weight`"), "{message}");
    assert!(message.contains("has shape [64, 32], expected [96, 32]"), "{message}");
    let message = error_after("config.json", r#""num_hidden_layers": 2"#, r#""num_hidden_layers": 3"#);
    assert!(message.contains("no tensor `model.layers.2."), "{message}");
    let message = error_after("config.json", r#""num_key_value_heads": 2"#, r#""num_key_value_heads": 3"#);
    assert!(message.contains("4 query heads cannot share 3 key/value heads"), "{message}");
    let message = error_after("config.json", r#""hidden_size": 32"#, r#""hidden_size": 0"#);
    assert!(message.contains("`hidden_size` in config.json is 0, expected a positive integer"), "{message}");
}

#[test]
fn missing_output_head() {
    let message = error_after("config.json", r#""tie_word_embeddings": true"#, r#""tie_word_embeddings": false"#);
    assert!(message.contains("no tensor `lm_head.weight` of shape [264, 32]"), "{message}");
}

#[test]
fn what_is_not_supported_says_so() {
    let message = error_after("config.json", r#""model_type": "llama""#, r#""model_type": "mamba""#);
    assert!(
        message.contains("unknown architecture `mamba` / known architectures: llama, mistral, qwen2, qwen3"),
        "{message}"
    );
    let message = error_after("config.json", r#""model_type": "llama""#, r#""model_type": null"#);
    assert!(message.contains(r#"no `model_type` / a model of the class LlamaForCausalLM has `"model_type": "llama"`"#));
    let message = error_after("config.json", r#""hidden_act": "silu""#, r#""hidden_act": "gelu""#);
    assert!(message.contains("activation `gelu` is not supported"), "{message}");
    let message = error_after("config.json", r#""rope_type": "llama3""#, r#""rope_type": "su""#);
    assert!(message.contains("rope scaling `su` is not supported / supported: default, linear, dynamic"), "{message}");
    let quantised = r#""quantization_config": {"quant_method": "gptq"}, "hidden_act""#;
    let message = error_after("config.json", r#""hidden_act""#, quantised);
    assert!(message.contains("quantised by gptq"), "{message}");
}

#[test]
fn elements_that_are_no_numbers() {
    let folder = copy("llama-tied");
    let path = folder.path().join("model.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(6).position(|window| window == b"\"BF16\"").unwrap();
    bytes[at..at + 6].copy_from_slice(b"\"I16\" ");
    std::fs::write(&path, bytes).unwrap();
    let error = error(folder.path());
    assert!(error.to_string().contains("has elements of type I16"), "{error}");
    assert_eq!(error.hint_text(), Some("readable types: F64, F32, F16, BF16"));
}

#[test]
fn broken_text_files() {
    assert!(error_after("config.json", "{", "").contains("config.json"));
    assert!(error_after("tokenizer.json", r#""BPE""#, r#""XYZ""#).contains("failed to read the tokenizer"));
    let folder = copy("llama-tied");
    std::fs::remove_file(folder.path().join("tokenizer.json")).unwrap();
    let error = error(folder.path());
    assert!(error.to_string().contains("holds no tokenizer.json"), "{error}");
    assert!(error.hint_text().unwrap().contains("AutoTokenizer"), "{error}");
}

#[test]
fn files_that_transformers_would_read_otherwise() {
    let folder = copy("llama-tied");
    std::fs::write(folder.path().join("adapter_config.json"), "{}").unwrap();
    assert!(error(folder.path()).to_string().contains("a model and an adapter"));
    let folder = copy("llama-tied");
    std::fs::rename(folder.path().join("model.safetensors"), folder.path().join("pytorch_model.bin")).unwrap();
    assert!(error(folder.path()).hint_text().unwrap().contains("save_pretrained"));
}

#[test]
fn a_tokenizer_of_another_model() {
    let folder = copy("llama-tied");
    let path = folder.path().join("tokenizer.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"vocab\":{", "\"vocab\":{\"zz\":900,")).unwrap();
    assert!(error(folder.path()).to_string().contains("the embedding 264 rows"));
}

#[test]
fn neither_a_folder_nor_a_gguf_file() {
    let folder = tempfile::tempdir().unwrap();
    assert!(error(&folder.path().join("nothing.gguf")).to_string().contains("nothing.gguf"));
    let path = folder.path().join("text.gguf");
    std::fs::write(&path, "this is no model at all, only text").unwrap();
    let error = error(&path);
    assert!(error.hint_text().unwrap().contains("not in GGUF format"), "{error}");
}
