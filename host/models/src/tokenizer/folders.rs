//! Folders whose `tokenizer.json` is not all that counts, against transformers (`tests/oracles/tokenizer_folders.py`).

use super::{Beside, Tokenizer};
use diapason_core::language_model::Tokenizer as _;
use serde_json::{Map, Value, json};
use std::path::Path;

const ROWS: usize = 512;

/// The tokenizer of a folder with these files, and its special tokens.
fn read(files: &Map<String, Value>, config: &Value, tokenizer: &Value) -> diapason_core::Result<(Tokenizer, Value)> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content.to_string()).expect("written");
    }
    let json = tokenizer.to_string();
    let beside = Beside::of_model(folder.path(), config, &json)?;
    Ok((Tokenizer::of_folder(json.into_bytes(), &beside, ROWS)?, beside.special_tokens().into()))
}

fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tokenizer_folders.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("the golden file")).expect("JSON")
}

#[test]
fn folders_are_read_as_transformers_reads_them() {
    let golden = golden();
    let mut wrong = Vec::new();
    for case in golden["cases"].as_array().expect("cases") {
        let files = case["files"].as_object().expect("files");
        let mut config = files.get("config.json").cloned().unwrap_or_else(|| json!({}));
        config["model_type"] = case["model_type"].clone();
        let file = &golden["tokenizers"][case["tokenizer"].as_str().expect("a name")];
        let (tokenizer, special) = read(files, &config, file).expect("a tokenizer");
        let texts = golden["texts"].as_array().expect("texts").iter().filter_map(Value::as_str);
        let ids: Vec<_> = texts.map(|text| tokenizer.encode(text).expect("ids")).collect();
        let back: Vec<_> = ids.iter().map(|ids| tokenizer.decode(ids).expect("a text")).collect();
        for (what, found) in [("ids", json!(ids)), ("back", json!(back)), ("special_tokens", special)] {
            if found != case[what] {
                wrong.push(format!("{}: {what}\n  {found}\n  {}", case["case"], case[what]));
            }
        }
        // What is exported says the same of itself.
        let whole = Tokenizer::from_json(tokenizer.whole_json().to_vec()).expect("a tokenizer");
        assert_eq!(whole.added(), tokenizer.added(), "{}", case["case"]);
    }
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}

/// The embedding of such a model has no row for it, and transformers opens the model all the same.
#[test]
fn padding_beyond_the_embedding_is_left_out() {
    let golden = golden();
    let letters = &golden["tokenizers"]["letters"];
    let size = letters["model"]["vocab"].as_object().expect("a vocabulary").len();
    for (fields, added) in
        [(json!({"pad_token": "[PAD]"}), false), (json!({"pad_token": "[PAD]", "eos_token": "[PAD]"}), true)]
    {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("tokenizer_config.json"), fields.to_string()).expect("written");
        let json = letters.to_string();
        let beside = Beside::of_model(folder.path(), &json!({"model_type": "llama"}), &json).expect("files");
        let tokenizer = Tokenizer::of_folder(json.into_bytes(), &beside, size).expect("a tokenizer");
        assert_eq!(tokenizer.id("[PAD]").is_some(), added, "{fields}");
    }
}

#[test]
fn what_reads_otherwise_is_refused_by_name() {
    let golden = golden();
    let letters = &golden["tokenizers"]["letters"];
    let llama = json!({"model_type": "llama"});
    for (fields, name) in [
        (json!({"tokenizer_class": "GemmaTokenizer"}), "GemmaTokenizer"),
        (json!({"auto_map": {"AutoTokenizer": ["mine.Mine", null]}}), "auto_map"),
        (json!({"auto_map": ["mine.Mine", null]}), "auto_map"),
        (
            json!({"clean_up_tokenization_spaces": true, "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output": true}),
            "clean_up_tokenization_spaces",
        ),
    ] {
        let files = Map::from_iter([("tokenizer_config.json".to_owned(), fields)]);
        let error = read(&files, &llama, letters).expect_err(name);
        assert!(error.to_string().contains(name), "{}", error.to_string());
    }
    let mut chance = letters.clone();
    chance["model"]["dropout"] = json!(0.1);
    assert!(read(&Map::new(), &llama, &chance).expect_err("chance").to_string().contains("`dropout` is 0.1"));
    let own = Map::from_iter([("tokenizer_config.json".to_owned(), json!({"tokenizer_class": "GPT2Tokenizer"}))]);
    assert!(read(&own, &llama, &chance).is_ok(), "the class has none");
    let mut other = letters.clone();
    other["model"] = json!({"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"});
    let files = Map::from_iter([("tokenizer_config.json".to_owned(), json!({"tokenizer_class": "GPT2Tokenizer"}))]);
    assert!(read(&files, &llama, &other).expect_err("no BPE").to_string().contains("Gpt2"));
}
