//! What becomes of every key of `[train]`.

use super::{Job, Tool};
use diapason_core::config::{Method, Optimizer, Schedule, Train};
use serde_json::{Value, json};

/// What becomes of a key of `[train]` in another trainer.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// The rows are what it says: which there are, in which order, how many in a step.
    Rows,
    /// It stands in the adapter that training starts from.
    Adapter,
    /// It does nothing beside the other keys, as in Diapason.
    Idle,
    /// It is these settings; with TRL, JSON Pointers into `settings.json`.
    Settings(Vec<(String, Value)>),
}

/// The key and what becomes of it, for every key. What is refused is said by [`super::problems`].
pub fn fates(job: &Job<'_>) -> Vec<(&'static str, Fate)> {
    // Whole, so that a new key does not compile before it has a place here.
    let Train {
        method: _,
        rank: _,
        alpha: _,
        dropout: _,
        target_modules: _,
        rank_pattern: _,
        alpha_pattern: _,
        modules_to_save: _,
        rslora: _,
        dora: _,
        lora_plus_ratio,
        double_quantization: _,
        compute: _,
        batch_size: _,
        gradient_accumulation: _,
        packing,
        gradient_checkpointing: _,
        neftune_alpha,
        optimizer,
        learning_rate,
        schedule: _,
        warmup,
        decay: _,
        weight_decay,
        max_gradient_norm,
        epochs: _,
        max_steps: _,
        logging_steps,
        eval_steps: _,
        early_stopping: _,
        save_steps: _,
        save_per_epoch: _,
        max_sequence_length,
        overlong: _,
    } = job.config;
    let adapter = || if job.config.method.is_adapter() { Fate::Adapter } else { Fate::Idle };
    let wsd = job.config.schedule == Schedule::Wsd;
    vec![
        ("method", method(job)),
        ("rank", adapter()),
        ("alpha", adapter()),
        ("dropout", adapter()),
        ("target_modules", adapter()),
        ("rank_pattern", adapter()),
        ("alpha_pattern", adapter()),
        ("modules_to_save", adapter()),
        ("rslora", adapter()),
        ("dora", adapter()),
        (
            "lora_plus_ratio",
            given(
                job.is_lora_plus(),
                job,
                ["/lora_plus_ratio", "loraplus_lr_ratio", "loraplus_lr_ratio"],
                lora_plus_ratio,
            ),
        ),
        ("double_quantization", double_quantization(job)),
        ("compute", compute(job)),
        (
            "batch_size",
            named(
                job,
                ["per_device_train_batch_size", "micro_batch_size", "per_device_train_batch_size"],
                job.layout.batch_size,
            ),
        ),
        ("gradient_accumulation", same(job, "gradient_accumulation_steps", job.layout.gradient_accumulation)),
        ("packing", named(job, ["packing", "sample_packing", "packing"], packing)),
        ("gradient_checkpointing", gradient_checkpointing(job)),
        ("neftune_alpha", given(*neftune_alpha > 0.0, job, ["neftune_noise_alpha"; 3], neftune_alpha)),
        ("optimizer", named(job, ["optim", "optimizer", "optim"], optimizer_name(*optimizer))),
        ("learning_rate", same(job, "learning_rate", learning_rate)),
        ("schedule", schedule(job)),
        ("warmup", same(job, "warmup_steps", job.steps(*warmup))),
        ("decay", if wsd { decay(job) } else { Fate::Idle }),
        ("weight_decay", same(job, "weight_decay", weight_decay)),
        ("max_gradient_norm", same(job, "max_grad_norm", max_gradient_norm)),
        ("epochs", Fate::Rows),
        ("max_steps", Fate::Rows),
        ("logging_steps", same(job, "logging_steps", logging_steps)),
        ("eval_steps", if job.held_out { eval_steps(job) } else { Fate::Idle }),
        ("early_stopping", Fate::Idle),
        ("save_steps", save_steps(job)),
        ("save_per_epoch", save_per_epoch(job)),
        (
            "max_sequence_length",
            match job.tool {
                Tool::Trl => Fate::Rows,
                Tool::Axolotl => same(job, "sequence_len", max_sequence_length),
                Tool::LlamaFactory => same(job, "cutoff_len", max_sequence_length),
            },
        ),
        ("overlong", Fate::Rows),
    ]
}

/// A setting that has a name of its own in TRL, Axolotl and LLaMA-Factory.
fn named(job: &Job<'_>, names: [&str; 3], value: impl serde::Serialize) -> Fate {
    Fate::Settings(vec![setting(job, names[job.tool as usize], json!(value))])
}

/// A setting that all of them give one name.
fn same(job: &Job<'_>, name: &str, value: impl serde::Serialize) -> Fate {
    named(job, [name; 3], value)
}

/// A setting that is left out unless `acts`.
fn given(acts: bool, job: &Job<'_>, names: [&str; 3], value: impl serde::Serialize) -> Fate {
    if acts { named(job, names, value) } else { Fate::Idle }
}

fn settings(job: &Job<'_>, list: &[(&str, Value)]) -> Fate {
    Fate::Settings(list.iter().map(|(name, value)| setting(job, name, value.clone())).collect())
}

/// With TRL, a name without a slash is an argument of `SFTConfig`.
pub(super) fn setting(job: &Job<'_>, name: &str, value: Value) -> (String, Value) {
    let plain = job.tool != Tool::Trl || name.starts_with('/');
    (if plain { name.to_owned() } else { format!("/training/{name}") }, value)
}

fn method(job: &Job<'_>) -> Fate {
    let method = job.config.method;
    let list: &[(&str, Value)] = match (job.tool, method) {
        (Tool::Trl, Method::Full) => &[("/adapter", Value::Null)],
        (Tool::Trl, Method::Lora) => &[("/adapter", json!("adapter"))],
        (Tool::Trl, Method::Qlora) => &[
            ("/adapter", json!("adapter")),
            ("/quantization/load_in_4bit", json!(true)),
            ("/quantization/bnb_4bit_quant_type", json!("nf4")),
        ],
        (Tool::Axolotl, Method::Full) => &[("adapter", Value::Null)],
        (Tool::Axolotl, Method::Lora) => &[("adapter", json!("lora")), ("lora_model_dir", json!("./adapter"))],
        (Tool::Axolotl, Method::Qlora) => {
            &[("adapter", json!("qlora")), ("lora_model_dir", json!("./adapter")), ("load_in_4bit", json!(true))]
        }
        (Tool::LlamaFactory, Method::Full) => &[("finetuning_type", json!("full"))],
        (Tool::LlamaFactory, Method::Lora) => &[
            ("finetuning_type", json!("lora")),
            ("adapter_name_or_path", json!("adapter")),
            ("create_new_adapter", json!(false)),
        ],
        (Tool::LlamaFactory, Method::Qlora) => &[
            ("finetuning_type", json!("lora")),
            ("adapter_name_or_path", json!("adapter")),
            ("create_new_adapter", json!(false)),
            ("quantization_bit", json!(4)),
            ("quantization_method", json!("bnb")),
            ("quantization_type", json!("nf4")),
            ("upcast_layernorm", json!(true)),
        ],
    };
    settings(job, list)
}

fn double_quantization(job: &Job<'_>) -> Fate {
    let double = job.config.double_quantization;
    match job.tool {
        _ if !job.is_qlora() => Fate::Idle,
        Tool::Trl => settings(job, &[("/quantization/bnb_4bit_use_double_quant", json!(double))]),
        Tool::Axolotl => settings(job, &[("bnb_config_kwargs", json!({"bnb_4bit_use_double_quant": double}))]),
        Tool::LlamaFactory => settings(job, &[("double_quantization", json!(double))]),
    }
}

fn compute(job: &Job<'_>) -> Fate {
    let bf16 = job.is_bf16();
    let name = if bf16 { "bfloat16" } else { "float32" };
    if job.tool != Tool::Trl {
        return same(job, "bf16", bf16);
    }
    let dtype = match job.config.method {
        // What is trained is kept in 32 bits.
        Method::Full => "float32",
        Method::Lora => name,
        // 4-bit values are made of the weights as they are stored.
        Method::Qlora => "auto",
    };
    let mut list = vec![("/dtype", json!(dtype)), ("bf16", json!(bf16))];
    if job.is_qlora() {
        list.push(("/quantization/bnb_4bit_compute_dtype", json!(name)));
    }
    settings(job, &list)
}

fn gradient_checkpointing(job: &Job<'_>) -> Fate {
    let on = job.config.gradient_checkpointing;
    let plain = json!({"use_reentrant": false});
    match job.tool {
        Tool::LlamaFactory => {
            settings(job, &[("disable_gradient_checkpointing", json!(!on)), ("use_reentrant_gc", json!(false))])
        }
        _ if on => settings(job, &[("gradient_checkpointing", json!(true)), ("gradient_checkpointing_kwargs", plain)]),
        _ => same(job, "gradient_checkpointing", false),
    }
}

fn optimizer_name(optimizer: Optimizer) -> &'static str {
    match optimizer {
        Optimizer::AdamW => "adamw_torch",
        Optimizer::AdamW8bit => "adamw_bnb_8bit",
    }
}

fn schedule(job: &Job<'_>) -> Fate {
    let name = match job.config.schedule {
        Schedule::Constant => "constant_with_warmup",
        Schedule::Linear => "linear",
        Schedule::Cosine => "cosine",
        Schedule::Wsd => "warmup_stable_decay",
    };
    named(job, ["lr_scheduler_type", "lr_scheduler", "lr_scheduler_type"], name)
}

fn decay(job: &Job<'_>) -> Fate {
    let [warmup, decay] = [job.config.warmup, job.config.decay].map(|fraction| job.steps(fraction) as i64);
    let mut kwargs = json!({"num_decay_steps": decay, "decay_type": "linear"});
    if job.tool == Tool::LlamaFactory {
        // Where they are not given, a third of the steps.
        kwargs["num_stable_steps"] = json!(job.layout.steps as i64 - warmup - decay);
    }
    same(job, "lr_scheduler_kwargs", kwargs)
}

fn eval_steps(job: &Job<'_>) -> Fate {
    let every = job.config.eval_steps.map_or(job.layout.steps_per_epoch, |every| every as u64);
    match job.tool {
        Tool::Axolotl => same(job, "eval_steps", every),
        _ => settings(job, &[("eval_strategy", json!("steps")), ("eval_steps", json!(every))]),
    }
}

/// Every so many steps. Axolotl and LLaMA-Factory know one interval only, so that of the epochs where they are kept.
fn save_steps(job: &Job<'_>) -> Fate {
    let Train { save_steps, save_per_epoch, .. } = job.config;
    let every = match job.tool {
        Tool::Axolotl | Tool::LlamaFactory if *save_per_epoch => job.layout.steps_per_epoch,
        _ => *save_steps as u64,
    };
    match job.tool {
        Tool::Axolotl => same(job, "save_steps", every),
        _ => settings(job, &[("save_strategy", json!("steps")), ("save_steps", json!(every))]),
    }
}

fn save_per_epoch(job: &Job<'_>) -> Fate {
    let Train { save_per_epoch, epochs, .. } = job.config;
    let per_epoch = job.layout.steps_per_epoch;
    match (job.tool, *save_per_epoch) {
        (_, false) => same(job, "save_total_limit", 1),
        (Tool::Trl, true) => {
            settings(job, &[("/steps_per_epoch", json!(per_epoch)), ("save_total_limit", Value::Null)])
        }
        // Without a limit it keeps four.
        (Tool::Axolotl, true) => same(job, "save_total_limit", epochs + 1),
        (Tool::LlamaFactory, true) => same(job, "save_total_limit", Value::Null),
    }
}
