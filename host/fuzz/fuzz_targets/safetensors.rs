//! A `model.safetensors` of two small tensors.
#![no_main]

#[path = "../reading.rs"]
mod reading;

use candle_core::Device;
use diapason_models::formats::{Folder, Format};

thread_local! {
    static PLACE: tempfile::TempDir = tempfile::tempdir().expect("a temporary folder");
}

libfuzzer_sys::fuzz_target!(init: reading::forgive_caught_panics(), |bytes: &[u8]| {
    PLACE.with(|place| {
        std::fs::write(place.path().join("model.safetensors"), bytes).expect("written");
        if let Ok(folder) = Folder::open(place.path()) {
            let _ = folder.parameter("a", &[2, 2], &Device::Cpu);
            let _ = folder.weight("b", [8, 8], Format::F32, &Device::Cpu);
        }
    });
});
