//! Memory of a guest, given back as findings.

#![no_main]

#[path = "../guest.rs"]
mod guest;

use diapason_core::finding::Row;
use diapason_sandbox::{Grants, Plugin, Validator};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static PLUGIN: LazyLock<Plugin> =
    LazyLock::new(|| guest::load(&guest::text("images-validator.wat"), "validator-plugin").expect("a plugin"));

fuzz_target!(|bytes: &[u8]| {
    let row = Row { split: "train".into(), line: 1, text: guest::hexadecimal(bytes) };
    let mut pass = Validator::new(&PLUGIN, &serde_json::Map::new(), &Grants::default()).expect("a pass");
    for finding in pass.push(&[row]).unwrap_or_default() {
        assert!(finding.line <= 1 && finding.validator == "test-guest", "{finding:?}");
    }
});
