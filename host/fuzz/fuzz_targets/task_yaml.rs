//! A task of lm-evaluation-harness, with two rows.
#![no_main]

use diapason_project::tasks::Task;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some(task) = std::str::from_utf8(bytes).ok().and_then(|text| Task::parse(text).ok()) else { return };
    let row = serde_json::json!({"country": "Spain", "cities": ["Riga", "Madrid"], "label": 1});
    let rows = vec![row.as_object().cloned().unwrap_or_default(); 2];
    let splits = task.files().1.iter().map(|(name, _)| (name.clone(), rows.clone())).collect();
    let _ = task.rows(splits);
});
