//! A GGUF file that llama.cpp's own package wrote (`tests/oracles/gguf_file.py`) is the model of the folder beside it;
//! cut short anywhere, it is an error with a cause and a hint.
#![allow(clippy::unwrap_used, missing_docs)]

use candle_core::Device;
use diapason_core::Class;
use diapason_core::language_model::{Decoding, LanguageModel};
use diapason_engine::Local;
use diapason_models::Model;
use std::path::{Path, PathBuf};

const TEXTS: [&str; 3] = ["The capital", "42 = 6 × 7", "</s> ends a turn, \u{1F3B5} does not"];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/golden").join(name)
}

#[test]
fn is_the_same_model_as_the_folder() {
    let mut models =
        ["llama-biases", "llama-biases.gguf"].map(|name| Model::open(&golden(name), &Device::Cpu).unwrap());
    for text in TEXTS {
        let [folder, file] = models.each_ref().map(|model| model.tokenizer().encode(text).unwrap());
        assert_eq!(folder, file, "{text}");
    }
    let texts = TEXTS.map(String::from);
    let continuations = TEXTS.map(|text| (text.to_owned(), " and so on".to_owned()));
    let decoding = Decoding { max_tokens: 24, ..Decoding::default() };
    let answers = models.each_mut().map(|model| {
        let completions = Local::new(model).generate(&texts, &decoding, &mut |_| ()).unwrap();
        completions.into_iter().map(|one| one.text).collect::<Vec<_>>()
    });
    assert_eq!(answers[0], answers[1]);
    let [folder, file] =
        models.each_ref().map(|model| Local::new(model).loglikelihood(&continuations, &mut |_| ()).unwrap());
    for (folder, file) in folder.iter().zip(&file) {
        assert!((folder.logprob - file.logprob).abs() < 1e-4, "{} {}", folder.logprob, file.logprob);
    }
}

#[test]
fn cut_short_it_is_an_error() {
    let bytes = std::fs::read(golden("llama-biases.gguf")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.gguf");
    let last = bytes.len() - 1;
    for length in [0, 3, 4, 20, 100, 1000, last / 8, last / 4, last / 2, last] {
        std::fs::write(&path, &bytes[..length]).unwrap();
        let error = Model::open(&path, &Device::Cpu).unwrap_err();
        assert_eq!(error.class(), Class::Data, "{length}: {error}");
        assert!(error.to_string().contains("cut.gguf"), "{length}: {error}");
        assert!(error.hint_text().is_some(), "{length}: {error}");
    }
}

/// llama.cpp ends a generation at each of these keys. The file's first token takes another key's name, of the same length.
#[test]
fn stops_at_the_ends_that_it_names() {
    let bytes = std::fs::read(golden("llama-biases.gguf")).unwrap();
    let key = b"tokenizer.ggml.bos_token_id";
    let at = bytes.windows(key.len()).position(|window| window == key).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("named.gguf");
    for (name, expected) in [("bos", vec![257]), ("eot", vec![256, 257]), ("eom", vec![256, 257]), ("sep", vec![257])] {
        let mut bytes = bytes.clone();
        bytes[at + 15..at + 18].copy_from_slice(name.as_bytes());
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(Model::open(&path, &Device::Cpu).unwrap().stop_ids(), expected, "{name}");
    }
}
