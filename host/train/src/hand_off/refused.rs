//! What another trainer cannot do as the configuration says.

use super::{Job, Tool};
use diapason_core::config::{Method, Train};
use diapason_core::schema::Problem;
use diapason_models::adapters::names_layer;

/// Every key that the trainer cannot honour, with what to do about it.
pub fn problems(job: &Job<'_>) -> Vec<Problem> {
    let checks = [seed, early_stopping, packing, checkpoints, lora_plus, output_head, precision];
    checks.iter().filter_map(|check| check(job)).collect()
}

fn problem(job: &Job<'_>, key: &str, message: &str, hint: impl Into<String>) -> Option<Problem> {
    Some(Problem::new(key, format!("{} {message}", job.tool.name()), hint))
}

fn seed(job: &Job<'_>) -> Option<Problem> {
    if u32::try_from(job.seed).is_ok() {
        return None;
    }
    problem(job, "run.seed", "takes no seed above 4294967295", "choose a smaller one")
}

/// The trainers' own early stopping looks at other losses, at other steps, and keeps another state.
fn early_stopping(job: &Job<'_>) -> Option<Problem> {
    job.config.early_stopping.as_ref()?;
    let hint = "remove the table and keep `save_per_epoch`: every checkpoint that comes back can be an arm";
    problem(job, "train.early_stopping", "stops by other rules than these", hint)
}

fn packing(job: &Job<'_>) -> Option<Problem> {
    let Train { packing, neftune_alpha, .. } = job.config;
    match job.tool {
        Tool::Trl if *packing && *neftune_alpha > 0.0 => {
            let hint = "set `packing = false`: what is learned is the same";
            problem(job, "train.neftune_alpha", "scales the noise by the length of a whole pack", hint)
        }
        Tool::Axolotl | Tool::LlamaFactory if *packing => {
            let hint = "set `packing = false`: what is learned is the same; or hand the run to TRL";
            problem(job, "train.packing", "packs rows of several steps together", hint)
        }
        _ => None,
    }
}

fn checkpoints(job: &Job<'_>) -> Option<Problem> {
    let (per_epoch, config) = (job.layout.steps_per_epoch, job.config);
    if job.tool == Tool::Trl || !config.save_per_epoch || per_epoch <= config.save_steps as u64 {
        return None;
    }
    let hint = format!("raise it to {per_epoch}, the steps of an epoch, or set `save_per_epoch = false`");
    problem(job, "train.save_steps", "saves at one interval: every epoch, or every so many steps", hint)
}

fn lora_plus(job: &Job<'_>) -> Option<Problem> {
    let Train { weight_decay, modules_to_save, .. } = job.config;
    match job.tool {
        _ if !job.is_lora_plus() => None,
        Tool::Axolotl if *weight_decay > 0.0 => {
            problem(job, "train.weight_decay", "decays no weights with LoRA+", "set it to 0, or hand the run to TRL")
        }
        Tool::LlamaFactory if !modules_to_save.is_empty() => {
            let hint = "leave one of the two out, or hand the run to TRL";
            problem(job, "train.modules_to_save", "gives these modules another learning rate with LoRA+", hint)
        }
        _ => None,
    }
}

fn output_head(job: &Job<'_>) -> Option<Problem> {
    let Train { method, target_modules, .. } = job.config;
    let adapted = method.is_adapter() && target_modules.iter().any(|target| names_layer(target, "lm_head"));
    if job.tool != Tool::Trl || !adapted {
        return None;
    }
    let hint = "name it in `modules_to_save`, which trains it whole, or hand the run to another trainer";
    problem(job, "train.target_modules", "trains no adapter on `lm_head`", hint)
}

fn precision(job: &Job<'_>) -> Option<Problem> {
    match job.tool {
        Tool::Axolotl if job.config.method == Method::Full && job.is_bf16() => {
            let hint = "set `compute = \"f32\"`, or hand the run to another trainer";
            problem(job, "train.compute", "keeps the weights that it trains in bf16", hint)
        }
        Tool::LlamaFactory if !job.is_bf16() && job.base_dtype != Some("float32") => {
            let hint = "set `compute = \"bf16\"`, or hand the run to another trainer";
            problem(job, "train.compute", "computes in the format of the base, which is not f32", hint)
        }
        _ => None,
    }
}
