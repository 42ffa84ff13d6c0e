//! Output heads beside a tied embedding, and tensors that nobody uses.

use crate::folders::{Stored, configure, golden, logits, open, refused, single, tensors};
use diapason_models::Model;
use safetensors::Dtype;
use serde_json::json;

const EMBEDDING: &str = "model.embed_tokens.weight";
const HEAD: &str = "lm_head.weight";
const IDS: [u32; 5] = [1, 5, 9, 200, 31];

fn embedding() -> Stored {
    tensors("llama-tied").into_iter().find(|tensor| tensor.0 == EMBEDDING).unwrap()
}

fn with(extra: Stored) -> Vec<Stored> {
    tensors("llama-tied").into_iter().chain([extra]).collect()
}

#[test]
fn a_head_equal_to_the_embedding_is_tied() {
    let (_, dtype, shape, bytes) = embedding();
    let wide: Vec<u8> = bytes.chunks(2).flat_map(|bf16| [0, 0, bf16[0], bf16[1]]).collect();
    for head in [(HEAD.to_owned(), dtype, shape.clone(), bytes), (HEAD.to_owned(), Dtype::F32, shape, wide)] {
        let folder = single("llama-tied", &with(head));
        let model = open(folder.path());
        assert!(model.llama().config().tied);
        assert_eq!(logits(&model, &IDS), logits(&open(&golden("llama-tied")), &IDS));
        assert!(Model::outline(folder.path()).is_ok());
    }
}

/// What transformers computes for such a model is in `configs.json`; here, that it is the same as if it were not tied.
#[test]
fn a_head_other_than_the_embedding_is_not_tied() {
    let (_, dtype, shape, bytes) = embedding();
    let row = bytes.len() / shape[0];
    let flipped = bytes.chunks(row).rev().flatten().copied().collect();
    let folder = single("llama-tied", &with((HEAD.to_owned(), dtype, shape, flipped)));
    let model = open(folder.path());
    assert!(!model.llama().config().tied);
    let found = logits(&model, &IDS);
    assert!(
        found[4].iter().rev().zip(&logits(&open(&golden("llama-tied")), &IDS)[4]).all(|(a, b)| (a - b).abs() < 1e-5)
    );
    configure(folder.path(), &json!({"tie_word_embeddings": false}));
    assert_eq!(logits(&open(folder.path()), &IDS), found);
}

#[test]
fn a_head_alone_is_the_embedding_too() {
    let mut all = tensors("llama-tied");
    all.iter_mut().filter(|tensor| tensor.0 == EMBEDDING).for_each(|tensor| tensor.0 = HEAD.to_owned());
    let folder = single("llama-tied", &all);
    assert_eq!(logits(&open(folder.path()), &IDS), logits(&open(&golden("llama-tied")), &IDS));
    configure(folder.path(), &json!({"tie_word_embeddings": false}));
    assert!(refused(folder.path()).contains("no tensor `model.embed_tokens.weight` of shape [264, 32]"));
}

#[test]
fn a_head_of_another_shape_is_refused() {
    let (_, dtype, _, bytes) = embedding();
    let half = bytes[..bytes.len() / 2].to_vec();
    let folder = single("llama-tied", &with((HEAD.to_owned(), dtype, vec![132, 32], half)));
    let said = refused(folder.path());
    assert!(said.contains("tensor `lm_head.weight`") && said.contains("shape [132, 32], expected [264, 32]"), "{said}");
}

#[test]
fn tensors_that_nobody_uses_are_refused_by_name() {
    let small = |name: &str| (name.to_owned(), Dtype::F32, vec![1], vec![0; 4]);
    for name in [
        "model.layers.2.mlp.up_proj.weight",
        "model.layers.0.self_attn.q_proj.bias",
        "model.layers.0.self_attn.q_norm.weight",
        "model.layers.0.mlp.experts.0.up_proj.weight",
        "transformer.h.0.attn.c_attn.weight",
        "lm_head.bias",
        "score.weight",
        "model.layers.0.mlp.up_proj.weight.other",
        "model.layers.0.mlp.up_proj.weight_scale",
        "model.rotary_emb.cos_cached",
        "absmax",
    ] {
        let folder = single("llama-tied", &with(small(name)));
        let said = refused(folder.path());
        assert!(said.contains(&format!("has no place for: `{name}`")), "{said}");
        assert!(Model::outline(folder.path()).is_err(), "{name}");
    }
    let old = small("model.layers.0.self_attn.rotary_emb.inv_freq");
    assert!(Model::outline(single("llama-tied", &with(old)).path()).is_ok());
    let folder = single("llama-tied", &tensors("llama-tied"));
    configure(folder.path(), &json!({"num_hidden_layers": 1}));
    let said = refused(folder.path());
    assert!(said.contains("`model.layers.1.input_layernorm.weight`") && said.contains(" and 6 more"), "{said}");
    let folder = single("llama-tied", &tensors("llama-biases"));
    configure(folder.path(), &json!({"tie_word_embeddings": false}));
    assert!(refused(folder.path()).contains("`model.layers.0.mlp.down_proj.bias`"));
}

#[test]
fn tensors_that_are_missing_are_refused_by_name() {
    for missing in ["model.norm.weight", EMBEDDING, "model.layers.1.self_attn.k_proj.weight"] {
        let rest: Vec<Stored> = tensors("llama-tied").into_iter().filter(|tensor| tensor.0 != missing).collect();
        let said = refused(single("llama-tied", &rest).path());
        assert!(said.contains(&format!("no tensor `{missing}` of shape")), "{said}");
    }
}
