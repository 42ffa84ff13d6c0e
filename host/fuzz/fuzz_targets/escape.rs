//! Text on its way out: nothing that acts is left, and JSON stays the document that it was.
#![no_main]

use diapason_core::escape;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    for safe in [escape::text(&text), escape::line(&text), escape::message(&text)] {
        assert!(!safe.contains(escape::is_hidden));
    }
    let document = serde_json::json!({text.clone(): [text]});
    let raw = document.to_string();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&escape::json(&raw)).expect("JSON"), document);
});
