//! Where tensors live.

use candle_core::Device;
use diapason_core::{Error, Result};

/// The device that `name` means: `auto` (a GPU where this build can use one), `cpu` or `cuda:N`.
///
/// # Errors
/// Another name, or a GPU that this build or this machine does not have.
pub fn parse(name: &str) -> Result<Device> {
    match name {
        "auto" if candle_core::utils::cuda_is_available() => cuda(0),
        "auto" | "cpu" => Ok(Device::Cpu),
        "cuda" => cuda(0),
        _ => match name.strip_prefix("cuda:").and_then(|ordinal| ordinal.parse().ok()) {
            Some(ordinal) => cuda(ordinal),
            None => Err(Error::config(format!("unknown device `{name}`")).hint("use `auto`, `cpu` or `cuda:0`")),
        },
    }
}

fn cuda(ordinal: usize) -> Result<Device> {
    Device::new_cuda(ordinal).map_err(|source| {
        Error::config(format!("failed to open device `cuda:{ordinal}`"))
            .because(source)
            .hint("use `cpu`, or a build of Diapason with CUDA on a machine with an NVIDIA driver")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_are_refused() {
        assert!(parse("cpu").unwrap().is_cpu());
        for name in ["gpu", "cuda:", "cuda:x", ""] {
            assert_eq!(parse(name).unwrap_err().hint_text(), Some("use `auto`, `cpu` or `cuda:0`"), "{name}");
        }
    }
}
