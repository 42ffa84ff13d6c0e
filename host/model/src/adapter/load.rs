//! Reading an adapter. Anything that does not fit is refused: PEFT itself only warns of keys that match nothing, and
//! then runs the bare base.

use super::config::AdapterConfig;
use super::{BASE, CONFIG, PREFIX, WEIGHTS};
use crate::Model;
use crate::arch::Llama;
use candle_core::{DType, Device, Tensor, Var};
use diapason_core::{Error, Result, digest, files};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Attaches the adapter in the folder `dir` to the model, in place of any that is there; gives the SHA-256 of its
/// weights' file.
///
/// # Errors
/// Files that are missing or damaged; an adapter of another base, another kind, or with keys, ranks or shapes that do
/// not fit. The model is then as it was.
pub fn load(model: &mut Model, dir: &Path) -> Result<String> {
    let config = AdapterConfig::parse(&files::read_text(&dir.join(CONFIG))?)?;
    check_base(model, &dir.join(BASE))?;
    let path = dir.join(WEIGHTS);
    let digest = digest::of_file(&path)?;
    let tensors = candle_core::safetensors::load(&path, &Device::Cpu)
        .map_err(|source| Error::data(format!("failed to read {WEIGHTS}")).because(source))?;
    let pairs = pairs(model.llama(), tensors, config.rank())?;
    model.detach_adapter();
    for (stream, (name, linear)) in (0..).zip(model.llama_mut().linears_mut()) {
        if let Some((a, b)) = pairs.get(&name) {
            linear.attach_lora(a.clone(), b.clone(), config.scale(), 0.0, stream);
        }
    }
    Ok(digest)
}

/// Refuses an adapter that says it was trained on other weights.
fn check_base(model: &Model, path: &Path) -> Result<()> {
    if !path.is_file() {
        return Ok(());
    }
    let recorded: Value = serde_json::from_str(&files::read_text(path)?)
        .map_err(|source| Error::data(format!("failed to read {BASE}")).because(source))?;
    match recorded["base"]["weights_sha256"].as_str() {
        Some(weights) if weights != model.digests().weights => {
            let name = recorded["base"]["name"].as_str().unwrap_or("another model");
            Err(Error::data(format!("the adapter was trained on other weights, those of {name}"))
                .hint("open the base that it was trained on"))
        }
        _ => Ok(()),
    }
}

/// A and B of each adapted layer.
fn pairs(llama: &Llama, tensors: HashMap<String, Tensor>, rank: usize) -> Result<BTreeMap<String, (Var, Var)>> {
    let shapes: HashMap<String, (usize, usize)> =
        llama.linears().filter_map(|(name, linear)| Some((name, linear.weight().dims2().ok()?))).collect();
    let mut halves: BTreeMap<String, (Option<Var>, Option<Var>)> = BTreeMap::new();
    let sorted: BTreeMap<String, Tensor> = tensors.into_iter().collect();
    for (key, tensor) in &sorted {
        let (name, is_a) = layer(key)?;
        let &(out, input) = shapes.get(name).ok_or_else(|| {
            Error::data(format!("`{key}` belongs to no layer of the model"))
                .hint("the adapter is of another architecture")
        })?;
        let shape = if is_a { [rank, input] } else { [out, rank] };
        if tensor.dims() != shape {
            return Err(Error::data(format!("`{key}` has shape {:?}, expected {shape:?}", tensor.dims()))
                .hint("the adapter belongs to another model, or its configuration names another rank"));
        }
        let var = tensor
            .to_dtype(DType::F32)
            .and_then(|tensor| Var::from_tensor(&tensor))
            .map_err(|source| Error::data(format!("failed to read `{key}`")).because(source))?;
        let half = halves.entry(name.to_owned()).or_default();
        *(if is_a { &mut half.0 } else { &mut half.1 }) = Some(var);
    }
    if halves.is_empty() {
        return Err(Error::data(format!("{WEIGHTS} holds no tensors")));
    }
    halves.into_iter().map(complete).collect()
}

/// The layer that a key is about, and whether it is its A.
fn layer(key: &str) -> Result<(&str, bool)> {
    let unknown = || {
        Error::data(format!("unknown key `{key}`"))
            .hint(format!("PEFT's keys look like `{PREFIX}model.layers.0.self_attn.q_proj.lora_A.weight`"))
    };
    let name = key.strip_prefix(PREFIX).ok_or_else(unknown)?;
    let a = name.strip_suffix(".lora_A.weight").map(|name| (name, true));
    a.or_else(|| Some((name.strip_suffix(".lora_B.weight")?, false))).ok_or_else(unknown)
}

fn complete((name, halves): (String, (Option<Var>, Option<Var>))) -> Result<(String, (Var, Var))> {
    match halves {
        (Some(a), Some(b)) => Ok((name, (a, b))),
        (a, _) => {
            let missing = if a.is_none() { "lora_A" } else { "lora_B" };
            Err(Error::data(format!("`{name}` has no {missing}")).hint("the file is incomplete"))
        }
    }
}
