//! Memory of a guest, given back as what it says of itself.

#![no_main]

#[path = "../guest.rs"]
mod guest;

use diapason_core::Class;
use libfuzzer_sys::fuzz_target;
use std::fmt::Write as _;
use std::sync::LazyLock;

/// `about` answers with what is at 256, where the image comes to lie.
static TEXT: LazyLock<String> = LazyLock::new(|| guest::text("exact.wat"));

fuzz_target!(|bytes: &[u8]| {
    let mut data = String::new();
    for byte in bytes.iter().take(1500) {
        let _ = write!(data, "\\{byte:02x}");
    }
    let text = format!("{}\n(data (i32.const 256) \"{data}\")", *TEXT);
    match guest::load(&text, "evaluator-plugin") {
        Ok(plugin) => assert!(!plugin.id().is_empty() && plugin.version().contains('.')),
        Err(error) => assert_eq!(error.class(), Class::Plugin, "{error}"),
    }
});
