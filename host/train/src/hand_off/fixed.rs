//! What a hand-over settles beside `[train]`: where the files are, that rows are read in sequence and left as they are.

use super::table::setting;
use super::{Job, Tool};
use serde_json::{Value, json};

/// AdamW's constants, of our own optimizer.
const ADAM: [(&str, f64); 3] = [("adam_beta1", 0.9), ("adam_beta2", 0.999), ("adam_epsilon", 1e-8)];

/// The settings that are the same for every configuration.
pub(super) fn settings(job: &Job<'_>) -> Vec<(String, Value)> {
    let list = match job.tool {
        Tool::Trl => trl(job),
        Tool::Axolotl => axolotl(job),
        Tool::LlamaFactory => llama_factory(job),
    };
    let adam = ADAM.map(|(name, value)| (name, json!(value)));
    let all = list.into_iter().chain([("seed", json!(job.seed))]).chain(adam);
    all.map(|(name, value)| setting(job, name, value)).collect()
}

fn trl(job: &Job<'_>) -> Vec<(&'static str, Value)> {
    vec![
        ("/base", json!(job.base)),
        ("/processes", json!(job.layout.processes)),
        ("output_dir", json!("output")),
        ("num_train_epochs", json!(1)),
        ("max_steps", json!(job.layout.steps)),
        ("train_sampling_strategy", json!("sequential")),
        ("dataset_kwargs", json!({"skip_prepare_dataset": true})),
        ("max_length", Value::Null),
        ("average_tokens_across_devices", json!(true)),
        ("per_device_eval_batch_size", json!(job.layout.batch_size)),
        ("data_seed", json!(job.seed)),
        ("report_to", json!("none")),
    ]
}

fn axolotl(job: &Job<'_>) -> Vec<(&'static str, Value)> {
    let rows = |name: &str| json!([{"path": format!("./{name}.parquet"), "ds_type": "parquet", "split": "train", "type": null}]);
    let mut list =
        vec![("base_model", json!(job.base)), ("tokenizer_config", json!("./tokenizer")), ("datasets", rows("rows"))];
    if job.held_out {
        list.push(("test_datasets", rows("held_out")));
    }
    list.extend([
        ("val_set_size", json!(0)),
        ("dataset_prepared_path", json!("./prepared")),
        ("output_dir", json!("./output")),
        ("num_epochs", json!(1)),
        ("max_steps", json!(job.layout.steps)),
        ("curriculum_sampling", json!(true)),
        ("shuffle_merged_datasets", json!(false)),
        ("eval_sample_packing", json!(false)),
        ("eval_batch_size", json!(job.layout.batch_size)),
        ("pad_to_sequence_len", json!(false)),
        ("plugins", json!(["diapason_handoff.ExactPlugin"])),
        // Otherwise chosen by the kind of GPU: plain PEFT computes the same everywhere.
        ("lora_mlp_kernel", json!(false)),
        ("lora_qkv_kernel", json!(false)),
        ("lora_o_kernel", json!(false)),
    ]);
    list
}

/// It asks for names of datasets, and reads none of them where there is a tokenized one.
fn llama_factory(job: &Job<'_>) -> Vec<(&'static str, Value)> {
    let held_out = job.held_out.then(|| ("eval_dataset", json!("held_out")));
    let list = vec![
        ("dataset", json!("rows")),
        ("model_name_or_path", json!(job.base)),
        ("stage", json!("sft")),
        ("do_train", json!(true)),
        ("template", json!("empty")),
        ("tokenized_path", json!("tokenized")),
        ("output_dir", json!("output")),
        ("num_train_epochs", json!(1.0)),
        ("max_steps", json!(job.layout.steps)),
        ("disable_shuffling", json!(true)),
        ("average_tokens_across_devices", json!(true)),
        ("per_device_eval_batch_size", json!(job.layout.batch_size)),
        ("data_seed", json!(job.seed)),
        ("report_to", json!("none")),
    ];
    list.into_iter().chain(held_out).collect()
}
