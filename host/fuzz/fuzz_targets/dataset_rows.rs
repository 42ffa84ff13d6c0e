//! A JSONL dataset in any of its shapes.
#![no_main]

use diapason_project::dataset::{self, Selection};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = dataset::parse(text, "rows.jsonl", &Selection::default());
    }
});
