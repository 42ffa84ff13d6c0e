//! A GGUF file: metadata, shapes, weights and tokenizer.
#![no_main]

#[path = "../reading.rs"]
mod reading;

use candle_core::Device;
use diapason_models::Model;

thread_local! {
    static PLACE: tempfile::TempDir = tempfile::tempdir().expect("a temporary folder");
}

libfuzzer_sys::fuzz_target!(init: reading::forgive_caught_panics(), |bytes: &[u8]| {
    PLACE.with(|place| {
        let path = place.path().join("m.gguf");
        std::fs::write(&path, bytes).expect("written");
        let _ = Model::open(&path, &Device::Cpu);
    });
});
