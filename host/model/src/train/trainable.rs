//! Which parameters a run trains.

use crate::adapter::names_layer;
use crate::arch::Llama;
use crate::linear::Linear;
use candle_core::{Device, Tensor, Var};
use diapason_core::config::{Method, Train};
use diapason_core::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Makes variables of what `config` trains and puts them into the model; gives them with their names: those of
/// transformers for full training, with `.lora_A.weight` and `.lora_B.weight` behind a layer's name for an adapter.
pub fn prepare(llama: &mut Llama, config: &Train, seed: u64) -> Result<Vec<(String, Var)>> {
    match config.method {
        Method::Lora | Method::Qlora => attach(llama, config, seed),
        Method::Full => release(llama),
    }
}

/// Makes plain tensors of trained parameters, so that inference records no gradients. An adapter stays as it is: its
/// layers look at the mode.
pub fn finish(llama: &mut Llama, method: Method) -> Result<()> {
    match method {
        Method::Lora | Method::Qlora => Ok(()),
        Method::Full => llama.replace_parameters(|_, tensor| Ok(tensor.detach())).map_err(failed),
    }
}

fn release(llama: &mut Llama) -> Result<Vec<(String, Var)>> {
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
    let scale = config.alpha / config.rank as f64;
    let mut vars = Vec::new();
    let targets = |name: &str| config.target_modules.iter().any(|target| names_layer(target, name));
    for (stream, (name, linear)) in (0..).zip(llama.linears_mut().filter(|(name, _)| targets(name))) {
        let (a, b) = init(linear, config.rank, seed, stream).map_err(failed)?;
        linear.attach_lora(a.clone(), b.clone(), scale, config.dropout, stream);
        vars.extend([(format!("{name}.lora_A.weight"), a), (format!("{name}.lora_B.weight"), b)]);
    }
    Ok(vars)
}

/// As PEFT does: A uniform in ±1/√in (kaiming_uniform with a = √5), B zero.
fn init(linear: &Linear, rank: usize, seed: u64, stream: u64) -> candle_core::Result<(Var, Var)> {
    let (out, input) = linear.weight().dims2()?;
    let bound = 1.0 / (input as f32).sqrt();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    let a: Vec<f32> = (0..rank * input).map(|_| rng.random_range(-bound..bound)).collect();
    let a = Tensor::from_vec(a, (rank, input), &Device::Cpu)?;
    Ok((Var::from_tensor(&a)?, Var::from_vec(vec![0.0_f32; out * rank], (out, rank), &Device::Cpu)?))
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
    Ok(())
}

fn failed(source: candle_core::Error) -> Error {
    Error::run("failed to set up the trainable parameters").because(source)
}
