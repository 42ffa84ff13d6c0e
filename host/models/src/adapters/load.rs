//! Reading an adapter. Anything that does not fit is refused: PEFT itself only warns of keys that match nothing, and
//! then runs the bare base.

use super::config::AdapterConfig;
use super::{BASE, CONFIG, PICKLED, PREFIX, WEIGHTS, method, modules};
use crate::Model;
use crate::decoder::Llama;
use crate::families::Config;
use crate::linear::{A, B, Linear, Lora, MAGNITUDE, Rescale};
use candle_core::{DType, Tensor, Var};
use diapason_core::{Error, Result};
use diapason_disk::files;
use diapason_nn::kernels;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// Attaches the adapter in the folder `dir` to the model, in place of any that is there; gives the SHA-256 of its
/// weights' file.
///
/// # Errors
/// Files that are missing or damaged; an adapter of another base, another kind, with keys, ranks or shapes that do not
/// fit, or one that changes nothing. The model is then as it was.
pub fn load(model: &mut Model, dir: &Path) -> Result<String> {
    let (config, parts, digest) = read(model, dir)?;
    let Parts { mut halves, modules, rows } = parts;
    let modules = modules::replacements(model, modules, rows)?;
    let mut loras = BTreeMap::new();
    for (stream, (name, linear)) in (0..).zip(model.llama().linears()) {
        if let Some(halves) = halves.remove(&name) {
            let lora = halves.complete(&name, &config, stream)?;
            loras.insert(name, (changes(linear, &lora)?, lora));
        }
    }
    if modules.is_empty() && !loras.values().any(|(changes, _)| *changes) {
        return Err(idle());
    }
    model.detach_adapter();
    for (name, linear) in model.llama_mut().linears_mut() {
        if let Some((_, lora)) = loras.remove(&name) {
            linear.attach_lora(lora);
        }
    }
    modules.into_iter().for_each(|(name, tensor)| model.replace_module(&name, tensor));
    Ok(digest)
}

/// Reads the adapter in the folder `dir` and holds it against the model, of which names and shapes suffice.
///
/// # Errors
/// See [`load`]; whether an adapter with magnitudes changes anything is known only with the base's weights.
pub fn check(model: &Model, dir: &Path) -> Result<()> {
    let (config, parts, _) = read(model, dir)?;
    let zero = |halves: &Halves| halves.b.as_ref().is_some_and(|b| largest(b).is_ok_and(|largest| largest == 0.0));
    if !config.is_dora() && parts.modules.is_empty() && parts.rows.is_empty() && parts.halves.values().all(zero) {
        return Err(idle());
    }
    for (name, halves) in parts.halves {
        halves.complete(&name, &config, 0)?;
    }
    modules::replacements(model, parts.modules, parts.rows).map(drop)
}

fn idle() -> Error {
    Error::data("the adapter changes nothing: every `lora_B` is zero")
        .hint("it was saved before it was trained, or its training never reached it")
}

/// The adapter in the folder, and the SHA-256 of its weights.
fn read(model: &Model, dir: &Path) -> Result<(AdapterConfig, Parts, String)> {
    let config = AdapterConfig::parse(&description(dir)?)?;
    check_base(model, &dir.join(BASE))?;
    biases(model.llama(), &config)?;
    let path = weights(dir)?;
    // What is no regular file is refused here, before the reader could wait for a pipe.
    let digest = files::digest(&path)?;
    let tensors = candle_core::safetensors::load(&path, model.device()).map_err(|source| {
        Error::data(format!("failed to read {WEIGHTS}"))
            .because(source)
            .hint("the file is truncated or not in safetensors format; fetch it again and compare its size")
    })?;
    let parts = parts(model, tensors, &config)?;
    complete(model.llama(), &config, &parts)?;
    Ok((config, parts, digest))
}

/// The text of the configuration.
fn description(dir: &Path) -> Result<String> {
    let path = dir.join(CONFIG);
    if path.symlink_metadata().is_ok() {
        return files::read_text(&path);
    }
    let hint = if dir.join("config.json").is_file() {
        "the folder holds a whole model, which is opened as a model, not as an adapter"
    } else {
        "name the folder that holds adapter_config.json and adapter_model.safetensors"
    };
    Err(Error::data(format!("there is no {CONFIG}")).hint(hint))
}

/// The path of the weights.
fn weights(dir: &Path) -> Result<PathBuf> {
    let path = dir.join(WEIGHTS);
    if path.symlink_metadata().is_ok() {
        return Ok(path);
    }
    let missing = Error::data(format!("there is no {WEIGHTS}"));
    Err(if dir.join(PICKLED).symlink_metadata().is_ok() {
        missing.because(format!("{PICKLED} is in pickle format, which can run code and is not read")).hint(
            "convert it in its folder: python -c \"import torch; from safetensors.torch import save_file; \
             save_file({k: v.contiguous() for k, v in torch.load('adapter_model.bin', weights_only=True).items()}, \
             'adapter_model.safetensors', {'format': 'pt'})\"",
        )
    } else {
        missing.hint("the folder is not complete; fetch it again")
    })
}

/// Refuses trained biases where the base has any: PEFT puts them in the place of the base's.
fn biases(llama: &Llama, config: &AdapterConfig) -> Result<()> {
    if config.trains_biases() && llama.linears().any(|(_, linear)| linear.bias().is_some()) {
        Err(Error::data(format!("{CONFIG}: `bias` is not \"none\", and biases of the base are not replaced here"))
            .hint(method::MERGE))
    } else {
        Ok(())
    }
}

/// Whether the layer computes something else with the adapter than without.
fn changes(linear: &Linear, lora: &Lora) -> Result<bool> {
    let fail = |source| Error::run("failed to look at the adapter").because(source);
    if largest(&lora.b).map_err(fail)? > 0.0 {
        return Ok(true);
    }
    let Some(magnitude) = &lora.magnitude else { return Ok(false) };
    let norms = kernels::row_norms(linear.weight(), &lora.a, &lora.b, 0.0).map_err(fail)?;
    let found = magnitude.to_vec1::<f32>().map_err(fail)?;
    Ok(norms.iter().zip(&found).any(|(norm, found)| (norm - found).abs() > 1e-5 * norm))
}

fn largest(tensor: &Tensor) -> candle_core::Result<f32> {
    tensor.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()
}

/// Refuses an adapter that says it was trained on other weights.
fn check_base(model: &Model, path: &Path) -> Result<()> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let recorded: Value = serde_json::from_str(&files::read_text(path)?)
        .map_err(|source| Error::data(format!("failed to read {BASE}")).because(source))?;
    match recorded["base"]["weights_sha256"].as_str() {
        // The outline of a model has no digest of weights.
        Some(weights) if weights != model.digests().weights && !model.digests().weights.is_empty() => {
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
    /// Modules in full, by name: those of `modules_to_save`, and embeddings that PEFT saved because they were resized.
    modules: Vec<(String, Tensor)>,
    /// Single rows of an embedding: the module, the rows' numbers and the rows.
    rows: Vec<(String, Vec<u32>, Tensor)>,
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
        // An adapted module's own weight stands a level deeper; PEFT saves it where embedding or head is adapted.
        let module = name.strip_suffix(".weight").map(|module| module.strip_suffix(".base_layer").unwrap_or(module));
        if let Some(module) = module.filter(|module| super::MODULES.contains(module)) {
            let &Config { vocab_size, hidden_size, .. } = llama.config();
            modules::check_shape(key, tensor.dims(), [vocab_size, hidden_size])?;
            parts.modules.push((module.to_owned(), to_f32(key, tensor)?));
            continue;
        }
        if let Some(module) = name.strip_suffix(modules::ROWS) {
            let rows = modules::rows(key, module, config, llama.config())?;
            check_shape(key, tensor, &[rows.len(), llama.config().hidden_size])?;
            parts.rows.push((module.to_owned(), rows, to_f32(key, tensor)?));
            continue;
        }
        let (name, part) = layer(name).ok_or_else(|| unknown(key))?;
        let &(out, input) = shapes.get(name).ok_or_else(|| no_layer(key, name, llama.config().tied))?;
        if !config.targets(name)? {
            return Err(Error::data(format!("`{key}` is of a layer that `target_modules` in {CONFIG} leaves out"))
                .hint("PEFT would ignore the tensor: weights and configuration belong to different adapters"));
        }
        let rank = config.rank(name)?;
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
    if parts.halves.is_empty() && parts.modules.is_empty() && parts.rows.is_empty() {
        Err(Error::data(format!("{WEIGHTS} holds no tensors")))
    } else {
        Ok(parts)
    }
}

fn no_layer(key: &str, name: &str, tied: bool) -> Error {
    let hint = if name == "lm_head" && tied {
        "embedding and output head are one here: an adapter of one of them would break the other"
    } else {
        "the adapter is of another architecture"
    };
    Error::data(format!("`{key}` belongs to no layer of the model")).hint(hint)
}

/// Refuses a file without tensors of a module that the configuration names: PEFT would leave it as it began.
fn complete(llama: &Llama, config: &AdapterConfig, parts: &Parts) -> Result<()> {
    let names = llama.linears().map(|(name, _)| name).chain(llama.config().tied.then(|| "lm_head".to_owned()));
    for name in names {
        if config.targets(&name)? && !parts.halves.contains_key(&name) {
            return Err(Error::data(format!(
                "`target_modules` in {CONFIG} takes in `{name}`, of which {WEIGHTS} has nothing"
            ))
            .hint("the file is incomplete, or weights and configuration belong to different adapters"));
        }
    }
    if config.targets("model.embed_tokens")? {
        return Err(Error::data(format!(
            "`target_modules` in {CONFIG} takes in the embedding, which is not supported"
        ))
        .hint(method::MERGE));
    }
    let found: Vec<&str> = parts.modules.iter().map(|(name, _)| name.as_str()).collect();
    let saved = modules::saved(llama, config)?;
    if let Some(name) = saved.iter().find(|name| !found.contains(*name)) {
        return Err(Error::data(format!(
            "`modules_to_save` in {CONFIG} names `{name}`, of which {WEIGHTS} has nothing"
        ))
        .hint("the file is incomplete; save the adapter again with PEFT"));
    }
    modules::check_rows(config, parts.rows.iter().map(|(name, ..)| name.as_str()))
}

fn unknown(key: &str) -> Error {
    let known = [
        ("lora_embedding_", "the embedding is adapted: merge the adapter into its base with PEFT (`merge_and_unload`)"),
        (".bias", "the adapter brings biases: merge it into its base with PEFT (`merge_and_unload`)"),
        ("norm.weight", "the adapter brings a norm: merge it into its base with PEFT (`merge_and_unload`)"),
        ("base_layer.", "the adapter brings weights of its base: merge it with PEFT (`merge_and_unload`)"),
        (".default.", "the name of the adapter stands in the key: save it with PEFT's `save_pretrained`"),
    ];
    let hint = known.iter().find(|(part, _)| key.contains(part)).map(|(_, hint)| (*hint).to_owned());
    Error::data(format!("unknown key `{key}`")).hint(
        hint.unwrap_or_else(|| {
            format!("PEFT's keys look like `{PREFIX}model.layers.0.self_attn.q_proj.lora_A.weight`")
        }),
    )
}

fn check_shape(key: &str, tensor: &Tensor, expected: &[usize]) -> Result<()> {
    if tensor.dims() == expected {
        Ok(())
    } else {
        Err(Error::data(format!("`{key}` has shape {:?}, expected {expected:?}", tensor.dims()))
            .hint("the adapter belongs to another model, or its configuration names another rank"))
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

/// The layer that a key is about, and which part of the adapter it holds.
fn layer(key: &str) -> Option<(&str, &'static str)> {
    [A, B, MAGNITUDE].into_iter().find_map(|part| Some((key.strip_suffix(part)?.strip_suffix('.')?, part)))
}

impl Halves {
    fn complete(self, name: &str, config: &AdapterConfig, stream: u64) -> Result<Lora> {
        let missing = |part: &str| Error::data(format!("`{name}` has no {part}")).hint("the file is incomplete");
        if config.is_dora() != self.magnitude.is_some() {
            return Err(if config.is_dora() {
                missing(MAGNITUDE)
            } else {
                Error::data(format!("`{name}` has a {MAGNITUDE}, but `use_dora` is false"))
                    .hint("weights and configuration belong to different adapters")
            });
        }
        let scale = config.scale(name)?;
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
