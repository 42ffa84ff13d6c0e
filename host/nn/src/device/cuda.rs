//! NVIDIA GPUs: found, opened, and asked about.

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
use super::libraries;
use super::{Gpu, Refusal};
use candle_core::cuda_backend::cudarc::driver::{result, sys};
use candle_core::{Device, Error, Result};
use std::ffi::c_void;

/// Elsewhere the operating system finds the libraries when the program starts.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod libraries {
    pub(super) fn driver() -> Result<(), super::Refusal> {
        Ok(())
    }

    pub(super) fn rest() -> Result<(), super::Refusal> {
        Ok(())
    }
}

/// Whether there is a GPU: a driver that knows of one.
pub(super) fn present() -> bool {
    matches!(count(), Ok(1..))
}

/// GPUs that the driver knows of.
fn count() -> std::result::Result<usize, Refusal> {
    libraries::driver()?;
    let refusal = |error: result::DriverError| {
        (format!("the NVIDIA driver says {:?}", error.0), "does `nvidia-smi` work? `cpu` always does".to_owned())
    };
    result::init().map_err(refusal)?;
    result::device::get_count().map_err(refusal).map(|count| count.max(0) as usize)
}

pub(super) fn open(ordinal: usize) -> std::result::Result<Device, Refusal> {
    let found = count()?;
    if ordinal >= found {
        let hint = "use `cpu` or `auto`, or a smaller number; CUDA_VISIBLE_DEVICES may hide GPUs";
        return Err((format!("the NVIDIA driver knows of {found} GPUs, counted from 0"), hint.to_owned()));
    }
    libraries::rest()?;
    let hint = || "is the driver as new as the CUDA of this build, and the GPU free? `nvidia-smi` tells".to_owned();
    new(ordinal).map_err(|error| (error.to_string(), hint()))
}

/// One stream for all threads: candle's default has one for each thread, and a tensor that one thread writes would be
/// read by another before it is there.
fn new(ordinal: usize) -> Result<Device> {
    let device = Device::new_cuda_with_stream(ordinal)?;
    let cuda = device.as_cuda_device()?;
    // SAFETY: events would order streams among each other, and there is one.
    unsafe { cuda.cuda_stream().context().disable_event_tracking() };
    // What is freed stays with the program: asking the driver for memory again and again takes longer than a kernel.
    set(&device, sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, u64::MAX)?;
    Ok(device)
}

pub(super) fn describe(device: &Device) -> Result<Option<Gpu>> {
    let Device::Cuda(cuda) = device else { return Ok(None) };
    let context = cuda.cuda_stream().context().clone();
    let mut version = 0;
    // SAFETY: the driver writes one number to where it is told.
    unsafe { sys::cuDriverGetVersion(&raw mut version) }.result().map_err(Error::wrap)?;
    Ok(Some(Gpu {
        name: context.name().map_err(Error::wrap)?,
        memory: context.total_mem().map_err(Error::wrap)? as u64,
        cuda: format!("{}.{}", version / 1000, version % 1000 / 10),
    }))
}

pub(super) fn peak(device: &Device) -> Result<Option<u64>> {
    if !device.is_cuda() {
        return Ok(None);
    }
    let (pool, mut value) = (pool(device)?, 0_u64);
    let attribute = sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_HIGH;
    // SAFETY: the attribute is a number of 64 bits, for which there is room.
    unsafe { sys::cuMemPoolGetAttribute(pool, attribute, (&raw mut value).cast::<c_void>()) }
        .result()
        .map_err(Error::wrap)?;
    Ok(Some(value))
}

pub(super) fn forget_peak(device: &Device) -> Result<()> {
    if !device.is_cuda() {
        return Ok(());
    }
    device.synchronize()?;
    // The driver takes 0 for "what is in use now".
    set(device, sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_HIGH, 0)
}

fn set(device: &Device, attribute: sys::CUmemPool_attribute, mut value: u64) -> Result<()> {
    let pool = pool(device)?;
    // SAFETY: the attributes that this file sets are numbers of 64 bits.
    unsafe { sys::cuMemPoolSetAttribute(pool, attribute, (&raw mut value).cast::<c_void>()) }
        .result()
        .map_err(Error::wrap)
}

/// Where candle's allocations come from.
fn pool(device: &Device) -> Result<sys::CUmemoryPool> {
    let context = device.as_cuda_device()?.cuda_stream().context().clone();
    let mut pool = std::ptr::null_mut();
    // SAFETY: the driver writes one handle to where it is told.
    unsafe { sys::cuDeviceGetDefaultMemPool(&raw mut pool, context.cu_device()) }.result().map_err(Error::wrap)?;
    Ok(pool)
}
