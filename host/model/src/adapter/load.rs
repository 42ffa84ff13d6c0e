//! Reading an adapter. Anything that does not fit is refused: PEFT itself only warns of keys that match nothing, and
//! then runs the bare base.

use super::config::AdapterConfig;
use super::{BASE, CONFIG, PREFIX, WEIGHTS};
use crate::Model;
use crate::arch::{Config, Llama};
use crate::kernels;
use crate::linear::{A, B, Linear, Lora, MAGNITUDE, Rescale};
use candle_core::{DType, Tensor, Var};
use diapason_core::{Error, Result, digest, files};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Attaches the adapter in the folder `dir` to the model, in place of any that is there; gives the SHA-256 of its
/// weights' file.
///
/// # Errors
/// Files that are missing or damaged; an adapter of another base, another kind, with keys, ranks or shapes that do not
/// fit, or one that changes nothing. The model is then as it was.
pub fn load(model: &mut Model, dir: &Path) -> Result<String> {
    let config = AdapterConfig::parse(&files::read_text(&dir.join(CONFIG))?)?;
    check_base(model, &dir.join(BASE))?;
    let path = dir.join(WEIGHTS);
    let digest = digest::of_file(&path)?;
    let tensors = candle_core::safetensors::load(&path, model.device()).map_err(|source| {
        Error::data(format!("failed to read {WEIGHTS}"))
            .because(source)
            .hint("the file is truncated or not in safetensors format; fetch it again and compare its size")
    })?;
    let mut parts = parts(model, tensors, &config)?;
    let modules = std::mem::take(&mut parts.modules);
    let mut loras = BTreeMap::new();
    for (stream, (name, linear)) in (0..).zip(model.llama().linears()) {
        if let Some(halves) = parts.halves.remove(&name) {
            let lora = halves.complete(&name, &config, stream)?;
            loras.insert(name, (changes(linear, &lora)?, lora));
        }
    }
    if modules.is_empty() && !loras.values().any(|(changes, _)| *changes) {
        return Err(Error::data("the adapter changes nothing: every `lora_B` is zero")
            .hint("it was saved before it was trained, or its training never reached it"));
    }
    model.detach_adapter();
    for (name, linear) in model.llama_mut().linears_mut() {
        if let Some((_, lora)) = loras.remove(&name) {
            linear.attach_lora(lora);
        }
    }
    modules.into_iter().try_for_each(|(name, tensor)| model.replace_module(&name, tensor))?;
    Ok(digest)
}

/// Whether the layer computes something else with the adapter than without.
fn changes(linear: &Linear, lora: &Lora) -> Result<bool> {
    let fail = |source| Error::run("failed to look at the adapter").because(source);
    let largest = |tensor: &Tensor| tensor.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>();
    if largest(&lora.b).map_err(fail)? > 0.0 {
        return Ok(true);
    }
    let Some(magnitude) = &lora.magnitude else { return Ok(false) };
    let norms = kernels::row_norms(linear.weight(), &lora.a, &lora.b, 0.0).map_err(fail)?;
    let found = magnitude.to_vec1::<f32>().map_err(fail)?;
    Ok(norms.iter().zip(&found).any(|(norm, found)| (norm - found).abs() > 1e-5 * norm))
}

/// Refuses an adapter that says it was trained on other weights.
fn check_base(model: &Model, path: &Path) -> Result<()> {
    if path.symlink_metadata().is_err() {
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

/// What the weights' file holds.
#[derive(Default)]
struct Parts {
    halves: BTreeMap<String, Halves>,
    /// Parameters that were trained in full, by their names.
    modules: Vec<(String, Tensor)>,
}

/// The tensors of one adapted layer.
#[derive(Default)]
struct Halves {
    a: Option<Var>,
    b: Option<Var>,
    magnitude: Option<Var>,
}

fn parts(model: &Model, tensors: HashMap<String, Tensor>, config: &AdapterConfig) -> Result<Parts> {
    let llama = model.llama();
    let shapes: HashMap<String, (usize, usize)> =
        llama.linears().filter_map(|(name, linear)| Some((name, linear.weight().dims().ok()?))).collect();
    let sorted: BTreeMap<String, Tensor> = tensors.into_iter().collect();
    let mut parts = Parts::default();
    for (key, tensor) in &sorted {
        let name = key.strip_prefix(PREFIX).ok_or_else(|| unknown(key))?;
        if let Some(shape) = module_shape(name, llama, config) {
            check_shape(key, tensor, &shape)?;
            parts.modules.push((name.to_owned(), to_f32(key, tensor)?));
            continue;
        }
        let (name, part) = layer(name).ok_or_else(|| unknown(key))?;
        let &(out, input) = shapes.get(name).ok_or_else(|| {
            let hint = match name == "lm_head" && llama.config().tied {
                true => "embedding and output head are one here: an adapter of one of them would break the other",
                false => "the adapter is of another architecture",
            };
            Error::data(format!("`{key}` belongs to no layer of the model")).hint(hint)
        })?;
        let rank = config.rank(name);
        let halves = parts.halves.entry(name.to_owned()).or_default();
        let (slot, shape) = match part {
            A => (&mut halves.a, vec![rank, input]),
            B => (&mut halves.b, vec![out, rank]),
            _ => (&mut halves.magnitude, vec![out]),
        };
        check_shape(key, tensor, &shape)?;
        let var = Var::from_tensor(&to_f32(key, tensor)?);
        *slot = Some(var.map_err(|source| Error::run(format!("failed to read `{key}`")).because(source))?);
    }
    match parts.halves.is_empty() && parts.modules.is_empty() {
        true => Err(Error::data(format!("{WEIGHTS} holds no tensors"))),
        false => Ok(parts),
    }
}

fn unknown(key: &str) -> Error {
    Error::data(format!("unknown key `{key}`"))
        .hint(format!("PEFT's keys look like `{PREFIX}model.layers.0.self_attn.q_proj.lora_A.weight`"))
}

fn check_shape(key: &str, tensor: &Tensor, expected: &[usize]) -> Result<()> {
    match tensor.dims() == expected {
        true => Ok(()),
        false => Err(Error::data(format!("`{key}` has shape {:?}, expected {expected:?}", tensor.dims()))
            .hint("the adapter belongs to another model, or its configuration names another rank")),
    }
}

fn to_f32(key: &str, tensor: &Tensor) -> Result<Tensor> {
    let fail = |source| Error::data(format!("failed to read `{key}`")).because(source);
    let tensor = tensor.to_dtype(DType::F32).map_err(fail)?;
    // A sum is not finite where one of its terms is not; adapters are far too small to overflow one.
    let sum = tensor.abs().and_then(|tensor| tensor.sum_all()?.to_scalar::<f32>()).map_err(fail)?;
    if !sum.is_finite() {
        return Err(Error::data(format!("`{key}` holds numbers that are not finite"))
            .hint("the adapter is damaged, or its training diverged"));
    }
    Ok(tensor)
}

/// The shape of a parameter that the configuration says was trained in full.
fn module_shape(name: &str, llama: &Llama, config: &AdapterConfig) -> Option<Vec<usize>> {
    let module = name.strip_suffix(".weight")?;
    let saved = config.modules_to_save().iter().any(|target| super::names_layer(target, module));
    let &Config { vocab_size, hidden_size, .. } = llama.config();
    (saved && super::MODULES.contains(&module)).then(|| vec![vocab_size, hidden_size])
}

/// The layer that a key is about, and which part of the adapter it holds.
fn layer(key: &str) -> Option<(&str, &'static str)> {
    [A, B, MAGNITUDE].into_iter().find_map(|part| Some((key.strip_suffix(part)?.strip_suffix('.')?, part)))
}

impl Halves {
    fn complete(self, name: &str, config: &AdapterConfig, stream: u64) -> Result<Lora> {
        let missing = |part: &str| Error::data(format!("`{name}` has no {part}")).hint("the file is incomplete");
        if config.is_dora() != self.magnitude.is_some() {
            return Err(match config.is_dora() {
                true => missing(MAGNITUDE),
                false => Error::data(format!("`{name}` has a {MAGNITUDE}, but `use_dora` is false"))
                    .hint("weights and configuration belong to different adapters"),
            });
        }
        let scale = config.scale(name);
        if !(scale as f32).is_finite() {
            return Err(Error::data(format!("the update of `{name}` is multiplied by {scale}"))
                .hint("`lora_alpha` or `alpha_pattern` in adapter_config.json is damaged"));
        }
        Ok(Lora {
            a: self.a.ok_or_else(|| missing("lora_A"))?,
            b: self.b.ok_or_else(|| missing("lora_B"))?,
            magnitude: self.magnitude,
            scale,
            dropout: 0.0,
            stream,
            rescale: Rescale::default(),
        })
    }
}
