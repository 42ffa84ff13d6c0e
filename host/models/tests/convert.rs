//! Models in other forms: merged, sharded, quantised, as GGUF files. What transformers and llama.cpp's `gguf` package
//! make of them is checked by `tests/oracles/{quantised_folder,gguf_export}.py`.
#![allow(clippy::unwrap_used, missing_docs)]

use candle_core::{Device, Tensor};
use diapason_models::Model;
use diapason_models::adapters::merge::merge;
use diapason_models::export::{GgufType, export};
use diapason_models::formats::Format;
use diapason_models::linear::Mode;
use diapason_nn::SaveType;
use diapason_nn::layout::{Sequences, Span};
use std::path::{Path, PathBuf};

#[allow(dead_code)]
mod shared;

use shared::with_merge;

const MODELS: [&str; 5] = ["llama-tied", "llama-biases", "mistral-sharded", "qwen2", "qwen3"];
const PROBE: [u32; 7] = [1, 5, 9, 200, 31, 77, 8];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn open(path: &Path) -> Model {
    Model::open(path, &Device::Cpu).unwrap()
}

fn logits(model: &Model) -> Vec<f32> {
    let ids = Tensor::new(&PROBE, &Device::Cpu).unwrap().unsqueeze(0).unwrap();
    let sequences = Sequences::Padded(vec![Span { offset: 0, keys: PROBE.len() }]);
    let hidden = model.llama().forward_hidden(&ids, &sequences, None, &Mode::Inference).unwrap();
    let last = hidden.narrow(1, PROBE.len() - 1, 1).unwrap();
    model.llama().logits(&last, &Mode::Inference).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

#[track_caller]
fn assert_close(name: &str, a: &[f32], b: &[f32], tolerance: f32) {
    assert_eq!(a.len(), b.len());
    let worst = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= tolerance, "{name}: logits differ by {worst}");
}

/// Where the oracle looks at what was written, if it is asked to.
fn keep(name: &str, from: &Path, logits: &[f32]) {
    let Some(out) = std::env::var_os("DIAPASON_CONVERT_OUT") else { return };
    let out = Path::new(&out).join(name);
    std::fs::create_dir_all(&out).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        std::fs::copy(entry.path(), out.join(entry.file_name())).unwrap();
    }
    std::fs::write(out.join("logits.json"), serde_json::to_string(logits).unwrap()).unwrap();
}

#[test]
fn a_merged_model_is_base_and_adapter() {
    for (name, variant) in [
        ("llama-tied", "lora"),
        ("llama-biases", "patterns"),
        ("qwen2", "dora"),
        ("qwen3", "dora"),
        ("qwen3", "patterns"),
    ] {
        let mut model = open(&folder(name));
        model.attach_adapter(&folder("train").join(format!("{name}.{variant}"))).unwrap();
        let expected = logits(&model);
        let out = tempfile::tempdir().unwrap();
        let merged = merge(&mut model, out.path(), SaveType::F32, 100_000).unwrap();
        assert!(merged.files > 1 && merged.largest < 1e-4 && merged.adapter > 0.01, "{merged:?}");
        assert_eq!(merged.same_token, merged.positions);
        assert_close(name, &logits(&open(out.path())), &expected, 1e-4);
        keep(&format!("merged-{name}-{variant}"), out.path(), &expected);
        let half = tempfile::tempdir().unwrap();
        model.attach_adapter(&folder("train").join(format!("{name}.{variant}"))).unwrap();
        let merged = merge(&mut model, half.path(), SaveType::Bf16, u64::MAX).unwrap();
        assert!(
            merged.files == 1 && merged.largest > 0.0 && merged.largest < 0.2 * merged.adapter.max(1.5),
            "{merged:?}"
        );
    }
}

#[test]
fn without_an_adapter_there_is_nothing_to_merge() {
    let out = tempfile::tempdir().unwrap();
    let error = merge(&mut open(&folder("qwen2")), out.path(), SaveType::Bf16, u64::MAX).unwrap_err();
    assert!(error.to_string().contains("changes no logit"), "{error}");
}

#[test]
fn a_smaller_model_leaves_no_shards_of_a_larger_one() {
    let (model, out) = (open(&folder("qwen3")), tempfile::tempdir().unwrap());
    let mut tuned = open(&folder("llama-tied"));
    tuned.attach_adapter(&folder("train/llama-tied.lora")).unwrap();
    merge(&mut tuned, out.path(), SaveType::F32, 50_000).unwrap();
    model.save(out.path(), SaveType::F32).unwrap();
    assert!(!out.path().join("model.safetensors.index.json").exists());
    assert_eq!(logits(&open(out.path())), logits(&model));
}

#[test]
fn a_folder_that_bitsandbytes_quantised_is_read_and_written() {
    let model = open(&folder("nf4-qwen3"));
    let expected = std::fs::read_to_string(folder("nf4-qwen3/logits.json")).unwrap();
    let expected: Vec<f32> = serde_json::from_str(&expected).unwrap();
    assert_close("read", &logits(&model), &expected, 2e-4);
    let out = tempfile::tempdir().unwrap();
    model.save(out.path(), SaveType::F32).unwrap();
    assert_eq!(logits(&open(out.path())), logits(&model));
    keep("again-nf4-qwen3", out.path(), &logits(&model));
    let own = Model::open_as(&folder("qwen3"), Format::Nf4 { double: true }, &Device::Cpu).unwrap();
    assert_eq!(logits(&own), logits(&model), "quantised here and there");
}

#[test]
fn weights_in_16_bits_are_close_to_those_in_32() {
    for name in MODELS {
        let exact = logits(&open(&folder(name)));
        let largest = exact.iter().fold(0.0_f32, |max, logit| max.max(logit.abs()));
        let model = Model::open_as(&folder(name), Format::Bf16, &Device::Cpu).unwrap();
        assert_close(name, &logits(&model), &exact, 0.03 * largest);
    }
}

#[test]
fn a_gguf_file_is_the_model() {
    // The other one has a window: below.
    for name in MODELS.into_iter().filter(|name| *name != "mistral-sharded") {
        let (model, out) = (open(with_merge(&folder(name)).path()), tempfile::tempdir().unwrap());
        let path = out.path().join("model.gguf");
        for (kind, tolerance) in [(GgufType::F16, 0.02), (GgufType::Q8_0, 0.5)] {
            export(&model, &path, kind).unwrap();
            let again = open(&path);
            assert_close(&format!("{name} {kind:?}"), &logits(&again), &logits(&model), tolerance);
            let text = "Tuning forks, 440 Hz!";
            assert_eq!(again.tokenizer().encode(text).unwrap(), model.tokenizer().encode(text).unwrap());
            assert_eq!(again.chat_template(), model.chat_template());
        }
    }
}

#[test]
fn what_llama_cpp_leaves_out_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("model.gguf");
    let error = export(&open(&folder("mistral-sharded")), &path, GgufType::F16).unwrap_err();
    assert!(
        error.to_string().contains("a sliding window of 64 tokens for 128 positions, which llama.cpp leaves out"),
        "{error}"
    );
    assert!(!path.exists());
}

#[test]
fn a_gguf_file_has_the_adapter_in_it() {
    let mut model = open(with_merge(&folder("qwen3")).path());
    model.attach_adapter(&folder("train/qwen3.lora")).unwrap();
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("model.gguf");
    export(&model, &path, GgufType::F16).unwrap();
    assert_close("adapter", &logits(&open(&path)), &logits(&model), 0.02);
}
