//! Configurations as users leave them, against what transformers makes of them (`tests/oracles/model_configs.py`).

use crate::folders::{Stored, bare, golden, logits, open, refused, single, tensors};
use diapason_models::families::Config;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

/// What transformers reads and this does not.
const REFUSED: [(&str, &str); 3] = [
    ("qwen2: hidden_act gelu", "activation `gelu` is not supported"),
    ("qwen3: hidden_act gelu", "activation `gelu` is not supported"),
    ("rope: proportional", "partial_rotary_factor 0.5 is not supported"),
];

/// Those whose long sequence is longer than a window, or than the reach of a scaling: it is refused.
const LIMITED: [&str; 13] = [
    "llama: window",
    "mistral: layer types",
    "mistral: layer types null",
    "mistral: ministral",
    "mistral: use_sliding_window false",
    "mistral: window",
    "qwen2: types",
    "qwen2: window from layer 1",
    "qwen2: window used",
    "qwen3: types",
    "qwen3: window from layer 1",
    "qwen3: window used",
    "rope: longrope, long and short",
];

#[derive(Deserialize)]
struct Golden {
    ids: Vec<u32>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    folder: String,
    config: Value,
    /// Every eighth logit after the first seven tokens, and after all.
    short: Option<Vec<f32>>,
    long: Option<Vec<f32>>,
    error: Option<String>,
}

fn cases() -> Golden {
    serde_json::from_slice(&std::fs::read(golden("configs.json")).unwrap()).unwrap()
}

fn folder(case: &Case) -> TempDir {
    let mut all = tensors(&case.folder);
    let embedding = all.iter().position(|tensor| tensor.0 == "model.embed_tokens.weight").unwrap();
    let (_, dtype, shape, bytes) = all[embedding].clone();
    let head = "lm_head.weight".to_owned();
    match case.name.as_str() {
        "llama: head alone" => all[embedding].0 = head,
        "llama: tied head apart" => {
            let flipped = bytes.chunks(bytes.len() / shape[0]).rev().flatten().copied().collect();
            let flipped: Stored = (head, dtype, shape, flipped);
            all.push(flipped);
        }
        _ => {}
    }
    let folder = single(&case.folder, &all);
    std::fs::write(folder.path().join("config.json"), case.config.to_string()).unwrap();
    folder
}

#[track_caller]
fn close(name: &str, found: &[f32], expected: &[f32]) {
    let found: Vec<f32> = found.iter().step_by(8).copied().collect();
    assert_eq!(found.len(), expected.len(), "{name}");
    let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 2e-4, "{name}: logits differ by {worst}");
}

#[test]
fn configurations_mean_what_they_mean_to_transformers() {
    let Golden { ids, cases } = cases();
    let (mut agreed, mut limited) = (0, Vec::new());
    for case in cases.iter().filter(|case| case.error.is_none()) {
        let folder = folder(case);
        if let Some((_, said)) = REFUSED.iter().find(|(name, _)| *name == case.name) {
            assert!(refused(folder.path()).contains(said), "{}", case.name);
            continue;
        }
        let model = open(folder.path());
        assert_eq!(model.unties(), case.name == "llama: tied head apart", "{}", case.name);
        let context = model.llama().config().context_length();
        close(&case.name, logits(&model, &ids[..7]).last().unwrap(), case.short.as_ref().unwrap());
        if context < ids.len() {
            limited.push(case.name.as_str());
            continue;
        }
        close(&case.name, logits(&model, &ids).last().unwrap(), case.long.as_ref().unwrap());
        agreed += 1;
    }
    limited.sort_unstable();
    assert_eq!(limited, LIMITED);
    assert!(agreed > 70, "{agreed}");
}

#[test]
fn what_transformers_refuses_is_refused() {
    let cases = cases().cases;
    let refusals: Vec<&Case> = cases.iter().filter(|case| case.error.is_some()).collect();
    assert!(refusals.len() > 30);
    for case in refusals {
        let said = refused(folder(case).path());
        // A configuration that contradicts the weights is about them.
        let about = ["config.json", "shape", "rope scaling", "is not supported", "tensor"];
        assert!(about.iter().any(|about| said.contains(about)), "{}: {said}", case.name);
    }
}

/// A `config.json` of the golden model with some keys more.
fn with(keys: &Value) -> TempDir {
    let folder = single("llama-tied", &tensors("llama-tied"));
    crate::folders::configure(folder.path(), keys);
    folder
}

#[test]
fn keys_that_change_the_model_are_refused_by_name() {
    for (key, value) in [
        ("is_causal", json!(false)),
        ("per_layer_config", json!({"0": {"num_attention_heads": 2}})),
        ("transformers_weights", json!("other.safetensors")),
        ("compression_config", json!({"format": "pack"})),
        ("quantization", json!({"bits": 4, "group_size": 64})),
        ("use_mrope", json!(true)),
        ("rope_interleaved", json!(true)),
        ("vision_config", json!({})),
        ("residual_multiplier", json!(0.22)),
        ("logit_scale", json!(0.5)),
        ("rope_thetta", json!(10000.0)),
        ("attn_logit_softcapping", json!(50.0)),
        ("num_local_experts", json!(8)),
    ] {
        let said = refused(with(&json!({key: value})).path());
        assert!(said.contains(&format!("`{key}` in config.json is not supported")), "{said}");
    }
    let said = refused(with(&json!({"rope_scaling": {"type": "linear", "factor": 2.0, "high": 1}})).path());
    assert!(said.contains("`high` in `rope_scaling` of config.json"), "{said}");
}

/// What folders of the Hub carry beside what counts.
#[test]
fn keys_that_change_nothing_may_stand() {
    let inert = json!({
        "_name_or_path": "x/y", "_attn_implementation_autoset": true, "attention_dropout": 0.0, "auto_map": {"AutoConfig": "c.C"},
        "bos_token_id": 1, "dtype": "bfloat16", "id2label": {"0": "A"}, "initializer_range": 0.02, "is_decoder": true,
        "is_llama_config": true, "label2id": {"A": 0}, "max_window_layers": 28, "num_labels": 1, "output_attentions": false,
        "pad_token_id": 0, "pretraining_tp": 1, "quantization_config": null, "return_dict": true, "rope_interleaved": false,
        "sliding_window": null, "task_specific_params": {}, "temperature": 0.6, "tie_encoder_decoder": false, "torch_dtype": "float16",
        "torchscript": false, "transformers.js_config": {"dtype": "q4"}, "transformers_version": "4.40.0", "unsloth_fixed": true,
        "use_bfloat16": false, "use_cache": true, "use_mrope": false, "use_sliding_window": false, "some_new_key": null,
    });
    let ids = [1, 5, 9];
    assert_eq!(logits(&open(with(&inert).path()), &ids), logits(&open(&golden("llama-tied")), &ids));
}

#[test]
fn absent_keys_have_the_defaults_of_their_class() {
    for (kind, vocab, inner, kv_heads, head_dim, positions, window) in [
        ("llama", 32_000, 11_008, 32, 128, 2048, None),
        ("mistral", 32_000, 14_336, 8, 128, 131_072, Some(4096)),
        ("qwen2", 151_936, 22_016, 32, 128, 32_768, None),
        ("qwen3", 151_936, 22_016, 32, 128, 32_768, None),
    ] {
        let config = Config::from_json(&json!({"model_type": kind})).unwrap();
        assert_eq!((config.vocab_size, config.intermediate_size, config.kv_heads), (vocab, inner, kv_heads), "{kind}");
        assert_eq!(
            (config.head_dim, config.max_positions, config.sliding_window),
            (head_dim, positions, window),
            "{kind}"
        );
        assert_eq!((config.hidden_size, config.layers, config.heads, config.tied), (4096, 32, 32, false), "{kind}");
        assert_eq!((config.norm_eps, config.rope_theta), (1e-6, 10_000.0), "{kind}");
    }
    let folder = bare("qwen3");
    std::fs::write(folder.path().join("config.json"), "[]").unwrap();
    assert!(refused(folder.path()).contains("not a JSON object"));
}

/// A scaling that is written down is the same to its reader.
#[test]
fn scalings_survive_being_written() {
    let mut kinds = std::collections::BTreeSet::new();
    for case in cases().cases.iter().filter(|case| case.error.is_none() && case.name.starts_with("rope")) {
        let Ok(config) = Config::from_json(&case.config) else { continue };
        let again = Config::from_json(&config.to_json()).unwrap();
        assert_eq!((again.rope_theta, &again.scaling), (config.rope_theta, &config.scaling), "{}", case.name);
        kinds.insert(format!("{:?}", config.scaling).split(' ').next().unwrap().to_owned());
    }
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["Dynamic", "Linear", "Llama3", "LongRope", "None", "Yarn"]);
}
