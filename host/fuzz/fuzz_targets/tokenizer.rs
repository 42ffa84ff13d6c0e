//! A `tokenizer.json`, read and used.
#![no_main]

#[path = "../reading.rs"]
mod reading;

use diapason_core::language_model::Tokenizer as _;
use diapason_disk::foreign::guarded;
use diapason_models::tokenizer::Tokenizer;

libfuzzer_sys::fuzz_target!(init: reading::forgive_caught_panics(), |bytes: &[u8]| {
    if let Ok(tokenizer) = guarded("tokenizer.json", || Tokenizer::from_json(bytes.to_vec()))
        && let Ok(ids) = tokenizer.encode("Hello, wörld 42!\n  x")
    {
        let _ = tokenizer.decode(&ids);
    }
});
