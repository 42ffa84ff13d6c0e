//! A `config.json`.
#![no_main]

#[path = "../reading.rs"]
mod reading;

use diapason_models::families::Config;

libfuzzer_sys::fuzz_target!(init: reading::forgive_caught_panics(), |bytes: &[u8]| {
    if let Ok(json) = serde_json::from_slice(bytes) {
        let _ = Config::from_json(&json).map(|config| config.to_json());
    }
});
