//! A `generation_config.json` up to the first NUL byte; behind it the prompt's tokens, and behind another the new ones.
#![no_main]

#[path = "../reading.rs"]
mod reading;

use candle_core::Device;
use diapason_models::Model;
use diapason_models::decoding::{self, Moment, Rules};
use std::path::Path;
use tempfile::TempDir;

const VOCABULARY: usize = 264;

thread_local! {
    static FOLDER: TempDir = {
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/golden/llama-tied");
        let place = TempDir::new().expect("a temporary folder");
        for file in ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"] {
            std::fs::copy(model.join(file), place.path().join(file)).expect("a copy");
        }
        place
    };
}

libfuzzer_sys::fuzz_target!(init: reading::forgive_caught_panics(), |bytes: &[u8]| {
    let mut parts = bytes.splitn(3, |byte| *byte == 0);
    let mut part = || parts.next().unwrap_or_default();
    let (file, prompt, new) = (part(), part(), part());
    FOLDER.with(|folder| {
        std::fs::write(folder.path().join("generation_config.json"), file).expect("written");
        let refusal = decoding::refusal(folder.path());
        let _ = decoding::sampling_left_out(folder.path());
        let Ok(model) = Model::open(folder.path(), &Device::Cpu) else { return };
        match model.rules() {
            Ok(rules) => {
                assert!(refusal.is_none(), "refused, and yet it answers");
                apply(&rules, model.stop_ids(), prompt, new);
            }
            Err(error) => assert_eq!(refusal.map(|refusal| refusal.to_string()), Some(error.to_string())),
        }
    });
});

/// Every token of the answer is chosen from logits that are numbers, of which one is not forbidden.
fn apply(rules: &Rules, ends: &[u32], prompt: &[u8], new: &[u8]) {
    let ids: Vec<u32> = prompt.iter().chain(new).map(|byte| u32::from(*byte)).collect();
    for length in prompt.len()..=ids.len() {
        let at = Moment { ids: &ids[..length], prompt: prompt.len(), max_tokens: new.len() + 1, ends, draws: true };
        let mut logits: Vec<f32> = (0..VOCABULARY).map(|id| (id as f32 * 0.37).sin() * 9.0).collect();
        if rules.apply(&mut logits, &at).is_ok() {
            assert!(logits.iter().all(|logit| *logit < f32::INFINITY), "a logit is no number that can be drawn by");
            assert!(logits.iter().any(|logit| logit.is_finite()), "no token is left");
        }
    }
}
