//! Thousands of damaged files: each is read or refused with an error, without a panic and without memory that is not there.
#![allow(clippy::unwrap_used, missing_docs)]

use candle_core::Device;
use diapason_core::language_model::{Decoding, LanguageModel as _, Tokenizer as _};
use diapason_core::{Class, Error, digest};
use diapason_model::encode::Example;
use diapason_model::tokenizer::Tokenizer;
use diapason_model::{Model, tokens};
use rand::{Rng as _, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn copy(from: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}

/// Damaged versions of `bytes`: cut at every place up to `cuts` of them, bits and bytes changed, pieces moved, and numbers
/// of four and eight bytes replaced by those that overflow something. `head` is where the damage is done.
fn damaged(bytes: &[u8], head: usize, cuts: usize, others: usize, seed: u64) -> impl Iterator<Item = Vec<u8>> + '_ {
    const NUMBERS: [u64; 10] =
        [0, 1, 0x7f, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 40, 1 << 62, i64::MAX as u64, u64::MAX];
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let step = (bytes.len() / cuts.max(1)).max(1);
    let cut = (0..bytes.len()).step_by(step).take(cuts).map(|to| bytes[..to].to_vec());
    cut.chain((0..others).map(move |_| {
        let mut spoilt = bytes.to_vec();
        let at = rng.random_range(0..head.min(bytes.len()));
        match rng.random_range(0..5) {
            0 => spoilt[at] ^= 1 << rng.random_range(0..8),
            1 => spoilt[at] = rng.next_u32() as u8,
            2 => {
                let number = NUMBERS[rng.random_range(0..NUMBERS.len())].to_le_bytes();
                let width = [4, 8][rng.random_range(0..2)].min(spoilt.len() - at);
                spoilt[at..at + width].copy_from_slice(&number[..width]);
            }
            3 => drop(spoilt.drain(at..(at + rng.random_range(1..40)).min(bytes.len()))),
            _ => {
                let piece = spoilt[at..(at + 30).min(bytes.len())].to_vec();
                let to = rng.random_range(0..head.min(bytes.len()));
                spoilt.splice(to..to, piece);
            }
        }
        spoilt
    }))
}

fn hostile() -> Vec<Value> {
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1),
        json!(3),
        json!(1_000_000_000_u64),
        json!(1e18),
        json!(u64::MAX),
        json!(1e308),
        json!(-1e308),
        json!(0.5),
        json!(""),
        json!("x"),
        json!("((((((((((a*)*)*)*)*)*)*)*)*)*b"),
        json!("\\"),
        json!("(".repeat(5000)),
        json!([]),
        json!({}),
        json!([[]]),
        json!({"type": "Sequence"}),
        json!([1, "a", null]),
        deep,
    ]
}

/// Versions of a JSON document in which one place after another holds something else, or is gone.
fn replaced(document: &Value, values: &[Value]) -> Vec<String> {
    fn places(value: &Value, at: String, found: &mut Vec<String>) {
        found.push(at.clone());
        match value {
            // Vocabularies and merges are long and alike.
            Value::Array(list) => {
                list.iter().take(3).enumerate().for_each(|(i, inner)| places(inner, format!("{at}/{i}"), found))
            }
            Value::Object(map) => map.iter().take(40).for_each(|(key, inner)| {
                places(inner, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }),
            _ => {}
        }
    }
    let mut found = Vec::new();
    places(document, String::new(), &mut found);
    let mut versions = Vec::new();
    for place in &found {
        for value in values {
            let mut version = document.clone();
            *version.pointer_mut(place).unwrap() = value.clone();
            versions.push(version.to_string());
        }
        let mut version = document.clone();
        if let Some((parent, key)) = place.rsplit_once('/')
            && let Some(Value::Object(map)) = version.pointer_mut(parent)
        {
            map.shift_remove(&key.replace("~1", "/").replace("~0", "~"));
            versions.push(version.to_string());
        }
    }
    versions
}

/// An error that a person can act on, of the right class.
#[track_caller]
fn sound(error: &Error, what: &str) {
    assert!(matches!(error.class(), Class::Data | Class::Run), "{what}: {error}");
    let text = error.to_string();
    assert!(!text.is_empty() && text.len() < 20_000, "{what}: {} bytes of message", text.len());
}

/// No more memory was ever taken than some hundred megabytes.
fn small() {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return };
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kib: u64 = peak.trim().trim_end_matches(" kB").trim().parse().unwrap();
    assert!(kib < 900 << 10, "a reader took {} MiB", kib >> 10);
}

/// Uses what was opened: damage may show only then.
fn used(model: &mut Model) {
    let decoding = Decoding { max_tokens: 2, ..Decoding::default() };
    let _ = model
        .generate(&["Hello, wörld 42!\n".to_owned()], &decoding, &mut |_| {})
        .map_err(|error| sound(&error, "use"));
    let _ = model.loglikelihood(&[("a b".into(), " c".into())], &mut |_| {}).map_err(|error| sound(&error, "use"));
}

/// Opens `folder` with each version of its file `name`; gives how many of them were opened.
fn opened(folder: &Path, name: &str, versions: impl IntoIterator<Item = Vec<u8>>) -> (usize, usize) {
    let (mut good, mut all) = (0, 0);
    for version in versions {
        std::fs::write(folder.join(name), &version).unwrap();
        all += 1;
        match Model::open(folder, &Device::Cpu) {
            Ok(mut model) => {
                used(&mut model);
                good += 1;
            }
            Err(error) => sound(&error, name),
        }
    }
    small();
    (good, all)
}

fn texts(versions: Vec<String>) -> impl Iterator<Item = Vec<u8>> {
    versions.into_iter().map(String::into_bytes)
}

#[test]
fn tokenizers() {
    let used = |bytes: Vec<u8>| match Tokenizer::from_json(bytes) {
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
        damaged(&bytes, bytes.len(), cuts, others, 7).for_each(used);
        let document: Value = serde_json::from_slice(&bytes).unwrap();
        texts(replaced(&document, &hostile())).for_each(used);
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

fn header_end(bytes: &[u8]) -> usize {
    8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize
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
            Ok(mut model) => {
                used(&mut model);
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
        Ok(()) => used(&mut model),
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
    tokens::write(&path, &key, &rows).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for version in damaged(&bytes, bytes.len(), bytes.len(), 3000, 1) {
        std::fs::write(&path, &version).unwrap();
        assert!(tokens::read(&path, &key).is_none_or(|read| read == rows));
    }
    // Damage with a digest that fits: somebody wrote it so.
    for rows in [u64::MAX, 1 << 62, (1 << 62) + 1, 1 << 40, 2] {
        let body = [key.as_bytes(), &rows.to_le_bytes(), &bytes[8 + 64 + 64 + 8..]].concat();
        std::fs::write(&path, [&b"DIATOK01"[..], digest::of_bytes(&body).as_bytes(), &body].concat()).unwrap();
        assert_eq!(tokens::read(&path, &key), None, "{rows} rows");
    }
    small();
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
