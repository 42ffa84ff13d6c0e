//! GGUF files: types of tensors, the rotary embedding as llama.cpp reads it, and what the header must say.

use crate::folders::{configure, golden, logits, open, refused, say, single, tensors};
use crate::shared::add_merge;
use candle_core::quantized::gguf_file::{self, Content, Value as Metadata};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use diapason_models::export::{GgufType, export};
use diapason_models::{Model, decoding};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use tempfile::TempDir;

/// The golden file with other metadata (null takes a key out) and tensors.
fn changed(edits: &Value, architecture: &str, more: &[(&str, Vec<f32>)]) -> (TempDir, PathBuf) {
    let mut file = std::fs::File::open(golden("llama-biases.gguf")).unwrap();
    let content = Content::read(&mut file).unwrap();
    let mut metadata = content.metadata.clone();
    metadata.insert("general.architecture".into(), Metadata::String(architecture.into()));
    for (name, value) in edits.as_object().unwrap() {
        let name = if name.starts_with("general") || name.starts_with("split") {
            name.clone()
        } else {
            format!("llama.{name}")
        };
        metadata.remove(&name);
        metadata.extend(stored(value).map(|value| (name, value)));
    }
    let mut tensors: Vec<(String, QTensor)> = Vec::new();
    for name in content.tensor_infos.keys() {
        tensors.push((name.clone(), content.tensor(&mut file, name, &Device::Cpu).unwrap()));
    }
    for (name, values) in more {
        let tensor = Tensor::new(values.as_slice(), &Device::Cpu).unwrap();
        tensors.push(((*name).to_owned(), QTensor::quantize(&tensor, GgmlDType::F32).unwrap()));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    let metadata: Vec<(&str, &Metadata)> = metadata.iter().map(|(name, value)| (name.as_str(), value)).collect();
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    gguf_file::write(&mut std::fs::File::create(&path).unwrap(), &metadata, &tensors).unwrap();
    (folder, path)
}

fn stored(value: &Value) -> Option<Metadata> {
    Some(match value {
        Value::Null => return None,
        Value::String(text) => Metadata::String(text.clone()),
        Value::Bool(flag) => Metadata::Bool(*flag),
        Value::Array(list) => Metadata::Array(list.iter().filter_map(stored).collect()),
        Value::Number(number) if number.is_u64() => Metadata::U32(number.as_u64().unwrap() as u32),
        number => Metadata::F32(number.as_f64().unwrap() as f32),
    })
}

#[derive(Deserialize)]
struct Ropes {
    ids: Vec<u32>,
    cases: Vec<Rope>,
}

#[derive(Deserialize)]
struct Rope {
    name: String,
    metadata: Value,
    freqs: Option<Vec<f32>>,
    /// Every eighth log-probability after the first seven tokens, and after all.
    short: Option<Vec<f32>>,
    long: Option<Vec<f32>>,
}

/// What llama.cpp opens and this does not, with what is said.
const REFUSED: [(&str, &str); 3] = [
    ("freqs and yarn", "yarn beside rope_freqs.weight"),
    ("key heads by layer", "no count `llama.attention.head_count_kv`"),
    ("linear, attention factor", "`llama.rope.scaling.attn_factor`"),
];

#[track_caller]
fn close(name: &str, logits: &[f32], expected: &[f32]) {
    let largest = logits.iter().copied().fold(f32::MIN, f32::max);
    let sum: f32 = logits.iter().map(|logit| (logit - largest).exp()).sum();
    let found = logits.iter().take(256).step_by(8).map(|logit| logit - largest - sum.ln());
    let worst = found.zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 5e-3, "{name}: log-probabilities differ by {worst}");
}

#[test]
fn rotary_embeddings_are_llama_cpps() {
    let Ropes { ids, cases } = serde_json::from_slice(&std::fs::read(golden("gguf_ropes.json")).unwrap()).unwrap();
    let mut agreed = 0;
    for case in &cases {
        let freqs: Vec<_> = case.freqs.iter().map(|freqs| ("rope_freqs.weight", freqs.clone())).collect();
        let (_folder, path) = changed(&case.metadata, "llama", &freqs);
        let own = REFUSED.iter().find(|(name, _)| *name == case.name).map(|(_, said)| *said);
        let (Some(short), Some(long), None) = (&case.short, &case.long, own) else {
            let said = refused(&path);
            assert!(said.contains(own.unwrap_or("")) && !said.contains("truncated"), "{}: {said}", case.name);
            continue;
        };
        let model = open(&path);
        close(&case.name, logits(&model, &ids[..7]).last().unwrap(), short);
        if model.llama().config().context_length() >= ids.len() {
            close(&case.name, logits(&model, &ids).last().unwrap(), long);
            agreed += 1;
        }
    }
    assert!(agreed >= 16, "{agreed}");
}

/// llama.cpp's own file with the type of one tensor replaced: nothing else of it is looked at first.
#[test]
fn types_of_tensors_are_named() {
    let bytes = std::fs::read(golden("llama-biases.gguf")).unwrap();
    let name = b"blk.1.attn_k.weight";
    // Behind the name: the number of dimensions, two of them, and the type.
    let at = bytes.windows(name.len()).position(|window| window == name).unwrap() + name.len() + 4 + 16;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    for (number, name) in [
        (23_u32, "IQ4_XS"),
        (20, "IQ4_NL"),
        (16, "IQ2_XXS"),
        (35, "TQ2_0"),
        (39, "MXFP4"),
        (9, "Q8_1"),
        (15, "Q8_K"),
        (28, "F64"),
        (99, "number 99"),
    ] {
        let mut other = bytes.clone();
        other[at..at + 4].copy_from_slice(&number.to_le_bytes());
        std::fs::write(&path, other).unwrap();
        let said = refused(&path);
        assert!(said.contains(&format!("tensor type {name} is not supported: tensor `blk.1.attn_k.weight`")), "{said}");
        assert!(said.contains("supported: F32, F16, BF16, Q4_0") && !said.contains("truncated"), "{said}");
    }
}

/// Every cause that `error` has, as it is shown.
fn told(error: &diapason_core::Error) -> String {
    let mut text = say(error);
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[test]
fn headers_that_are_damaged() {
    let bytes = std::fs::read(golden("llama-biases.gguf")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    let with = |at: usize, new: &[u8]| {
        let mut other = bytes.clone();
        other[at..at + new.len()].copy_from_slice(new);
        std::fs::write(&path, other).unwrap();
        told(&Model::open(&path, &Device::Cpu).unwrap_err())
    };
    assert!(with(0, b"GGML").contains("not in GGUF format"));
    assert!(with(4, &[0, 0, 0, 3]).contains("version 0x3000000 of GGUF"), "big-endian");
    assert!(with(4, &[9, 0, 0, 0]).contains("versions 1 to 3"));
    assert!(with(8, &[255; 8]).contains("it ends within its header"));
    for length in [5, 30, 500, 4000] {
        std::fs::write(&path, &bytes[..length]).unwrap();
        let said = told(&Model::open(&path, &Device::Cpu).unwrap_err());
        assert!(said.contains("it ends within its header") && said.contains("truncated"), "{length}: {said}");
    }
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let said = told(&Model::open(&path, &Device::Cpu).unwrap_err());
    assert!(said.contains("ends behind") && said.contains("truncated"), "{said}");
    assert!(!said.contains("stack backtrace") && !said.contains("candle_core::"), "{said}");
}

#[test]
fn metadata_that_change_the_model_are_refused() {
    for (edits, expected) in [
        (json!({"expert_count": 8}), "`llama.expert_count`"),
        (json!({"attention.scale": 0.5}), "`llama.attention.scale`"),
        (json!({"logit_scale": 0.5}), "`llama.logit_scale`"),
        (json!({"attention.causal": false}), "`llama.attention.causal`"),
        (json!({"attention.value_length": 16}), "`llama.attention.value_length`"),
        (json!({"rope.scaling.yarn_ext_factor": 0.5}), "`llama.rope.scaling.yarn_ext_factor`"),
        (json!({"rope.dimension_sections": [2, 2]}), "`llama.rope.dimension_sections`"),
        (json!({"rope.scaling.type": "longrope"}), "rope scaling `longrope`"),
        (json!({"rope.scaling.type": true}), "`llama.rope.scaling.type`"),
        (json!({"attention.sliding_window": "8"}), "no count `llama.attention.sliding_window`"),
        (json!({"feed_forward_length": [64, 64]}), "no count `llama.feed_forward_length`"),
        (json!({"split.count": 2}), "one of 2 parts"),
    ] {
        let (_folder, path) = changed(&edits, "llama", &[]);
        let said = refused(&path);
        assert!(said.contains(expected), "{edits}: {said}");
    }
    for architecture in ["mistral", "gemma3", "llama4", "deepseek2"] {
        let (_folder, path) = changed(&json!({}), architecture, &[]);
        let said = refused(&path);
        assert!(said.contains(&format!("unknown architecture `{architecture}`")) && said.contains("qwen3"), "{said}");
    }
}

#[test]
fn tensors_that_nobody_uses_are_refused_by_name() {
    for name in ["blk.2.attn_q.weight", "blk.0.attn_q_norm.weight", "cls.weight", "blk.0.ffn_gate_exps.weight"] {
        let (_folder, path) = changed(&json!({}), "llama", &[(name, vec![0.0; 8])]);
        assert!(refused(&path).contains(&format!("has no place for: `{name}`")));
    }
    for name in ["rope_factors_long.weight", "rope_factors_short.weight"] {
        let (_folder, path) = changed(&json!({}), "llama", &[(name, vec![1.0; 4])]);
        assert!(refused(&path).contains(&format!("tensor `{name}`")));
    }
    let (_folder, path) = changed(&json!({"block_count": 1}), "llama", &[]);
    assert!(refused(&path).contains("`blk.1.attn_k.bias`"));
}

#[test]
fn a_window_limits_the_context() {
    let (_folder, path) = changed(&json!({"attention.sliding_window": 8}), "llama", &[]);
    assert_eq!(open(&path).llama().config().context_length(), 8);
    let (_folder, path) = changed(&json!({"attention.sliding_window": 0}), "llama", &[]);
    assert_eq!(open(&path).llama().config().sliding_window, None);
}

/// Whatever the original context was; what GGUF has no form for is refused.
#[test]
fn scalings_survive_an_export_or_are_refused() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("model.gguf");
    let ids: Vec<u32> = (0..48).map(|i| (i * 37 + 11) % 256).collect();
    let folder = single("llama-tied", &tensors("llama-tied"));
    add_merge(folder.path());
    let list = json!([1.0, 1.5, 2.5, 4.0]);
    let scaling = |kind: &str, more: Value| {
        let mut scaling = json!({"type": kind, "factor": 4.0, "original_max_position_embeddings": 16});
        scaling.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        scaling
    };
    for (scaling, written) in [
        (scaling("llama3", json!({"low_freq_factor": 1.0, "high_freq_factor": 4.0})), true),
        (scaling("linear", json!({})), true),
        (scaling("longrope", json!({"short_factor": list, "long_factor": list, "attention_factor": 1.0})), true),
        (scaling("longrope", json!({"short_factor": list, "long_factor": list})), false),
        (scaling("yarn", json!({})), true),
        (scaling("yarn", json!({"attention_factor": 1.7})), true),
        (scaling("yarn", json!({"beta_fast": 8.0})), false),
        (scaling("yarn", json!({"truncate": false})), false),
        (scaling("dynamic", json!({})), false),
    ] {
        configure(folder.path(), &json!({"rope_parameters": null, "rope_scaling": scaling}));
        let model = open(folder.path());
        match export(&model, &path, GgufType::F16) {
            Ok(_) => {
                let (found, expected) = (logits(&open(&path), &ids), logits(&model, &ids));
                let pairs = found.iter().flatten().zip(expected.iter().flatten());
                let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(written && worst < 0.02, "{scaling}: {worst}");
            }
            Err(error) => assert!(!written && say(&error).contains("has no form in GGUF"), "{scaling}: {error}"),
        }
    }
}

/// Found by breaking files: a tensor whose offset is that of another was read as the other's numbers.
#[test]
fn tensors_lie_one_behind_the_other() {
    let bytes = std::fs::read(golden("llama-biases.gguf")).unwrap();
    let name = b"blk.0.ffn_up.weight";
    let at = bytes.windows(name.len()).position(|window| window == name).unwrap() + name.len();
    // Dimensions, two of them, the type, the offset.
    let place = at + 4 + 2 * 8 + 4;
    let offset = u64::from_le_bytes(bytes[place..place + 8].try_into().unwrap());
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("m.gguf");
    for changed in [offset - 32, offset + 32, 0] {
        let mut damaged = bytes.clone();
        damaged[place..place + 8].copy_from_slice(&changed.to_le_bytes());
        std::fs::write(&path, damaged).unwrap();
        let error = Model::open(&path, &Device::Cpu).unwrap_err();
        let error = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        let text: String = error.map(|error| format!("{error}; ")).collect();
        assert!(text.contains("begins at") && text.contains("expected"), "{changed}: {text}");
    }
}

/// Written as infinity they would be no numbers any more.
#[test]
fn values_that_a_type_cannot_hold_are_refused_by_name() {
    let mut stored = tensors("llama-tied");
    let (_, _, _, bytes) = stored.iter_mut().find(|(name, ..)| name == "model.layers.0.mlp.up_proj.weight").unwrap();
    // A million in bfloat16, behind which 16 bits of IEEE end.
    bytes[..2].copy_from_slice(&0x4974_u16.to_le_bytes());
    let (folder, out) = (single("llama-tied", &stored), tempfile::tempdir().unwrap());
    add_merge(folder.path());
    let path = out.path().join("model.gguf");
    let error = export(&open(folder.path()), &path, GgufType::F16).unwrap_err();
    let told = told(&error);
    assert!(
        told.contains("`model.layers.0.mlp.up_proj.weight` has the value") && told.contains("holds 65504"),
        "{told}"
    );
    assert!(!path.exists());
    export(&open(folder.path()), &path, GgufType::Q8_0).unwrap();
}

/// What llama.cpp's programs take for their defaults from a file.
#[test]
fn sampling_that_llama_cpp_would_change_is_refused() {
    let neutral = json!({"general.sampling.penalty_repeat": 1.0, "general.sampling.mirostat": 0,
                         "general.sampling.xtc_probability": 0.0, "general.sampling.penalty_last_n": 64});
    let (_folder, path) = changed(&neutral, "llama", &[]);
    assert!(decoding::refusal(&path).is_none() && decoding::sampling_left_out(&path).is_empty());
    let (_folder, path) = changed(&json!({"general.sampling.top_k": 20, "general.sampling.temp": 0.5}), "llama", &[]);
    assert!(decoding::refusal(&path).is_none());
    assert_eq!(decoding::sampling_left_out(&path), ["general.sampling.top_k"]);
    for (key, value) in [("penalty_repeat", json!(1.5)), ("mirostat", json!(2)), ("xtc_probability", json!(0.5))] {
        let key = format!("general.sampling.{key}");
        let (_folder, path) = changed(&json!({&key: value}), "llama", &[]);
        let expected = format!("`{key}` in {} is {value}: it asks for ", path.display());
        assert!(decoding::refusal(&path).unwrap().to_string().starts_with(&expected));
        let error = open(&path).rules().unwrap_err();
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
}
