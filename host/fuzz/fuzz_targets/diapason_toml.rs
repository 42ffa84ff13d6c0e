//! A `diapason.toml`.
#![no_main]

use diapason_project::config;
use std::path::Path;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = config::parse(text, "diapason.toml", Path::new(""));
    }
});
