//! Chat templates with names: read as transformers reads them (`tests/oracles/named_templates.py`), kept by what is written;
//! and what an adapter's folder holds beside its weights.
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code)]
mod shared;

use candle_core::Device;
use diapason_models::export::{GgufType, export};
use diapason_models::templates::{DEFAULT, TOOL_USE};
use diapason_models::{Chat, Model};
use diapason_nn::SaveType;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn put(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn copy(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(golden(name)).unwrap().flatten() {
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}

fn open(path: &Path) -> Model {
    Model::open(path, &Device::Cpu).unwrap()
}

/// What is used where no name is given.
fn used(chat: &Chat, tools: bool) -> Option<&str> {
    let tool_use = chat.templates.get(TOOL_USE).filter(|_| tools);
    tool_use.or_else(|| chat.templates.get(DEFAULT))
}

#[test]
fn folders_are_read_as_transformers_reads_them() {
    let cases: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(golden("named_templates.json")).unwrap()).unwrap();
    assert!(cases.len() >= 20);
    for case in cases {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in case["files"].as_object().unwrap() {
            put(folder.path(), name, text.as_str().unwrap());
        }
        let config = json!({"bos_token": "<s>", "chat_template": case["chat_template"]});
        put(folder.path(), "tokenizer_config.json", &config.to_string());
        let chat = Chat::of(folder.path()).unwrap();
        let found: serde_json::Map<String, Value> =
            chat.templates.names().map(|name| (name.into(), chat.templates.get(name).into())).collect();
        assert_eq!(Value::from(found), case["templates"], "{}", case["case"]);
        assert_eq!(used(&chat, false), case["plain"].as_str(), "{}", case["case"]);
        assert_eq!(used(&chat, true), case["tools"].as_str(), "{}", case["case"]);
    }
}

#[test]
fn what_is_no_template_is_refused() {
    for template in [json!(3), json!([{"name": "rag"}]), json!([["default", "x"]]), json!({"default": null})] {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "tokenizer_config.json", &json!({"chat_template": template}).to_string());
        let error = Chat::of(folder.path()).unwrap_err();
        assert!(error.to_string().contains("`chat_template` is neither"), "{error}");
        assert!(error.to_string().contains("tokenizer_config.json") && error.hint_text().is_some(), "{error}");
    }
}

fn several() -> tempfile::TempDir {
    let folder = copy("llama-biases");
    put(folder.path(), "chat_template.jinja", "first");
    put(folder.path(), "additional_chat_templates/tool_use.jinja", "tools");
    put(folder.path(), "additional_chat_templates/rag-2.jinja", "rag");
    folder
}

#[test]
fn a_folder_that_is_written_keeps_them_and_nothing_of_an_earlier_model() {
    let (folder, out) = (several(), tempfile::tempdir().unwrap());
    put(out.path(), "additional_chat_templates/old.jinja", "old");
    let model = open(folder.path());
    model.save(out.path(), SaveType::F32).unwrap();
    assert_eq!(Chat::of(out.path()).unwrap(), *model.chat());
    assert!(!out.path().join("additional_chat_templates/old.jinja").exists());
    put(folder.path(), "tokenizer_config.json", r#"{"chat_template": [{"name": "../x", "template": "out"}]}"#);
    std::fs::remove_file(folder.path().join("chat_template.jinja")).unwrap();
    std::fs::remove_dir_all(folder.path().join("additional_chat_templates")).unwrap();
    let error = open(folder.path()).save(out.path(), SaveType::F32).unwrap_err();
    assert!(error.to_string().contains("`../x`, which cannot be the name of a file"), "{error}");
}

/// The keys are those of `add_chat_template` in llama.cpp's package `gguf` 0.19, which makes `rag_2` of `rag-2`.
#[test]
fn a_gguf_file_keeps_them_under_its_own_names() {
    let (folder, out) = (several(), tempfile::tempdir().unwrap());
    shared::add_merge(folder.path());
    let path = out.path().join("model.gguf");
    export(&open(folder.path()), &path, GgufType::F16).unwrap();
    let chat = open(&path).chat().clone();
    let found: Vec<_> = chat.templates.names().map(|name| (name, chat.templates.get(name).unwrap())).collect();
    assert_eq!(found, [("default", "first"), ("rag_2", "rag"), ("tool_use", "tools")]);
    put(folder.path(), "additional_chat_templates/rag.2.jinja", "other");
    let error = export(&open(folder.path()), &path, GgufType::F16).unwrap_err();
    assert!(error.to_string().contains("would be called `rag_2` in a GGUF file"), "{error}");
}

fn adapter() -> tempfile::TempDir {
    copy("train/llama-tied.lora")
}

#[test]
fn an_adapter_with_tokens_that_the_base_has_not_is_refused() {
    let (mut model, folder) = (open(&golden("llama-tied")), adapter());
    let tokenizer = std::fs::read_to_string(golden("llama-tied/tokenizer.json")).unwrap();
    put(folder.path(), "tokenizer.json", &tokenizer);
    model.attach_adapter(folder.path()).unwrap();
    let mut changed: Value = serde_json::from_str(&tokenizer).unwrap();
    let added = json!({"id": 258, "content": "<|im_start|>", "special": true, "single_word": false, "lstrip": false,
        "rstrip": false, "normalized": false});
    changed["added_tokens"].as_array_mut().unwrap().push(added);
    let refused = |folder: &Path, model: &mut Model| {
        let error = model.attach_adapter(folder).unwrap_err();
        assert_eq!(model.check_adapter(folder).unwrap_err().to_string(), error.to_string());
        assert!(error.hint_text().is_some_and(|hint| hint.contains("resize_token_embeddings")));
        error.to_string()
    };
    put(folder.path(), "tokenizer.json", &changed.to_string());
    let said = refused(folder.path(), &mut model);
    assert!(said.contains("its tokenizer has a token that the base's has not: `<|im_start|>` (258)"), "{said}");
    // What fills up batches is never computed with.
    put(folder.path(), "tokenizer_config.json", r#"{"pad_token": "<|im_start|>"}"#);
    model.attach_adapter(folder.path()).unwrap();
    put(folder.path(), "chat_template.jinja", "<|im_start|>{{ messages[0].content }}");
    refused(folder.path(), &mut model);
    for (name, text) in [
        ("added_tokens.json", r#"{"<think>": 259}"#),
        ("tokenizer_config.json", r#"{"added_tokens_decoder": {"259": {"content": "<think>"}}}"#),
    ] {
        let folder = adapter();
        put(folder.path(), name, text);
        assert!(refused(folder.path(), &mut model).contains("`<think>` (259)"));
    }
}

#[test]
fn an_adapters_template_is_held_against_the_bases() {
    let (base, folder) = (several(), adapter());
    let base = Chat::of(base.path()).unwrap();
    for (name, text) in [
        ("chat_template.jinja", "first"),
        ("additional_chat_templates/tool_use.jinja", "tools"),
        ("additional_chat_templates/rag-2.jinja", "rag"),
        ("tokenizer_config.json", r#"{"eos_token": "<other>"}"#),
    ] {
        assert!(!base.writes_like(&Chat::of(folder.path()).unwrap()));
        put(folder.path(), name, text);
        if name.contains("rag") {
            assert!(base.writes_like(&Chat::of(folder.path()).unwrap()));
            put(folder.path(), "chat_template.jinja", "first ");
        }
    }
    // Another end of turn matters where the template writes it by name.
    let with_end = Chat { special_tokens: json!({"eos_token": "</s>"}).as_object().unwrap().clone(), ..base.clone() };
    let other = Chat { special_tokens: json!({"eos_token": "<e>"}).as_object().unwrap().clone(), ..base };
    assert!(with_end.writes_like(&other));
    let only = |chat: &Chat| Chat {
        templates: diapason_models::ChatTemplates::only(Some("{{ eos_token }}".into())),
        ..chat.clone()
    };
    assert!(!only(&with_end).writes_like(&only(&other)));
}
