//! Tokens of GGUF files: which are special, and which end an answer. `tests/oracles/gguf_tokens.py` made the golden file of what
//! llama.cpp makes of files, and asks it about exports like those below.
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code)]
mod shared;

use candle_core::Device;
use candle_core::quantized::QTensor;
use candle_core::quantized::gguf_file::{self, Content, Value as Metadata};
use diapason_models::Model;
use diapason_models::export::{Differences, GgufType, export};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{edit, with_merge};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

#[derive(Deserialize)]
struct Case {
    name: String,
    /// Texts and kinds from 257 on.
    tokens: Vec<(String, i32)>,
    keys: BTreeMap<String, u32>,
    ends: Vec<u32>,
    text: String,
    ids: Vec<u32>,
}

/// `llama-biases.gguf` with other metadata.
fn changed(path: &Path, change: impl FnOnce(&mut std::collections::HashMap<String, Metadata>)) {
    let mut file = std::fs::File::open(golden("llama-biases.gguf")).unwrap();
    let content = Content::read(&mut file).unwrap();
    let mut metadata = content.metadata.clone();
    change(&mut metadata);
    let tensors: Vec<(&String, QTensor)> = content
        .tensor_infos
        .keys()
        .map(|name| (name, content.tensor(&mut file, name, &Device::Cpu).unwrap()))
        .collect();
    let metadata: Vec<(&str, &Metadata)> = metadata.iter().map(|(name, value)| (name.as_str(), value)).collect();
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    gguf_file::write(&mut std::fs::File::create(path).unwrap(), &metadata, &tensors).unwrap();
}

fn list<'a>(metadata: &'a mut std::collections::HashMap<String, Metadata>, name: &str) -> &'a mut Vec<Metadata> {
    match metadata.get_mut(name).unwrap() {
        Metadata::Array(list) => list,
        _ => unreachable!("{name} is a list"),
    }
}

#[test]
fn special_tokens_and_ends_are_llama_cpps() {
    let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(golden("gguf_tokens.json")).unwrap()).unwrap();
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("m.gguf");
    for case in &cases {
        changed(&path, |metadata| {
            for (at, (text, kind)) in case.tokens.iter().enumerate() {
                list(metadata, "tokenizer.ggml.tokens")[257 + at] = Metadata::String(text.clone());
                list(metadata, "tokenizer.ggml.token_type")[257 + at] = Metadata::I32(*kind);
            }
            metadata.remove("tokenizer.ggml.eos_token_id");
            let keys = case.keys.iter().map(|(key, id)| (format!("tokenizer.ggml.{key}"), Metadata::U32(*id)));
            metadata.extend(keys);
            metadata.insert("tokenizer.ggml.merges".into(), Metadata::Array(vec![Metadata::String("x y".into())]));
            // The oracle's merge makes no token; here it has one.
            list(metadata, "tokenizer.ggml.tokens")[263] = Metadata::String("xy".into());
        });
        let model = Model::open(&path, &Device::Cpu).unwrap();
        assert_eq!(model.stop_ids(), case.ends, "{}", case.name);
        assert_eq!(model.tokenizer().encode(&case.text).unwrap(), case.ids, "{}", case.name);
    }
    assert!(cases.len() > 12);
}

#[test]
fn what_cannot_be_read_as_llama_cpp_reads_it_is_refused_by_name() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("m.gguf");
    type Change = (&'static str, Metadata, &'static str);
    let text = |text: &str| Metadata::String(text.into());
    let changes: [Change; 5] = [
        ("tokenizer.ggml.eos_token_id", text("</s>"), "`tokenizer.ggml.eos_token_id` in the GGUF file is no token id"),
        (
            "tokenizer.ggml.token_type",
            Metadata::Array(vec![Metadata::I32(1)]),
            "no list `tokenizer.ggml.token_type` of 264",
        ),
        ("tokenizer.ggml.pre", Metadata::U32(1), "no text `tokenizer.ggml.pre`"),
        ("tokenizer.ggml.pre", text("gpt2"), "the pre-tokenizer `gpt2`"),
        ("tokenizer.ggml.suppress_tokens", Metadata::Array(vec![Metadata::I32(1)]), "`tokenizer.ggml.suppress_tokens`"),
    ];
    for (name, value, said) in changes {
        changed(&path, |metadata| drop(metadata.insert(name.into(), value)));
        let error = Model::open(&path, &Device::Cpu).unwrap_err();
        let error = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        let error: String = error.map(|error| format!("{error}; ")).collect();
        assert!(error.contains(said), "{name}: {error}");
    }
    changed(&path, |metadata| list(metadata, "tokenizer.ggml.tokens")[260] = Metadata::String("!".into()));
    let error = Model::open(&path, &Device::Cpu).unwrap_err();
    let error = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    let error: String = error.map(|error| format!("{error}; ")).collect();
    assert!(error.contains("the tokens 0 and 260 in the GGUF file are both \"!\""), "{error}");
}

/// Without a key llama.cpp gives a template its token 11 as `bos_token`.
#[test]
fn what_templates_write_is_llama_cpps() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("m.gguf");
    changed(&path, |metadata| drop(metadata.remove("tokenizer.ggml.bos_token_id")));
    assert_eq!(Model::open(&path, &Device::Cpu).unwrap().special_tokens()["bos_token"], ",");
}

fn token(text: &str, special: bool) -> Value {
    json!({"id": 0, "content": text, "special": special, "normalized": false, "single_word": false, "lstrip": false,
        "rstrip": false})
}

/// The golden folder with a merge, these added tokens and these ids as its ends.
fn folder(added: &[Value], ends: &[u32]) -> tempfile::TempDir {
    let folder = with_merge(&golden("llama-tied"));
    edit(folder.path(), "tokenizer.json", |json| json["added_tokens"] = added.into());
    let ends = if ends.is_empty() { Value::Null } else { json!(ends) };
    edit(folder.path(), "generation_config.json", |json| json["eos_token_id"] = ends);
    std::fs::write(folder.path().join("tokenizer_config.json"), "{}").unwrap();
    folder
}

fn exported(folder: &Path, out: &Path) -> Result<(Differences, Model), String> {
    let model = Model::open(folder, &Device::Cpu).unwrap();
    let written = export(&model, out, GgufType::F16).map_err(|error| error.to_string())?;
    Ok((written.differences, Model::open(out, &Device::Cpu).unwrap()))
}

#[test]
fn every_end_is_written() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("m.gguf");
    let four: Vec<Value> = ["<a>", "<b>", "<c>", "<d>"].map(|text| token(text, true)).into();
    for ends in [&[257][..], &[258, 260], &[257, 258, 260], &[257, 300]] {
        let (differences, again) = exported(folder(&four, ends).path(), &path).unwrap();
        let ends: Vec<u32> = ends.iter().copied().filter(|id| *id < 264).collect();
        assert_eq!((again.stop_ids(), differences), (&ends[..], Differences::default()));
    }
    let error = exported(folder(&four, &[257, 258, 259, 260]).path(), &path).unwrap_err();
    assert!(
        error.contains("at <a> and at \"<b>\", \"<c>\", \"<d>\", more tokens than a GGUF file can name"),
        "{error}"
    );
    let error = exported(folder(&four, &[]).path(), &path).unwrap_err();
    assert!(error.contains("no token that ends a text; llama.cpp would end at the token 11"), "{error}");
    let by_text: Vec<Value> = ["<x>", "<|im_end|>", "<|eot_id|>", "<eos>"].map(|text| token(text, true)).into();
    let (differences, again) = exported(folder(&by_text, &[257, 258, 259, 260]).path(), &path).unwrap();
    assert_eq!((again.stop_ids(), differences), (&[257, 258, 259, 260][..], Differences::default()));
}

#[test]
fn what_llama_cpp_does_by_the_names_of_tokens_is_said() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("m.gguf");
    let added =
        [token("<x>", true), token("<|im_end|>", false), token("<|channel|>", true), token("<|file_sep|>", false)];
    let (differences, again) = exported(folder(&added, &[257]).path(), &path).unwrap();
    assert_eq!(again.stop_ids(), [257, 258, 260]);
    assert_eq!(differences.ends, ["<|im_end|>", "<|file_sep|>"]);
    assert_eq!((differences.hidden, differences.shown), (vec!["<|im_end|>".into()], vec!["<|channel|>".into()]));
}

#[test]
fn ids_are_those_of_the_library() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("m.gguf");
    let odd = |text: &str, id: u32| {
        let mut token = token(text, true);
        token["id"] = id.into();
        token
    };
    for added in [[odd("<x>", 258), odd("<y>", 262)], [odd("<x>", 5), odd("<y>", 5)], [odd("<x>", 900), odd("<y>", 3)]]
    {
        let folder = folder(&added, &[258]);
        let model = Model::open(folder.path(), &Device::Cpu).unwrap();
        let (_, again) = exported(folder.path(), &path).unwrap();
        let ids = model.tokenizer().encode("a<x>b<y>").unwrap();
        assert_eq!(
            (again.tokenizer().encode("a<x>b<y>").unwrap(), ids),
            (vec![64, 257, 65, 258], vec![64, 257, 65, 258])
        );
        assert_eq!(again.stop_ids(), [258]);
    }
}

#[test]
fn tokenizers_that_llama_cpp_reads_or_writes_otherwise_are_refused() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("m.gguf");
    let end = token("</s>", true);
    let plain = |added: Vec<Value>| folder(&[vec![end.clone()], added].concat(), &[257]);
    let with = |place: &'static str, value: Value| {
        let folder = plain(vec![]);
        edit(folder.path(), "tokenizer.json", |json| *json.pointer_mut(place).unwrap() = value);
        folder
    };
    let template = |text: &str| {
        let folder = plain(vec![]);
        std::fs::write(folder.path().join("chat_template.jinja"), text).unwrap();
        std::fs::write(folder.path().join("tokenizer_config.json"), r#"{"pad_token": "</s>"}"#).unwrap();
        folder
    };
    let strip = json!({"type": "Strip", "content": " ", "start": 1, "stop": 0});
    for (folder, said) in [
        (with("/model/merges", json!([])), "has no merges, and llama.cpp opens no BPE without them"),
        (with("/decoder", Value::Null), "has the decoder null"),
        (
            with(
                "/decoder",
                json!({"type": "Sequence", "decoders": [{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}, strip]}),
            ),
            "has the decoder",
        ),
        (plain(vec![token("été", false)]), "for the added token \"été\""),
        (plain(vec![token("ab", false), token("bcd", false)]), "added tokens that overlap in \"abcd\""),
        (plain(vec![token("abc", false), token("cde", false)]), "added tokens that overlap in"),
        (template("{{ bos_token }}"), "a chat template of the model writes `bos_token`"),
        (template("{{ pad_token }}"), "a chat template of the model writes `pad_token`"),
        (template("{{ eos_token }}"), "a chat template of the model writes `eos_token`"),
    ] {
        let error = exported(folder.path(), &path).unwrap_err();
        assert!(error.contains(said), "{said}: {error}");
        assert!(!path.exists());
    }
    for added in [vec![token("  ", false), token("    ", false)], vec![token("abcd", false), token("bc", false)]] {
        exported(plain(added).path(), &path).unwrap();
    }
    exported(template("{{ my_bos_token }}").path(), &path).unwrap();
}
