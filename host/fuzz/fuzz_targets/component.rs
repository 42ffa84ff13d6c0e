//! The bytes of a plugin: what comes of them is a plugin or an error of the plugin's.

#![no_main]

use diapason_core::Class;
use diapason_core::config::Limits;
use diapason_sandbox::{Engine, Plugin};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(None).expect("an engine"));

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { fuel: 1_000_000, memory: 8, output: 2, ..Limits::default() };
    if let Err(error) = Plugin::from_bytes(&ENGINE, "fuzzed", bytes, &limits) {
        assert_eq!(error.class(), Class::Plugin, "{error}");
        assert!(!error.to_string().contains("the WebAssembly tools fail"), "{error}");
    }
});
