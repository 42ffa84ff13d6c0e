//! Memory of a guest, given back as measures, requests and judgements: lifted, translated and checked. The first byte says
//! how many bytes belong to `describe`.

#![no_main]

use diapason_core::config::Limits;
use diapason_core::language_model::{Completion, Finish};
use diapason_core::sample::Sample;
use diapason_core::score::{Observation, Outcome};
use diapason_sandbox::{Engine, Evaluator, Grants, Plugin};
use libfuzzer_sys::fuzz_target;
use std::path::Path;
use std::sync::LazyLock;

static PLUGIN: LazyLock<Plugin> = LazyLock::new(|| {
    let limits = Limits { fuel: 10_000_000, memory: 8, output: 2, ..Limits::default() };
    Plugin::from_bytes(&Engine::new(None).expect("an engine"), "images", &guest(), &limits).expect("a plugin")
});

/// `guests/images.wat` of the sandbox's tests, with its metadata.
fn guest() -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |name: &str| std::fs::read_to_string(root.join("sandbox/tests/guests").join(name)).expect("a guest");
    let text = read("images.wat").replace(";; include prelude.wat", &read("prelude.wat"));
    let mut module = wat::parse_str(format!("(module\n{text})")).expect("a module");
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(root.join("../wit")).expect("the interface");
    let world = resolve.select_world(&[package], Some("evaluator-plugin")).expect("the world");
    let encoding = wit_component::StringEncoding::UTF8;
    wit_component::embed_component_metadata(&mut module, &resolve, world, encoding, false).expect("metadata");
    module
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&first, rest)) = bytes.split_first() else { return };
    let (described, given) = rest.split_at(rest.len().min(first as usize));
    let settings = serde_json::json!({"image": hexadecimal(described)});
    let settings = settings.as_object().expect("an object");
    let mut evaluator = Evaluator::new(&PLUGIN, settings, &Grants::default()).expect("an evaluator");
    let sample = Sample { id: "a".into(), row: hexadecimal(given), ..Sample::default() };
    let _ = evaluator.plan(std::slice::from_ref(&sample));
    let completion = Completion { text: "b".into(), tokens: 1, finish: Finish::Stop };
    let observation = Observation { sample, completions: vec![completion], likelihoods: Vec::new() };
    for judgement in evaluator.score(&[observation]).unwrap_or_default() {
        if let Outcome::Scored(measures) = judgement.outcome {
            assert!(measures.iter().all(|measure| measure.value.abs() <= 1e15), "{measures:?}");
        }
    }
});
