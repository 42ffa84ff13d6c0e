//! Where tensors live.

#[cfg(feature = "cuda")]
mod cuda;
#[cfg(not(feature = "cuda"))]
#[path = "device/cuda_disabled.rs"]
mod cuda;
#[cfg(all(feature = "cuda", target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod libraries;

pub use candle_core::Device;
use diapason_core::{Error, Result};

/// What a GPU is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gpu {
    /// As its maker calls it.
    pub name: String,
    /// Its memory in bytes.
    pub memory: u64,
    /// The newest CUDA that its driver knows, such as `13.0`.
    pub cuda: String,
}

/// The device that `name` means: `auto` (a GPU where this build and this machine have one, otherwise the CPU), `cpu` or
/// `cuda:N`.
///
/// # Errors
/// Another name, a GPU that this build or this machine does not have, or one that cannot be used.
pub fn parse(name: &str) -> Result<Device> {
    match Kind::of(name)? {
        Kind::Cpu => Ok(Device::Cpu),
        Kind::Auto if !cuda::present() => Ok(Device::Cpu),
        Kind::Auto => open(0),
        Kind::Cuda(ordinal) => open(ordinal),
    }
}

/// Whether [`parse`] gives a GPU for `name`, or an error because there is none; false for names that mean nothing.
pub fn is_gpu(name: &str) -> bool {
    match Kind::of(name) {
        Ok(Kind::Cuda(_)) => true,
        Ok(Kind::Auto) => cuda::present(),
        Ok(Kind::Cpu) | Err(_) => false,
    }
}

/// What `device` is, if it is a GPU.
///
/// # Errors
/// Its driver does not say.
pub fn gpu(device: &Device) -> Result<Option<Gpu>> {
    cuda::describe(device).map_err(|source| Error::run("failed to ask the driver about the GPU").because(source))
}

/// The most memory in bytes that tensors on `device` took since [`forget_peak`]; `None` of the CPU. What the driver and
/// cuBLAS take for themselves is not in it.
///
/// # Errors
/// The driver does not say.
pub fn peak(device: &Device) -> Result<Option<u64>> {
    cuda::peak(device).map_err(|source| Error::run("failed to ask the driver for the memory in use").because(source))
}

/// Lets [`peak`] start over from what is taken now, once all work on `device` is done.
///
/// # Errors
/// Work on the device failed, or the driver refuses.
pub fn forget_peak(device: &Device) -> Result<()> {
    cuda::forget_peak(device).map_err(|source| Error::run("failed to reset the peak of the memory").because(source))
}

/// Waits until all work on `device` is done.
///
/// # Errors
/// Some of it failed.
pub fn synchronize(device: &Device) -> Result<()> {
    device.synchronize().map_err(|source| Error::run("work on the GPU failed").because(source))
}

/// The cause of a failure and what to do about it.
type Refusal = (String, String);

/// What a device's name means.
enum Kind {
    Auto,
    Cpu,
    Cuda(usize),
}

impl Kind {
    fn of(name: &str) -> Result<Self> {
        match name {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => match name.strip_prefix("cuda:").and_then(|ordinal| ordinal.parse().ok()) {
                Some(ordinal) => Ok(Self::Cuda(ordinal)),
                None => Err(Error::config(format!("unknown device `{name}`")).hint("use `auto`, `cpu` or `cuda:0`")),
            },
        }
    }
}

fn open(ordinal: usize) -> Result<Device> {
    cuda::open(ordinal).map_err(|(cause, hint)| {
        Error::config(format!("failed to open device `cuda:{ordinal}`")).because(cause).hint(hint)
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
            assert!(!is_gpu(name));
        }
    }

    #[test]
    fn auto_is_a_device_that_works() {
        let device = parse("auto").unwrap();
        assert_eq!(device.is_cuda(), is_gpu("auto"));
        assert_eq!(
            (gpu(&device).unwrap().is_some(), peak(&device).unwrap().is_some()),
            (is_gpu("auto"), is_gpu("auto"))
        );
    }

    #[test]
    fn a_gpu_that_is_not_there_is_refused_with_cause_and_hint() {
        let error = parse("cuda:4095").unwrap_err();
        let (text, hint) = (error.to_string(), error.hint_text().unwrap_or_default());
        let cause = text.strip_prefix("failed to open device `cuda:4095`: ").unwrap_or_default();
        assert!(!cause.is_empty() && !hint.is_empty(), "{error:?}");
    }
}
