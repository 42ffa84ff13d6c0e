//! Which parameters a run trains.

use candle_core::{Device, Tensor, Var};
use diapason_core::config::{Method, Train};
use diapason_core::{Error, Result};
use diapason_models::Model;
use diapason_models::adapters::{MODULES, is_saved, names_layer, tied};
use diapason_models::decoder::Llama;
use diapason_models::linear::{Linear, Lora, Rescale};
use diapason_nn::kernels::row_norms;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Makes variables of what `config` trains and puts them into the model; gives them with their names: those of
/// transformers for whole parameters, with `lora_A.weight`, `lora_B.weight` or `lora_magnitude_vector` behind a layer's name for an adapter.
pub fn prepare(model: &mut Model, config: &Train, seed: u64) -> Result<Vec<(String, Var)>> {
    model.refuse_attention_dropout()?;
    match config.method {
        Method::Full => release(model.llama_mut()),
        Method::Lora | Method::Qlora => {
            let mut vars = attach(model.llama_mut(), config, seed)?;
            vars.extend(modules(model, config)?);
            Ok(vars)
        }
    }
}

/// Makes plain tensors of trained parameters, so that inference records no gradients. An adapter's matrices stay as they
/// are: their layers look at the mode.
pub fn finish(llama: &mut Llama, config: &Train) -> Result<()> {
    if config.method == Method::Full {
        return llama.replace_parameters(|_, tensor| Ok(tensor.detach())).map_err(failed);
    }
    // Training changed the variables, or early stopping put earlier ones back.
    llama.linears().filter_map(|(_, linear)| linear.lora()).for_each(|lora| lora.rescale.forget());
    let saved = llama.modules().filter(|(name, _)| is_saved(config, name));
    let saved: Vec<(&str, Tensor)> = saved.map(|(name, tensor)| (name, tensor.detach())).collect();
    for (name, tensor) in saved {
        llama.replace_module(name, tensor);
    }
    Ok(())
}

/// Calls `body` with parameters that record no gradients, as for inference, and makes them trainable again.
pub fn without_gradients<T>(
    model: &mut Model,
    vars: &[(String, Var)],
    config: &Train,
    mut body: impl FnMut(&mut Model) -> Result<T>,
) -> Result<T> {
    finish(model.llama_mut(), config)?;
    let result = body(model);
    let find = |name: &str| vars.iter().find(|(own, _)| own == name).map(|(_, var)| var.as_tensor().clone());
    if config.method == Method::Full {
        let back = |name: &str, tensor: &Tensor| Ok(find(name).unwrap_or_else(|| tensor.clone()));
        model.llama_mut().replace_parameters(back).map_err(failed)?;
    }
    for name in MODULES {
        if let Some(tensor) = find(&format!("{name}.weight")).filter(|_| config.method.is_adapter()) {
            model.llama_mut().replace_module(name, tensor);
        }
    }
    result
}

fn release(llama: &mut Llama) -> Result<Vec<(String, Var)>> {
    if llama.quantised().is_some() {
        return Err(Error::config("the model is quantised: its weights cannot be trained in full")
            .hint("train an adapter with method `qlora`, or open the model that it was made of"));
    }
    let mut vars = Vec::new();
    let replaced = llama.replace_parameters(|name, tensor| {
        let var = Var::from_tensor(tensor)?;
        vars.push((name.to_owned(), var.clone()));
        Ok(var.into_inner())
    });
    replaced.map_err(failed)?;
    Ok(vars)
}

fn attach(llama: &mut Llama, config: &Train, seed: u64) -> Result<Vec<(String, Var)>> {
    check_adapter(llama, config)?;
    let (mut vars, device) = (Vec::new(), llama.device().clone());
    let targets = |name: &str| config.target_modules.iter().any(|target| names_layer(target, name));
    for (stream, (name, linear)) in (0..).zip(llama.linears_mut().filter(|(name, _)| targets(name))) {
        let lora = init(&name, linear, config, &device, (seed, stream)).map_err(failed)?;
        vars.extend(lora.vars().map(|(part, var)| (format!("{name}.{part}"), var.clone())));
        linear.attach_lora(lora);
    }
    Ok(vars)
}

/// As PEFT does: A uniform in ±1/√in (kaiming_uniform with a = √5), B zero, magnitudes the lengths of the weight's rows.
fn init(
    name: &str,
    linear: &Linear,
    config: &Train,
    device: &Device,
    (seed, stream): (u64, u64),
) -> candle_core::Result<Lora> {
    let (out, input) = linear.weight().dims()?;
    let (rank, _) = config.rank_alpha(name);
    let bound = 1.0 / (input as f32).sqrt();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    let a: Vec<f32> = (0..rank * input).map(|_| rng.random_range(-bound..bound)).collect();
    let a = Var::from_vec(a, (rank, input), device)?;
    let b = Var::from_vec(vec![0.0_f32; out * rank], (out, rank), device)?;
    let norms = config.dora.then(|| row_norms(linear.weight(), &a, &b, 0.0)).transpose()?;
    let magnitude = norms.map(|norms| Var::from_vec(norms, out, device)).transpose()?;
    let (scale, dropout) = (config.scale(name), config.dropout);
    Ok(Lora { a, b, magnitude, scale, dropout, stream, rescale: Rescale::default() })
}

/// Makes variables of the modules that are trained in full beside the adapter.
fn modules(model: &mut Model, config: &Train) -> Result<Vec<(String, Var)>> {
    let saved = model.llama().modules().filter(|(name, _)| is_saved(config, name));
    let saved: Vec<(&str, Tensor)> = saved.map(|(name, tensor)| (name, tensor.clone())).collect();
    if let Some(target) =
        config.modules_to_save.iter().find(|target| !saved.iter().any(|(name, _)| names_layer(target, name)))
    {
        return Err(Error::config(format!("`train.modules_to_save` names `{target}`, which the model does not have"))
            .hint("where embedding and output head are one there is no `lm_head`; method `full` trains both"));
    }
    let mut vars = Vec::new();
    for (name, tensor) in saved {
        if model.llama().config().tied {
            return Err(tied(name));
        }
        let var = Var::from_tensor(&tensor).map_err(failed)?;
        model.replace_module(name, var.as_tensor().clone());
        vars.push((format!("{name}.weight"), var));
    }
    Ok(vars)
}

fn check_adapter(llama: &Llama, config: &Train) -> Result<()> {
    if config.rank == 0 {
        return Err(Error::config("`train.rank` is 0, expected at least 1"));
    }
    if !(0.0..1.0).contains(&config.dropout) {
        return Err(Error::config(format!("`train.dropout` is {}, expected at least 0 and below 1", config.dropout)));
    }
    let names: Vec<String> = llama.linears().map(|(name, _)| name).collect();
    let unknown = config.target_modules.iter().find(|target| !names.iter().any(|name| names_layer(target, name)));
    if let Some(target) = unknown {
        let mut known: Vec<&str> = names.iter().filter_map(|name| name.rsplit('.').next()).collect();
        known.sort_unstable();
        known.dedup();
        return Err(Error::config(format!("`train.target_modules` names `{target}`, which is no layer of the model"))
            .hint(format!("layers: {}", known.join(", "))));
    }
    if config.target_modules.is_empty() {
        return Err(Error::config("`train.target_modules` is empty").hint("for example [\"q_proj\", \"v_proj\"]"));
    }
    check_ranks(llama, config)
}

/// Refuses a rank above the smaller width of a layer: an update of that rank does not exist, its memory does.
pub fn check_ranks(llama: &Llama, config: &Train) -> Result<()> {
    if !config.method.is_adapter() {
        return Ok(());
    }
    for (name, linear) in llama.linears() {
        let (rank, (out, input)) = (config.rank_alpha(&name).0, linear.weight().dims().map_err(failed)?);
        let targeted = config.target_modules.iter().any(|target| names_layer(target, &name));
        if targeted && rank > out.min(input) {
            let message = format!("`train.rank` is {rank}, more than the {} that `{name}` is wide", out.min(input));
            return Err(
                Error::config(message).hint("lower `train.rank`, or give this layer its own in `train.rank_pattern`")
            );
        }
    }
    Ok(())
}

fn failed(source: candle_core::Error) -> Error {
    Error::run("failed to set up the trainable parameters").because(source)
}
