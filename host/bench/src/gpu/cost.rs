//! What a token of training costs in arithmetic, and what a GPU could do.

use super::method::Method;
use diapason_models::families::Config;

/// How the arithmetic of a token is counted.
pub(super) const FORMULA: &str = "FLOP per token: full 6·N + 3·A, lora and qlora 4·N + 6·R + 3·A, for N parameters in the \
blocks' linear layers and the output head, R of the adapter, and A = 2·layers·sequence·heads·head_dim of causal attention \
forward. What is computed twice is counted once; dequantisation is not counted.";

/// FLOP for each token, forward and backward.
pub(super) fn flop_per_token(config: &Config, method: Method, adapter: u64, sequence: usize) -> f64 {
    let n = products(config);
    // A query sees half of the sequence on average: 2 products × 2 FLOP × sequence / 2.
    let attention = 2.0 * (config.layers * sequence * config.heads * config.head_dim) as f64;
    match method {
        Method::Full => 6.0 * n + 3.0 * attention,
        // Of the frozen weights' backward pass there is only the half that gives the gradient of the input.
        Method::Lora | Method::Qlora => 4.0 * n + 6.0 * adapter as f64 + 3.0 * attention,
    }
}

/// Parameters that a token is multiplied by.
fn products(config: &Config) -> f64 {
    let &Config { hidden_size: hidden, intermediate_size: inner, heads, kv_heads, head_dim, .. } = config;
    let attention = hidden * (2 * heads + 2 * kv_heads) * head_dim;
    (config.layers * (attention + 3 * hidden * inner) + config.vocab_size * hidden) as f64
}

/// The peak in FLOP/s for dense bf16 products with sums in f32, as the makers' data sheets give it for a device whose
/// name has this in it.
pub(super) fn peak_of(name: &str) -> Option<f64> {
    const TERA: [(&str, f64); 9] = [
        ("H100 PCIe", 756.0),
        ("H100 NVL", 835.0),
        ("H100", 989.0),
        ("H200", 989.0),
        ("A100", 312.0),
        ("L40S", 362.0),
        ("L4", 121.0),
        ("A10", 125.0),
        ("RTX 4090", 165.0),
    ];
    TERA.iter().find(|(known, _)| name.contains(known)).map(|(_, tera)| tera * 1e12)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::shape::Shape;
    use super::*;

    #[test]
    fn a_token_costs_what_the_formula_says() {
        let config = Shape::EightB.config().unwrap();
        // 32·(4096·(64 + 16)·128 + 3·4096·14,336) + 128,256·4096, and 2·32·4096·32·128.
        let (n, attention) = (7_504_658_432.0, 1_073_741_824.0);
        assert_eq!(flop_per_token(&config, Method::Full, 0, 4096), 6.0 * n + 3.0 * attention);
        assert_eq!(flop_per_token(&config, Method::Lora, 10, 4096), 4.0 * n + 60.0 + 3.0 * attention);
    }

    #[test]
    fn the_most_specific_name_counts() {
        assert_eq!(peak_of("NVIDIA H100 PCIe"), Some(756e12));
        assert_eq!(peak_of("NVIDIA H100 80GB HBM3"), Some(989e12));
        assert_eq!(peak_of("CPU"), None);
    }
}
