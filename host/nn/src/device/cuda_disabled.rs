//! Stands where `cuda.rs` stands in a build with the feature `cuda`.

use super::{Gpu, Refusal};
use candle_core::{Device, Result};

pub(super) fn present() -> bool {
    false
}

pub(super) fn open(_: usize) -> std::result::Result<Device, Refusal> {
    let hint = "use `cpu`, or a build of Diapason with the feature `cuda` on a machine with an NVIDIA GPU";
    Err(("this build of Diapason has no CUDA".to_owned(), hint.to_owned()))
}

pub(super) fn describe(_: &Device) -> Result<Option<Gpu>> {
    Ok(None)
}

pub(super) fn peak(_: &Device) -> Result<Option<u64>> {
    Ok(None)
}

pub(super) fn forget_peak(_: &Device) -> Result<()> {
    Ok(())
}
