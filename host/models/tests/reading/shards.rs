//! The index says in which shard a tensor is.

use crate::folders::{Stored, file, golden, logits, open, refused, sharded, tensors, write};
use serde_json::json;

const BASE: &str = "mistral-sharded";
const STALE: &str = "model.layers.1.mlp.up_proj.weight";
const INDEX: &str = "model.safetensors.index.json";
const IDS: [u32; 5] = [1, 5, 9, 200, 31];

fn zeroed((name, dtype, shape, bytes): &Stored) -> Stored {
    (name.clone(), *dtype, shape.clone(), vec![0; bytes.len()])
}

/// The model in two shards, whose second has the tensor `STALE`.
fn two() -> (Vec<Vec<Stored>>, Vec<(String, usize)>) {
    let (mut first, second): (Vec<_>, Vec<_>) = tensors(BASE).into_iter().enumerate().partition(|(i, _)| i % 2 == 0);
    let stale = first.iter().position(|(_, tensor)| tensor.0 == STALE).map(|at| first.remove(at));
    let shards: Vec<Vec<Stored>> = [first, second.into_iter().chain(stale).collect()]
        .map(|shard: Vec<_>| shard.into_iter().map(|(_, one)| one).collect())
        .into();
    let index = shards.iter().zip(1..).flat_map(|(shard, n)| shard.iter().map(move |one| (one.0.clone(), n))).collect();
    (shards, index)
}

fn folder(shards: &[Vec<Stored>], index: &[(String, usize)]) -> tempfile::TempDir {
    let index: Vec<(&str, usize)> = index.iter().map(|(name, shard)| (name.as_str(), *shard)).collect();
    sharded(BASE, shards, &index)
}

fn stale(shards: &[Vec<Stored>]) -> Stored {
    shards[1].iter().find(|tensor| tensor.0 == STALE).unwrap().clone()
}

#[test]
fn a_stale_copy_in_an_earlier_shard_is_not_read() {
    let expected = logits(&open(&golden(BASE)), &IDS);
    let (mut shards, index) = two();
    assert_eq!(logits(&open(folder(&shards, &index).path()), &IDS), expected, "without a copy");
    let copy = zeroed(&stale(&shards));
    shards[0].push(copy);
    assert_eq!(logits(&open(folder(&shards, &index).path()), &IDS), expected);
}

#[test]
fn a_copy_in_a_later_shard_must_be_the_same() {
    let expected = logits(&open(&golden(BASE)), &IDS);
    let (mut shards, mut index) = two();
    let own = stale(&shards);
    shards[0].push(own.clone());
    index.retain(|(name, _)| name != STALE);
    index.push((STALE.to_owned(), 1));
    assert_eq!(logits(&open(folder(&shards, &index).path()), &IDS), expected);
    shards[1].retain(|tensor| tensor.0 != STALE);
    shards[1].push(zeroed(&own));
    let said = refused(folder(&shards, &index).path());
    assert!(said.contains(&format!("tensor `{STALE}` has other values in {} than in {}", file(2), file(1))), "{said}");
}

#[test]
fn a_tensor_that_is_not_where_the_index_says() {
    let (mut shards, mut index) = two();
    index.retain(|(name, _)| name != STALE);
    assert_eq!(
        logits(&open(folder(&shards, &index).path()), &IDS),
        logits(&open(&golden(BASE)), &IDS),
        "transformers reads what the index leaves out"
    );
    index.push((STALE.to_owned(), 1));
    let said = refused(folder(&shards, &index).path());
    assert!(said.contains(&format!("{INDEX} puts tensor `{STALE}` into {}, which has none", file(1))), "{said}");
    shards[1].retain(|tensor| tensor.0 != STALE);
    assert!(refused(folder(&shards, &index).path()).contains(STALE));
    index.retain(|(name, _)| name != STALE);
    assert!(refused(folder(&shards, &index).path()).contains(&format!("no tensor `{STALE}` of shape [64, 32]")));
}

#[test]
fn shards_that_are_not_in_the_folder() {
    let (shards, index) = two();
    let whole = folder(&shards, &index);
    std::fs::remove_file(whole.path().join(file(2))).unwrap();
    let said = refused(whole.path());
    assert!(said.contains(&format!("{INDEX} names the shard {}, which is not there", file(2))), "{said}");
    for name in ["../secret.safetensors", "deep/model.safetensors", "/etc/passwd", "..", ""] {
        let map = json!({"metadata": {}, "weight_map": {"model.norm.weight": name}}).to_string();
        std::fs::write(whole.path().join(INDEX), map).unwrap();
        let said = refused(whole.path());
        assert!(said.contains(&format!("names the shard `{name}`")), "{said}");
    }
    for map in ["{}", "[]", r#"{"weight_map": {}}"#, r#"{"weight_map": {"a": 1}}"#, "{"] {
        std::fs::write(whole.path().join(INDEX), map).unwrap();
        assert!(refused(whole.path()).contains("no usable `weight_map`"), "{map}");
    }
    for metadata in ["", r#""metadata": null, "#, r#""metadata": [], "#] {
        std::fs::write(whole.path().join(INDEX), format!(r#"{{{metadata}"weight_map": {{"a": "b"}}}}"#)).unwrap();
        assert!(refused(whole.path()).contains("no object `metadata`"), "{metadata}");
    }
}

#[test]
fn one_file_goes_before_an_index() {
    let (shards, index) = two();
    let folder = folder(&[shards[0].iter().map(zeroed).collect(), shards[1].clone()], &index);
    write(&folder.path().join("model.safetensors"), &tensors(BASE));
    assert_eq!(logits(&open(folder.path()), &IDS), logits(&open(&golden(BASE)), &IDS));
}
