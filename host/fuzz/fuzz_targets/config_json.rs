//! A `config.json`.
#![no_main]

use diapason_model::arch::Config;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(json) = serde_json::from_slice(bytes) {
        let _ = Config::from_json(&json).map(|config| config.to_json());
    }
});
