//! Golden folders, taken apart and put together otherwise.

use candle_core::{Device, Tensor};
use diapason_core::{Class, Error};
use diapason_models::Model;
use diapason_models::linear::Mode;
use diapason_nn::layout::{Sequences, Span};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) type Stored = (String, Dtype, Vec<usize>, Vec<u8>);

pub(crate) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// A copy of a golden folder without its weights.
pub(crate) fn bare(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(golden(name)).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if !name.starts_with("model") {
            std::fs::copy(entry.path(), folder.path().join(name)).unwrap();
        }
    }
    folder
}

/// The tensors of a golden folder.
pub(crate) fn tensors(name: &str) -> Vec<Stored> {
    let mut all = Vec::new();
    for path in std::fs::read_dir(golden(name)).unwrap().flatten().map(|entry| entry.path()) {
        if path.extension().is_some_and(|kind| kind == "safetensors") {
            let bytes = std::fs::read(&path).unwrap();
            for (name, view) in SafeTensors::deserialize(&bytes).unwrap().tensors() {
                all.push((name, view.dtype(), view.shape().to_vec(), view.data().to_vec()));
            }
        }
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

pub(crate) fn write(path: &Path, tensors: &[Stored]) {
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| (name.as_str(), TensorView::new(*dtype, shape.clone(), bytes).unwrap()));
    safetensors::serialize_to_file(views, None, path).unwrap();
}

/// A folder with these tensors in `model.safetensors`.
pub(crate) fn single(name: &str, tensors: &[Stored]) -> TempDir {
    let folder = bare(name);
    write(&folder.path().join("model.safetensors"), tensors);
    folder
}

/// A folder with these shards, and an index that gives the shard (`1`, `2`, …) of each name.
pub(crate) fn sharded(name: &str, shards: &[Vec<Stored>], index: &[(&str, usize)]) -> TempDir {
    let folder = bare(name);
    for (number, shard) in (1..).zip(shards) {
        write(&folder.path().join(file(number)), shard);
    }
    let map: Map<String, Value> = index.iter().map(|(name, shard)| ((*name).to_owned(), file(*shard).into())).collect();
    let index = json!({"metadata": {}, "weight_map": map}).to_string();
    std::fs::write(folder.path().join("model.safetensors.index.json"), index).unwrap();
    folder
}

pub(crate) fn file(shard: usize) -> String {
    format!("model-0000{shard}.safetensors")
}

/// Changes the configuration of a folder: a field of value null is removed.
pub(crate) fn configure(folder: &Path, fields: &Value) {
    let path = folder.join("config.json");
    let mut config: Map<String, Value> = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    config.extend(fields.as_object().unwrap().clone());
    config.retain(|_, value| !value.is_null());
    std::fs::write(path, Value::Object(config).to_string()).unwrap();
}

pub(crate) fn open(path: &Path) -> Model {
    Model::open(path, &Device::Cpu).unwrap()
}

/// The error about a model, which must have a hint.
pub(crate) fn refused(path: &Path) -> String {
    say(&Model::open(path, &Device::Cpu).map(|_| ()).expect_err("opened"))
}

pub(crate) fn say(error: &Error) -> String {
    assert_eq!(error.class(), Class::Data, "{error}");
    format!("{error} / {}", error.hint_text().expect("a hint"))
}

/// The logits of every position.
pub(crate) fn logits(model: &Model, ids: &[u32]) -> Vec<Vec<f32>> {
    let input = Tensor::new(ids, &Device::Cpu).unwrap().unsqueeze(0).unwrap();
    let spans = vec![Span { offset: 0, keys: ids.len() }];
    let hidden = model.llama().forward_hidden(&input, &Sequences::Padded(spans), None, &Mode::Inference).unwrap();
    model.llama().logits(&hidden, &Mode::Inference).unwrap().squeeze(0).unwrap().to_vec2().unwrap()
}
