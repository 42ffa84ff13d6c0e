//! Tiny models of every architecture against what transformers computed for them (`tests/oracles/tiny_models.py`).
#![allow(clippy::unwrap_used, missing_docs)]

use candle_core::{Device, Tensor};
use diapason_core::language_model::{Decoding, Finish, LanguageModel};
use diapason_engine::Local;
use diapason_models::Model;
use diapason_models::linear::Mode;
use diapason_nn::layout::{Sequences, Span};
use serde::Deserialize;
use std::path::{Path, PathBuf};

const MODELS: [&str; 5] = ["llama-tied", "llama-biases", "mistral-sharded", "qwen2", "qwen3"];

#[derive(Deserialize)]
struct Expected {
    text: String,
    ids: Vec<u32>,
    logits: Vec<f32>,
    greedy: Vec<u32>,
    first: String,
    tail_logprob: f64,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/golden").join(name)
}

fn open(name: &str) -> (Model, Vec<Expected>) {
    let expected = std::fs::read_to_string(folder(name).join("expected.json")).unwrap();
    (Model::open(&folder(name), &Device::Cpu).unwrap(), serde_json::from_str(&expected).unwrap())
}

fn last_logits(model: &Model, ids: &[u32]) -> Vec<f32> {
    let input = Tensor::new(ids, &Device::Cpu).unwrap().unsqueeze(0).unwrap();
    let spans = vec![Span { offset: 0, keys: ids.len() }];
    let hidden = model.llama().forward_hidden(&input, &Sequences::Padded(spans), None, &Mode::Inference).unwrap();
    let logits = model.llama().logits(&hidden.narrow(1, ids.len() - 1, 1).unwrap(), &Mode::Inference).unwrap();
    logits.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn tokens_and_logits_agree() {
    for name in MODELS {
        let (model, expected) = open(name);
        for case in expected {
            assert_eq!(model.tokenizer().encode(&case.text).unwrap(), case.ids, "{name}");
            let logits = last_logits(&model, &case.ids);
            assert_eq!(logits.len(), case.logits.len());
            for (i, (found, expected)) in logits.iter().zip(&case.logits).enumerate() {
                assert!((found - expected).abs() < 1e-4, "{name}, {:?}, token {i}: {found} for {expected}", case.text);
            }
        }
    }
}

#[test]
fn greedy_continuations_agree_whatever_the_batch() {
    let decoding = Decoding { max_tokens: 24, ..Decoding::default() };
    for name in MODELS {
        let (model, expected) = open(name);
        let prompts: Vec<String> = expected.iter().map(|case| case.text.clone()).collect();
        for batch in [1, 2, 3] {
            let mut seen = Vec::new();
            let found =
                Local::new(&model).batched(batch).generate(&prompts, &decoding, &mut |done| seen.push(done)).unwrap();
            assert_eq!(seen, [1, 2, 3]);
            for (found, case) in found.iter().zip(&expected) {
                assert_eq!(found.text, model.tokenizer().decode(&case.greedy).unwrap(), "{name}, batch of {batch}");
                assert_eq!(found.tokens, case.greedy.len());
                assert_eq!(found.finish == Finish::Stop, case.greedy.len() < 24);
            }
        }
    }
}

#[test]
fn samples_do_not_depend_on_the_batch() {
    let (model, expected) = open("llama-tied");
    let prompts: Vec<String> = expected.iter().cycle().take(7).map(|case| case.text.clone()).collect();
    let decoding = Decoding { max_tokens: 12, temperature: 1.5, top_p: 0.9, seed: 5, ..Decoding::default() };
    let with_batch = |batch, decoding: &Decoding| {
        Local::new(&model).batched(batch).generate(&prompts, decoding, &mut |_| {}).unwrap()
    };
    let alone = with_batch(1, &decoding);
    assert_eq!(alone, with_batch(4, &decoding));
    assert_ne!(alone, with_batch(4, &Decoding { seed: 6, ..decoding }));
    assert_ne!(alone[0], alone[3], "the same prompt at another place draws from another stream");
}

#[test]
fn stop_strings_end_a_completion_and_are_left_out() {
    let (model, expected) = open("llama-tied");
    let prompts = [expected[0].text.clone()];
    let decoding = Decoding { max_tokens: 24, ..Decoding::default() };
    let whole = Local::new(&model).generate(&prompts, &decoding, &mut |_| {}).unwrap().remove(0);
    let stop: String = whole.text.chars().skip(4).take(2).collect();
    let decoding = Decoding { stop: vec![stop.clone()], ..decoding };
    let cut = Local::new(&model).generate(&prompts, &decoding, &mut |_| {}).unwrap().remove(0);
    assert_eq!(cut.text, whole.text[..whole.text.find(&stop).unwrap()]);
    assert_eq!(cut.finish, Finish::Stop);
}

#[test]
fn likelihoods_agree() {
    for name in MODELS {
        let (model, expected) = open(name);
        let long = expected.iter().filter(|case| case.ids.len() > 1);
        let (cases, pairs): (Vec<_>, Vec<_>) =
            long.map(|case| (case, (case.first.clone(), case.text[case.first.len()..].to_owned()))).unzip();
        let found = Local::new(&model).loglikelihood(&pairs, &mut |_| {}).unwrap();
        for ((found, case), (_, continuation)) in found.iter().zip(cases).zip(&pairs) {
            assert!(
                (found.logprob - case.tail_logprob).abs() < 1e-3,
                "{name}: {} for {}",
                found.logprob,
                case.tail_logprob
            );
            assert_eq!((found.tokens, found.bytes), (case.ids.len() - 1, continuation.len()));
            assert!(!found.greedy);
        }
    }
}

#[test]
fn a_greedy_continuation_is_recognised() {
    let (model, expected) = open("llama-biases");
    let case = &expected[1];
    let next = model.tokenizer().decode(&case.greedy[..1]).unwrap();
    assert_eq!((case.text.as_str(), next.as_str()), ("a", "j"));
    let pairs = [("a", "j"), ("a", "k")].map(|(prompt, next)| (prompt.to_owned(), next.to_owned()));
    let found = Local::new(&model).loglikelihood(&pairs, &mut |_| {}).unwrap();
    assert!(found[0].greedy && !found[1].greedy);
    assert!(found[0].logprob > found[1].logprob);
}

#[test]
fn too_long_inputs_are_refused() {
    let (model, _) = open("mistral-sharded");
    assert_eq!(model.context_length(), 64, "the sliding window, which is shorter than the positions");
    let long = "a".repeat(64);
    let error =
        Local::new(&model).generate(std::slice::from_ref(&long), &Decoding::default(), &mut |_| {}).unwrap_err();
    assert_eq!(error.to_string(), "prompt 1 has 64 tokens, which leaves no room in the context of 64");
    let error = Local::new(&model).loglikelihood(&[(long, "b".to_owned())], &mut |_| {}).unwrap_err();
    assert_eq!(error.to_string(), "pair 1 has 65 tokens, more than the context of 64");
}

#[test]
fn a_saved_model_is_the_same_model() {
    for name in MODELS {
        let (mut model, expected) = open(name);
        model.end_turns([7]);
        assert_eq!(model.stop_ids(), [7, 257], "a template's end of a turn ends generations");
        let copy = tempfile::tempdir().unwrap();
        model.save(copy.path(), diapason_nn::SaveType::F32).unwrap();
        let copy = Model::open(copy.path(), &Device::Cpu).unwrap();
        assert_eq!(copy.llama().config(), model.llama().config());
        assert_eq!(copy.special_tokens()["eos_token"], "</s>");
        assert_eq!(copy.stop_ids(), [257], "and is not the model's");
        let ids = &expected[0].ids;
        assert_eq!(last_logits(&copy, ids), last_logits(&model, ids), "{name}");
    }
}

/// Where transformers stops (`tests/oracles/stop_ids.py`). Where it stops nowhere, a folder's own `eos_token` is taken: a
/// generation that runs to its limit is never meant.
#[test]
fn generations_stop_where_transformers_stops_them() {
    type Row = (serde_json::Value, serde_json::Value, Option<Vec<u32>>);
    let text = std::fs::read_to_string(folder("stop_ids.json")).unwrap();
    let rows: Vec<Row> = serde_json::from_str(&text).unwrap();
    assert!(rows.len() > 10 && rows.iter().any(|row| row.2.is_none()));
    for (config, generation, expected) in rows {
        let model = stopping(&config, &generation).unwrap();
        assert_eq!(model.stop_ids(), expected.unwrap_or_else(|| vec![257]), "{config} {generation}");
    }
}

#[test]
fn an_end_that_is_no_token_is_refused_with_its_file() {
    let null = serde_json::Value::Null;
    for (value, file) in [("-1", "config.json"), ("\"</s>\"", "generation_config.json"), ("[5, 6.5]", "config.json")] {
        let keys = serde_json::from_str(&format!("{{\"eos_token_id\": {value}}}")).unwrap();
        let (config, generation) = if file == "config.json" { (keys, null.clone()) } else { (null.clone(), keys) };
        let error = stopping(&config, &generation).unwrap_err();
        assert!(error.to_string().contains(&format!("/{file} is ")) && error.hint_text().is_some(), "{error}");
    }
}

/// The outline of a golden model with these keys in its files; null leaves generation_config.json away.
fn stopping(config: &serde_json::Value, generation: &serde_json::Value) -> diapason_core::Result<Model> {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder("llama-tied")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    let text = std::fs::read_to_string(copy.path().join("config.json")).unwrap();
    let mut own: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
    own.remove("eos_token_id");
    own.extend(config.as_object().cloned().unwrap_or_default());
    std::fs::write(copy.path().join("config.json"), serde_json::Value::from(own).to_string()).unwrap();
    match generation {
        serde_json::Value::Null => std::fs::remove_file(copy.path().join("generation_config.json")).unwrap(),
        keys => std::fs::write(copy.path().join("generation_config.json"), keys.to_string()).unwrap(),
    }
    Model::outline(copy.path())
}
