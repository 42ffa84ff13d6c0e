//! The cache of encoded rows.
#![no_main]

#[path = "../reading.rs"]
mod reading;

use diapason_core::digest;
use diapason_train::token_cache;

thread_local! {
    static PLACE: tempfile::TempDir = tempfile::tempdir().expect("a temporary folder");
}

libfuzzer_sys::fuzz_target!(init: reading::forgive_caught_panics(), |bytes: &[u8]| {
    PLACE.with(|place| {
        // With a digest that fits, or nothing behind it would ever be read.
        let key = digest::of_bytes(b"key");
        let body = [key.as_bytes(), bytes].concat();
        let path = place.path().join("tokens.bin");
        std::fs::write(&path, [b"DIATOK01", digest::of_bytes(&body).as_bytes(), &body].concat()).expect("written");
        let _ = token_cache::read(&path, &key);
    });
});
