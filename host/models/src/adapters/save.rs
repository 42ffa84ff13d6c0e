//! Writing an adapter.

use super::{BASE, CONFIG, PREFIX, WEIGHTS, names_layer};
use crate::Model;
use crate::formats;
use diapason_core::config::{Method, Train};
use diapason_core::{Result, escape};
use diapason_disk::files;
use diapason_nn::SaveType;
use diapason_nn::kernels::Weight;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Writes the model's adapter into the folder `dir`; gives the SHA-256 of its weights' file.
pub fn save(model: &Model, config: &Train, dir: &Path) -> Result<String> {
    let linears = model.llama().linears().filter_map(|(name, linear)| Some((name, linear.lora()?)));
    let parts = linears.flat_map(|(name, lora)| {
        let parts = lora.vars().map(|(part, var)| (format!("{PREFIX}{name}.{part}"), var.as_detached_tensor().into()));
        parts.collect::<Vec<(String, Weight)>>()
    });
    let modules = model.llama().modules().filter(|(name, _)| is_saved(config, name));
    let modules = modules.map(|(name, tensor)| (format!("{PREFIX}{name}.weight"), tensor.detach().into()));
    let tensors: Vec<(String, Weight)> = parts.chain(modules).collect();
    formats::save(&dir.join(WEIGHTS), &tensors, SaveType::F32)?;
    let digest = files::digest(&dir.join(WEIGHTS))?;
    files::write(&dir.join(CONFIG), pretty(&adapter_config(model, config)).as_bytes())?;
    files::write(&dir.join(BASE), pretty(&base(model, &digest)).as_bytes())?;
    files::write(&dir.join("README.md"), card(model, config).as_bytes())?;
    Ok(digest)
}

fn pretty(json: &Value) -> String {
    escape::json(&format!("{json:#}\n")).into_owned()
}

/// As PEFT 0.21 writes it, without the fields that do not apply.
fn adapter_config(model: &Model, config: &Train) -> Value {
    let modules = (!config.modules_to_save.is_empty()).then_some(&config.modules_to_save);
    json!({
        "alpha_pattern": pattern(&config.alpha_pattern, |alpha| number(*alpha)),
        "base_model_name_or_path": base_name(model),
        "bias": "none",
        "fan_in_fan_out": false,
        "inference_mode": true,
        "init_lora_weights": true,
        "layers_to_transform": null,
        "lora_alpha": number(config.alpha),
        "lora_dropout": config.dropout,
        "modules_to_save": modules,
        "peft_type": "LORA",
        "r": config.rank,
        "rank_pattern": pattern(&config.rank_pattern, |rank| (*rank).into()),
        "target_modules": targets(config),
        "task_type": "CAUSAL_LM",
        "use_dora": config.dora,
        "use_rslora": config.rslora,
    })
}

/// Whether `modules_to_save` names the module.
pub fn is_saved(config: &Train, module: &str) -> bool {
    config.modules_to_save.iter().any(|target| names_layer(target, module))
}

/// Longest names first: PEFT takes the first that fits, we the longest.
fn pattern<T>(values: &BTreeMap<String, T>, json: impl Fn(&T) -> Value) -> Value {
    let mut sorted: Vec<_> = values.iter().collect();
    sorted.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    sorted.into_iter().map(|(name, value)| (name.clone(), json(value))).collect::<Map<_, _>>().into()
}

/// `target_modules`, where PEFT takes `all-linear` as a text only.
fn targets(config: &Train) -> Value {
    match config.target_modules.iter().find(|target| *target == "all-linear") {
        Some(all) => all.clone().into(),
        None => config.target_modules.clone().into(),
    }
}

/// A whole number as an integer: PEFT declares alpha as one.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 { (value as i64).into() } else { value.into() }
}

fn base(model: &Model, adapter: &str) -> Value {
    let digests = model.digests();
    json!({
        "format": 1,
        "adapter_sha256": adapter,
        "base": {
            "name": base_name(model),
            "weights_sha256": digests.weights,
            "tokenizer_sha256": digests.tokenizer,
            "config_sha256": digests.config,
        },
    })
}

/// The last part of the base's path: the rest is about one machine.
fn base_name(model: &Model) -> String {
    model.path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn card(model: &Model, config: &Train) -> String {
    // The name of somebody's folder, in YAML and in a table.
    let name = base_name(model);
    let base: String = escape::line(&name).chars().map(|c| if "|<>[]`\"':#".contains(c) { '_' } else { c }).collect();
    let Train { rank, alpha, dropout, learning_rate, epochs, batch_size, gradient_accumulation, .. } = config;
    let kind = match (config.method, config.dora, config.rslora) {
        (_, true, _) => "DoRA",
        (_, _, true) => "rsLoRA",
        (Method::Qlora, ..) => "QLoRA",
        _ => "LoRA",
    };
    let targets = config.target_modules.join(", ");
    let rows = batch_size * gradient_accumulation;
    format!(
        "---\nlibrary_name: peft\nbase_model: {base}\ntags: [lora, diapason]\n---\n\n# {kind} adapter of {base}\n\n\
         Trained with Diapason. Open it with PEFT, or evaluate it with `diapason`.\n\n\
         | | |\n|---|---|\n| base, SHA-256 of the weights | `{weights}` |\n| layers | {targets} |\n\
         | rank, alpha, dropout | {rank}, {alpha}, {dropout} |\n| learning rate | {learning_rate} |\n\
         | epochs, rows in a step | {epochs}, {rows} |\n",
        weights = model.digests().weights,
    )
}
