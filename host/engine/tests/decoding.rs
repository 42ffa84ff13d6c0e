//! What a folder's `generation_config.json` does to answers, against `tests/oracles/decoding.py`: they are transformers', or
//! the field is refused by name.
#![allow(clippy::unwrap_used, missing_docs)]

use candle_core::Device;
use diapason_core::Result;
use diapason_core::language_model::{Completion, Decoding, LanguageModel as _};
use diapason_engine::Local;
use diapason_models::{Model, decoding};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Golden {
    prompts: Vec<String>,
    new: usize,
    answers: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    folder: String,
    file: String,
    fields: Map<String, Value>,
    /// Text and number of tokens; where transformers gives several, a list of texts.
    #[serde(default)]
    answers: Vec<(Value, usize)>,
    error: Option<String>,
}

/// What transformers does and is refused here: another kind of decoding, and what nobody knows.
const MORE: [&str; 10] = [
    "assistant_early_exit",
    "eos_token_id",
    "foo",
    "frequency_penalty",
    "guidance_scale",
    "max_time",
    "num_beam_groups",
    "num_beams",
    "speculation_type",
    "watermarking_config",
];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/golden").join(name)
}

/// A golden model with these fields in the file.
fn folder(name: &str, file: &str, fields: &Map<String, Value>) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(golden(name)).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    let config = copy.path().join("config.json");
    let mut own: Map<String, Value> = serde_json::from_str(&std::fs::read_to_string(&config).unwrap()).unwrap();
    if file == "config.json" {
        std::fs::remove_file(copy.path().join("generation_config.json")).unwrap();
        own.extend(fields.clone());
    } else {
        let said = json!({"repetition_penalty": 5.0, "min_length": 9});
        own.extend(said.as_object().unwrap().clone());
        std::fs::write(copy.path().join(file), format!("{:#}", Value::from(fields.clone()))).unwrap();
    }
    std::fs::write(config, Value::from(own).to_string()).unwrap();
    copy
}

fn generation(fields: Value) -> tempfile::TempDir {
    folder("llama-tied", "generation_config.json", fields.as_object().unwrap())
}

fn answers(folder: &Path, prompts: &[String], decoding: &Decoding) -> Result<Vec<Completion>> {
    Local::new(&Model::open(folder, &Device::Cpu)?).generate(prompts, decoding, &mut |_| {})
}

#[test]
fn answers_are_those_of_transformers_or_refused() {
    let golden: Golden = serde_json::from_str(&std::fs::read_to_string(golden("decoding.json")).unwrap()).unwrap();
    let decoding = Decoding { max_tokens: golden.new, ..Decoding::default() };
    let (mut same, mut more) = (0, BTreeSet::new());
    for case in &golden.answers {
        let folder = folder(&case.folder, &case.file, &case.fields);
        let name = || format!("{} {} {:?}", case.folder, case.file, case.fields);
        match answers(folder.path(), &golden.prompts, &decoding) {
            Ok(found) => {
                assert_eq!(case.error, None, "{}", name());
                let found: Vec<(Value, usize)> =
                    found.into_iter().map(|answer| (answer.text.into(), answer.tokens)).collect();
                assert_eq!(found, case.answers, "{}", name());
                same += 1;
            }
            Err(error) => {
                assert!(error.hint_text().is_some(), "{error}");
                let named = case.fields.keys().find(|key| error.to_string().contains(&format!("`{key}` in ")));
                let named = named.unwrap_or_else(|| panic!("{}: {error}", name()));
                // In config.json a key that its own table does not know is refused, whatever it does.
                if case.error.is_none() && case.file != "config.json" {
                    more.insert(named.as_str());
                }
            }
        }
    }
    assert_eq!(more.into_iter().collect::<Vec<_>>(), MORE);
    assert!(same > 190, "{same}");
}

#[test]
fn draws_keep_to_what_is_allowed() {
    let allowed = [u32::from(b'B'), u32::from(b'Q')].map(|byte| byte - 33);
    let others: Vec<u32> = (0..264).filter(|id| !allowed.contains(id)).collect();
    let folder =
        generation(json!({"suppress_tokens": others, "eos_token_id": 257, "begin_suppress_tokens": [allowed[0]]}));
    let decoding = Decoding { max_tokens: 12, temperature: 3.0, seed: 5, ..Decoding::default() };
    let found = answers(folder.path(), &vec!["a".to_owned(); 8], &decoding).unwrap();
    let text: String = found.iter().map(|answer| answer.text.as_str()).collect();
    assert_eq!(text.chars().collect::<BTreeSet<char>>(), BTreeSet::from(['B', 'Q']));
    assert!(found.iter().all(|answer| answer.text.starts_with('Q') && answer.tokens == 12));
    let distinct: BTreeSet<&str> = found.iter().map(|answer| answer.text.as_str()).collect();
    assert!(distinct.len() > 4, "{distinct:?}");
}

#[test]
fn where_nothing_is_allowed_nothing_is_answered() {
    let folder = generation(json!({"suppress_tokens": (0..264).collect::<Vec<u32>>()}));
    for temperature in [0.0, 1.0] {
        let decoding = Decoding { temperature, ..Decoding::default() };
        let error = answers(folder.path(), &["a".to_owned()], &decoding).unwrap_err();
        assert!(error.to_string().contains("leaves no token to choose from"), "{error}");
    }
}

#[test]
fn a_refusal_names_file_line_and_value() {
    let folder = generation(json!({"eos_token_id": 257, "num_beams": 4}));
    let error = answers(folder.path(), &["a".to_owned()], &Decoding::default()).unwrap_err();
    let path = folder.path().join("generation_config.json");
    let expected =
        format!("`num_beams` in {} line 3 is 4: it asks for beam search, which is not supported", path.display());
    assert_eq!(error.to_string(), expected);
    assert_eq!(
        decoding::refusal(folder.path()).unwrap().to_string(),
        expected,
        "it is known before the model is opened"
    );
    let model = Model::open(folder.path(), &Device::Cpu).unwrap();
    assert!(
        Local::new(&model).loglikelihood(&[("a".into(), "b".into())], &mut |_| {}).is_ok(),
        "likelihoods are not decoded"
    );
    for text in ["null", "[]", "3", "{"] {
        std::fs::write(&path, text).unwrap();
        assert!(Model::open(folder.path(), &Device::Cpu).is_err(), "{text}");
    }
}

#[test]
fn what_is_left_to_the_project_is_listed() {
    let file = json!({"do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": 0.9, "min_p": 0.0, "typical_p": 0.5,
                      "no_repeat_ngram_size": 2});
    let folder = generation(file);
    assert_eq!(decoding::sampling_left_out(folder.path()), ["top_k", "typical_p"]);
    assert!(decoding::refusal(folder.path()).is_none());
    let model = Model::outline(folder.path()).unwrap();
    assert_eq!(model.changed_decoding(), ["no_repeat_ngram_size"]);
    assert!(decoding::refusal(Path::new("nowhere")).is_none(), "what cannot be read is said by those who open it");
}

/// What nobody writes ends in an answer or in an error with a hint.
#[test]
fn senseless_values() {
    let fields = [
        "bad_words_ids",
        "begin_suppress_tokens",
        "encoder_no_repeat_ngram_size",
        "encoder_repetition_penalty",
        "eos_token_id",
        "exponential_decay_length_penalty",
        "forced_bos_token_id",
        "forced_eos_token_id",
        "min_length",
        "min_new_tokens",
        "no_repeat_ngram_size",
        "repetition_penalty",
        "sequence_bias",
        "suppress_tokens",
    ];
    let values = [
        json!(-1),
        json!(0),
        json!(7),
        json!(u64::MAX),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(1e308),
        json!(1e-320),
        json!(""),
        json!([]),
        json!([[]]),
        json!([i64::MIN, 1e308]),
        json!([0, -1e308]),
        json!([[[], 1e308]]),
        json!([[[5], 1e308], [[5, 5], -1e308]]),
        json!([u64::MAX, 5]),
        json!({}),
        json!(true),
    ];
    let (mut answered, mut refused) = (0, 0);
    let folder = generation(json!({}));
    let path = folder.path().join("generation_config.json");
    for (field, value) in fields.iter().flat_map(|field| values.iter().map(move |value| (field, value))) {
        std::fs::write(&path, json!({*field: value}).to_string()).unwrap();
        for temperature in [0.0, 1.0] {
            let decoding = Decoding { max_tokens: 4, temperature, ..Decoding::default() };
            match answers(folder.path(), &["a".to_owned(), "bcd".to_owned()], &decoding) {
                Ok(_) => answered += 1,
                Err(error) => {
                    assert!(
                        error.hint_text().is_some() && error.to_string().contains(".json"),
                        "{field} {value}: {error}"
                    );
                    refused += 1;
                }
            }
        }
    }
    assert!(answered > 60 && refused > 200, "{answered} {refused}");
}
