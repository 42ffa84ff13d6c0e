//! How much arithmetic a training run is, and how fast this machine does it.

use super::Load;
use diapason_core::config::{Method, Train};
use diapason_models::adapters::{is_saved, names_layer};
use diapason_models::decoder::Llama;
use diapason_nn::kernels::gemm::{Into, Matrix, product};
use std::time::{Duration, Instant};

/// Floating-point operations of a run, a multiplication and an addition counted as two.
///
/// Of a frozen layer the forward pass and the gradient of its input are computed, of a trained one the gradient of its
/// weight too; checkpointing computes the layers' forward pass twice.
pub fn flops(llama: &Llama, config: &Train, load: &Load) -> f64 {
    let shape = llama.config();
    let full = config.method == Method::Full;
    let again = if config.gradient_checkpointing { 1.0 } else { 0.0 };
    let mut per_token = 0.0;
    for (name, linear) in llama.linears().filter(|(name, _)| name != "lm_head") {
        let n = linear.weight().elem_count() as f64;
        per_token += 2.0 * n * (2.0 + again + if full { 1.0 } else { 0.0 });
        let adapted = config.method.is_adapter() && config.target_modules.iter().any(|it| names_layer(it, &name));
        if let (true, Ok((out, input))) = (adapted, linear.weight().dims()) {
            per_token += 2.0 * (config.rank_alpha(&name).0 * (out + input)) as f64 * (3.0 + again);
        }
    }
    let head = (shape.vocab_size * shape.hidden_size) as f64;
    let head_trained = full || is_saved(config, "lm_head");
    let per_trained = 2.0 * head * if head_trained { 3.0 } else { 2.0 };
    // Scores and values forward; scores, values and both gradients of each backward.
    let attention = 2.0 * (shape.heads * shape.head_dim * shape.layers) as f64 * (2.0 + 5.0 + 2.0 * again);
    per_token * load.tokens as f64 + per_trained * load.trained as f64 + attention * load.pairs as f64
}

/// How fast a machine trains.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct CpuRate {
    /// Floating-point operations per second of a matrix product of the model's own size.
    pub product: f64,
    /// The same of a whole training step.
    pub training: f64,
}

/// The share of a step's time that goes into matrix products: 0.62 of SmolLM2-135M at 1,024 tokens a pass.
const PRODUCTS: f64 = 0.62;

/// Measures this machine for about a quarter of a second, on the product of the model's widest layer.
pub fn measured_rate(llama: &Llama) -> CpuRate {
    const ROWS: usize = 256;
    let shape = llama.config();
    let (d, inner) = (shape.hidden_size, shape.intermediate_size);
    let (x, w) = (vec![0.5_f32; ROWS * d], vec![0.25_f32; inner * d]);
    let mut y = vec![0.0_f32; ROWS * inner];
    let mut once = || product(&mut y, inner, Into::Replace, 1.0, Matrix::dense(&x, d), Matrix::dense(&w, d).t());
    once();
    let (start, mut calls) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_millis(250) || calls == 0 {
        once();
        calls += 1;
    }
    let product = 2.0 * (ROWS * d * inner * calls) as f64 / start.elapsed().as_secs_f64();
    CpuRate { product, training: PRODUCTS * product }
}
