//! A settings schema on the first line, and settings on the others.

#![no_main]

use diapason_core::schema::check_settings;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (schema, settings) = text.split_once('\n').unwrap_or((text, "{}"));
    let Ok(schema) = serde_json::from_str::<Value>(schema) else { return };
    let Ok(Value::Object(settings)) = serde_json::from_str(settings) else { return };
    let _ = check_settings("fuzzed", &schema, &settings);
});
