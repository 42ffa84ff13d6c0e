//! An adapter: its description up to the first NUL byte, its weights behind it.
#![no_main]

#[path = "../reading.rs"]
mod reading;

use candle_core::Device;
use diapason_models::Model;
use std::cell::RefCell;
use std::path::Path;

thread_local! {
    static BASE: RefCell<(tempfile::TempDir, Model)> = RefCell::new({
        let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/golden/llama-tied");
        (tempfile::tempdir().expect("a temporary folder"), Model::open(&base, &Device::Cpu).expect("the base"))
    });
}

libfuzzer_sys::fuzz_target!(init: reading::forgive_caught_panics(), |bytes: &[u8]| {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (config, weights) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
    BASE.with_borrow_mut(|(place, model)| {
        std::fs::write(place.path().join("adapter_config.json"), config).expect("written");
        std::fs::write(place.path().join("adapter_model.safetensors"), weights).expect("written");
        let _ = model.attach_adapter(place.path());
    });
});
