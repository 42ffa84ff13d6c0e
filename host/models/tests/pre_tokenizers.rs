//! A tokenizer in a GGUF file makes the ids that it made before, or is refused: `tests/oracles/pre_tokenizers.py` made the
//! golden file and asks llama.cpp for the ids of what these tests leave in `DIAPASON_PRE_OUT`.
#![allow(clippy::unwrap_used, missing_docs)]

use candle_core::Device;
use diapason_models::export::{GgufType, export};
use diapason_models::{Model, families};
use serde_json::{Map, Value, json};
use std::path::Path;

fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pre_tokenizers.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The `tokenizer.json` of a case.
fn tokenizer(alphabet: &Value, case: &Value) -> Value {
    let tokens = alphabet.as_array().unwrap().iter().chain(case["tokens"].as_array().unwrap());
    let vocabulary: Map<String, Value> =
        tokens.enumerate().map(|(id, token)| (token.as_str().unwrap().to_owned(), id.into())).collect();
    json!({
        "version": "1.0",
        "added_tokens": [],
        "normalizer": case["normalizer"],
        "pre_tokenizer": case["pre_tokenizer"],
        "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
        "model": {
            "type": "BPE",
            "fuse_unk": false,
            "byte_fallback": false,
            "ignore_merges": case["ignore_merges"],
            "vocab": vocabulary,
            "merges": case["merges"],
        },
    })
}

fn model(tokenizer: &Value) -> Model {
    let shape = json!({
        "model_type": "llama", "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 1,
        "num_key_value_heads": 1, "vocab_size": 352, "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
    });
    let tokenizer: tokenizers::Tokenizer = tokenizer.to_string().parse().unwrap();
    Model::init(families::Config::from_json(&shape).unwrap(), tokenizer, None, &[0], 1).unwrap()
}

#[test]
fn ids_survive_or_the_tokenizer_is_refused() {
    let golden = golden();
    let out = tempfile::tempdir().unwrap();
    let place = std::env::var_os("DIAPASON_PRE_OUT").map_or(out.path().to_owned(), Into::into);
    let (mut written, mut refused) = (0, 0);
    for (number, case) in golden["cases"].as_array().unwrap().iter().enumerate() {
        let model = model(&tokenizer(&golden["alphabet"], case));
        let path = place.join(format!("{number}.gguf"));
        let result = export(&model, &path, GgufType::F16);
        if case["name"].is_null() {
            let error = result.expect_err(&case.to_string()).to_string();
            assert!(error.contains("llama.cpp has no name"), "{error}");
            assert!(!path.exists(), "nothing is written of what is refused");
            refused += 1;
            continue;
        }
        result.unwrap();
        let again = Model::open(&path, &Device::Cpu).unwrap();
        // llama.cpp composes no characters, and files are read as it reads them.
        let texts = golden["texts"].as_array().unwrap().iter();
        for (at, (text, ids)) in texts.zip(case["ids"].as_array().unwrap()).enumerate() {
            let read = case["uncomposed"].get(at.to_string()).unwrap_or(ids);
            let text = text.as_str().unwrap();
            let found = again.tokenizer().encode(text).unwrap();
            assert_eq!(json!(found), *read, "{} {text:?}", case["name"]);
            assert_eq!(json!(model.tokenizer().encode(text).unwrap()), *ids, "{} {text:?}", case["name"]);
        }
        written += 1;
    }
    assert_eq!((written, refused), (14, 9));
}

#[test]
fn what_llama_cpp_does_otherwise_is_refused_by_name() {
    let golden = golden();
    let right = tokenizer(&golden["alphabet"], &golden["cases"][0]);
    let added = |key: &str| {
        let token = json!({"id": 320, "content": "<x>", "special": true, "normalized": false, "single_word": false,
            "lstrip": false, "rstrip": false});
        let mut token = token;
        token[key] = true.into();
        json!([token])
    };
    type Change = (&'static str, Value, &'static str);
    let changes: [Change; 5] = [
        ("/added_tokens", added("lstrip"), "has `lstrip` for the added token \"<x>\""),
        ("/added_tokens", added("rstrip"), "has `rstrip` for the added token \"<x>\""),
        ("/added_tokens", added("single_word"), "has `single_word` for the added token \"<x>\""),
        ("/model/byte_fallback", true.into(), "falls back to bytes"),
        ("/pre_tokenizer", json!({"type": "Metaspace", "replacement": "▁"}), "is no byte-level BPE"),
    ];
    let out = tempfile::tempdir().unwrap();
    for (place, value, said) in changes {
        let mut json = right.clone();
        *json.pointer_mut(place).unwrap() = value;
        let error = export(&model(&json), &out.path().join("m.gguf"), GgufType::F16).unwrap_err().to_string();
        assert!(error.contains(said) && error.contains("llama.cpp does otherwise"), "{error}");
    }
    // SmolLM2 has no token for bytes that its corpus had not, and no `unk_token`: they are left out on both sides.
    let without = |letter: &str, unknown: Value| {
        let mut json = right.clone();
        json["model"]["vocab"].as_object_mut().unwrap().remove(letter);
        json["model"]["unk_token"] = unknown;
        export(&model(&json), &out.path().join("m.gguf"), GgufType::F16)
    };
    without("Ā", Value::Null).unwrap();
    without("ü", "a".into()).unwrap();
    let error = without("Ā", "a".into()).unwrap_err().to_string();
    assert!(error.contains("has `unk_token` \"a\" for the byte that is written as `Ā`"), "{error}");
}
