//! Every operation against its reference, on every device that this machine has.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use candle_core::{DType, Device};
use diapason_nn::{compare, device};

fn assert_ok(device: &Device, dtype: DType) {
    let found = compare::all(device, dtype).unwrap();
    let far: Vec<_> = found.iter().filter(|comparison| !comparison.ok()).collect();
    assert!(far.is_empty() && !found.is_empty(), "{far:#?}");
}

#[test]
fn operations_on_the_cpu_are_close_to_their_references() {
    assert_ok(&Device::Cpu, DType::F32);
}

#[test]
fn operations_on_a_gpu_are_close_to_their_references() {
    let gpu = device::parse("auto").unwrap();
    if !gpu.is_cuda() {
        println!("no GPU: the operations were compared on the CPU only");
        return;
    }
    assert_ok(&gpu, DType::F32);
    assert_ok(&gpu, DType::BF16);
}
