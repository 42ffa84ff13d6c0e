//! Every reader of files.

use crate::damage::{copy, damaged, golden, header_end, hostile, opened, replaced, small, sound, texts, used};
use candle_core::Device;
use diapason_core::language_model::Tokenizer as _;
use diapason_core::{Class, digest};
use diapason_models::Model;
use diapason_models::tokenizer::Tokenizer;
use diapason_train::encode::Example;
use diapason_train::token_cache;
use serde_json::{Value, json};
use std::path::Path;

#[test]
fn tokenizers() {
    let tried = |bytes: Vec<u8>| match Tokenizer::from_json(bytes) {
        Ok(tokenizer) => {
            for text in ["Hello, wörld 42!\n  x", "", "</s>"] {
                if let Ok(ids) = tokenizer.encode(text) {
                    let _ = tokenizer.decode(&ids);
                }
            }
            let _ = (tokenizer.size(), tokenizer.shown(u32::MAX), tokenizer.decode(&[0, u32::MAX]));
        }
        Err(error) => sound(&error, "tokenizer"),
    };
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates/project/demo/base/tokenizer.json");
    for (path, cuts, others) in [(golden("llama-tied/tokenizer.json"), 4000, 6000), (demo, 300, 1500)] {
        let bytes = std::fs::read(path).unwrap();
        damaged(&bytes, bytes.len(), cuts, others, 7).for_each(tried);
        let document: Value = serde_json::from_slice(&bytes).unwrap();
        texts(replaced(&document, &hostile())).for_each(tried);
    }
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        tried(format!("{}1{}", open.repeat(1_000_000), close.repeat(1_000_000)).into_bytes());
    }
    small();
}

/// What the library itself would have panicked on, from `fuzz-tokenizer-1-317.bin` of a fuzzing run and its like.
#[test]
fn tokenizers_that_make_the_library_panic_name_the_file() {
    let folder = copy(&golden("llama-tied"));
    let path = folder.path().join("tokenizer.json");
    let whole: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let text = whole.to_string();
    let decoder = format!("\"decoder\":{}", whole["decoder"]);
    assert!(text.contains(&decoder));
    std::fs::write(&path, text.replace(&decoder, "\"decoder\":{1:2}")).unwrap();
    let error = Model::open(folder.path(), &Device::Cpu).unwrap_err();
    assert_eq!(error.class(), Class::Data);
    assert!(error.to_string().contains("tokenizer.json") && error.hint_text().is_some(), "{error}");
}

#[test]
fn folders() {
    for (name, file) in [
        ("llama-tied", "config.json"),
        ("llama-tied", "tokenizer_config.json"),
        ("llama-tied", "generation_config.json"),
        ("mistral-sharded", "model.safetensors.index.json"),
        ("nf4-qwen3", "config.json"),
    ] {
        let folder = copy(&golden(name));
        let bytes = std::fs::read(folder.path().join(file)).unwrap();
        opened(folder.path(), file, damaged(&bytes, bytes.len(), 120, 300, 3));
        let document: Value = serde_json::from_slice(&bytes).unwrap();
        let (good, all) = opened(folder.path(), file, texts(replaced(&document, &hostile())));
        assert!(all > good || file.contains("_config"), "{name}/{file}: {good} of {all} damaged versions were opened");
    }
}

#[test]
fn weights() {
    for (name, file) in [
        ("llama-tied", "model.safetensors"),
        ("mistral-sharded", "model-00002-of-00002.safetensors"),
        ("nf4-qwen3", "model.safetensors"),
    ] {
        let folder = copy(&golden(name));
        let bytes = std::fs::read(folder.path().join(file)).unwrap();
        let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        opened(folder.path(), file, damaged(&bytes, header, 100, 700, 11));
        opened(folder.path(), file, damaged(&bytes, bytes.len(), 0, 60, 12));
        let document: Value = serde_json::from_slice(&bytes[8..header]).unwrap();
        let with =
            |header: String, data: &[u8]| [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat();
        let values = [
            json!(0),
            json!(-1),
            json!(u64::MAX),
            json!(1_u64 << 62),
            json!([u64::MAX, 2]),
            json!([]),
            json!("F64"),
            json!("F4"),
            json!("I64"),
        ];
        let few: Vec<String> = replaced(&document, &values).into_iter().step_by(7).collect();
        opened(folder.path(), file, few.into_iter().map(|header| with(header, &bytes[header_end(&bytes)..])));
    }
}

#[test]
fn gguf_files() {
    let bytes = std::fs::read(golden("llama-biases.gguf")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.gguf");
    let head = 12_000;
    let (mut good, mut all) = (0, 0);
    let truncated = (0..200).map(|to| bytes[..to].to_vec());
    for version in truncated.chain(damaged(&bytes, head, 150, 2500, 5)) {
        std::fs::write(&path, &version).unwrap();
        all += 1;
        match Model::open(&path, &Device::Cpu) {
            Ok(model) => {
                used(&model);
                good += 1;
            }
            Err(error) => sound(&error, "gguf"),
        }
    }
    small();
    assert!(good > 0 && good < all, "{good} of {all}");
}

#[test]
fn adapters() {
    let mut model = Model::open(&golden("llama-tied"), &Device::Cpu).unwrap();
    let mut attach = |folder: &Path| match model.attach_adapter(folder) {
        Ok(()) => used(&model),
        Err(error) => sound(&error, "adapter"),
    };
    for kind in ["lora", "dora", "patterns"] {
        let folder = copy(&golden(&format!("train/llama-tied.{kind}")));
        let path = |name: &str| folder.path().join(name);
        let (config, weights) = ("adapter_config.json", "adapter_model.safetensors");
        let whole = std::fs::read(path(config)).unwrap();
        let document: Value = serde_json::from_slice(&whole).unwrap();
        for version in damaged(&whole, whole.len(), 150, 300, 1).chain(texts(replaced(&document, &hostile()))) {
            std::fs::write(path(config), version).unwrap();
            attach(folder.path());
        }
        std::fs::write(path(config), &whole).unwrap();
        let whole = std::fs::read(path(weights)).unwrap();
        for version in damaged(&whole, header_end(&whole), 60, 300, 2).chain(damaged(&whole, whole.len(), 0, 100, 3)) {
            std::fs::write(path(weights), version).unwrap();
            attach(folder.path());
        }
    }
    small();
}

#[test]
fn token_caches() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.bin");
    let key = digest::of_bytes(b"key");
    let rows = [Example { ids: vec![1, 2, 3], learn: vec![false, true, true] }];
    token_cache::write(&path, &key, &rows).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for version in damaged(&bytes, bytes.len(), bytes.len(), 3000, 1) {
        std::fs::write(&path, &version).unwrap();
        assert!(token_cache::read(&path, &key).is_none_or(|read| read == rows));
    }
    // Damage with a digest that fits: somebody wrote it so.
    for rows in [u64::MAX, 1 << 62, (1 << 62) + 1, 1 << 40, 2] {
        let body = [key.as_bytes(), &rows.to_le_bytes(), &bytes[8 + 64 + 64 + 8..]].concat();
        std::fs::write(&path, [&b"DIATOK01"[..], digest::of_bytes(&body).as_bytes(), &body].concat()).unwrap();
        assert_eq!(token_cache::read(&path, &key), None, "{rows} rows");
    }
    small();
}
