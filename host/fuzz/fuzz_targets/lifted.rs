//! Memory of a guest, given back as measures, requests and judgements: lifted, translated and checked. The first byte says
//! how many bytes belong to `describe`.

#![no_main]

#[path = "../guest.rs"]
mod guest;

use diapason_core::language_model::{Completion, Finish};
use diapason_core::sample::Sample;
use diapason_core::score::{Observation, Outcome};
use diapason_sandbox::{Evaluator, Grants, Plugin};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static PLUGIN: LazyLock<Plugin> =
    LazyLock::new(|| guest::load(&guest::text("images.wat"), "evaluator-plugin").expect("a plugin"));

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let (described, given) = rest.split_at(rest.len().min(*first as usize));
    let settings = serde_json::json!({"image": guest::hexadecimal(described)});
    let settings = settings.as_object().expect("an object");
    let mut evaluator = Evaluator::new(&PLUGIN, settings, &Grants::default()).expect("an evaluator");
    let sample = Sample { id: "a".into(), row: guest::hexadecimal(given), ..Sample::default() };
    let _ = evaluator.plan(std::slice::from_ref(&sample));
    let completion = Completion { text: "b".into(), tokens: 1, finish: Finish::Stop };
    let observation = Observation { sample, completions: vec![completion], likelihoods: Vec::new() };
    for judgement in evaluator.score(&[observation]).unwrap_or_default() {
        if let Outcome::Scored(measures) = judgement.outcome {
            assert!(measures.iter().all(|measure| measure.value.abs() <= 1e15), "{measures:?}");
        }
    }
});
