//! A GGUF file: metadata, shapes, weights and tokenizer.
#![no_main]

use candle_core::Device;
use diapason_model::Model;

thread_local! {
    static PLACE: tempfile::TempDir = tempfile::tempdir().expect("a temporary folder");
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    PLACE.with(|place| {
        let path = place.path().join("m.gguf");
        std::fs::write(&path, bytes).expect("written");
        let _ = Model::open(&path, &Device::Cpu);
    });
});
