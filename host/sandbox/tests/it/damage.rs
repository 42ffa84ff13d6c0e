//! Files that were damaged on their way: cut at every length, bits flipped, bytes replaced. Whatever comes of it, it is a
//! plugin or an error, in bounded time.

use crate::guest::{self, ENGINE, limits, path};
use diapason_core::Class;
use diapason_core::finding::Row;
use diapason_core::sample::{Conversation, Message};
use diapason_core::score::{Judgement, Outcome};
use diapason_sandbox::{ChatTemplate, Evaluator, Grants, Plugin, Validator};
use serde_json::Map;
use std::time::{Duration, Instant};

/// A generator of numbers that is the same everywhere (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

/// True where a plugin came of it.
#[track_caller]
fn load(bytes: &[u8]) -> bool {
    let start = Instant::now();
    let loaded = Plugin::from_bytes(&ENGINE, "p.wasm", bytes, &limits());
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    if let Err(error) = &loaded {
        assert_eq!(error.class(), Class::Plugin, "{error}");
        assert!(error.hint_text().is_some(), "{error} has no hint");
        assert!(!error.to_string().contains("the WebAssembly tools fail"), "a panic was caught: {error}");
    }
    loaded.is_ok()
}

/// A module with metadata, a component, and one with a component in it.
fn specimens() -> Vec<Vec<u8>> {
    let shim = std::fs::read(path("../../../plugins/prebuilt/validate-shape.wasm")).unwrap();
    vec![guest::module("guests/exact.wat"), guest::whole("hostile/component-hollow.wat"), shim]
}

#[test]
fn cut_at_every_length() {
    let specimens = specimens();
    for bytes in &specimens {
        let step = (bytes.len() / 2000).max(1);
        for length in (0..bytes.len()).step_by(step) {
            assert!(!load(&bytes[..length]), "cut at {length} of {}", bytes.len());
        }
    }
    let half = &specimens[0][..specimens[0].len() / 2];
    let error = Plugin::from_bytes(&ENGINE, "p.wasm", half, &limits()).unwrap_err();
    assert_eq!(error.hint_text(), Some("the file is cut short: build or copy it again"), "{error}");
}

/// Damages up to three places of `bytes`, `tries` times.
fn damage(bytes: &[u8], tries: usize, numbers: &mut Numbers) {
    for _ in 0..tries {
        let mut damaged = bytes.to_vec();
        for _ in 0..=numbers.below(3) {
            let at = numbers.below(damaged.len());
            match numbers.below(3) {
                0 => damaged[at] = numbers.below(256) as u8,
                _ => damaged[at] ^= 1 << numbers.below(8),
            }
        }
        load(&damaged);
    }
}

#[test]
fn bits_flipped_and_bytes_replaced() {
    let mut numbers = Numbers(20_261_126);
    for bytes in specimens() {
        damage(&bytes, if bytes.len() < 10_000 { 2000 } else { 50 }, &mut numbers);
    }
}

/// The same for a long time: `DIAPASON_SEED=7 cargo test --release -- --ignored at_length`.
#[test]
#[ignore = "takes many minutes; what it finds becomes a test of its own"]
fn damaged_at_length() {
    let seed = std::env::var("DIAPASON_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut numbers = Numbers(seed);
    for bytes in &specimens()[..2] {
        damage(bytes, 100_000, &mut numbers);
    }
}

/// The metadata of a module describes types that name each other: every byte of it is flipped in turn.
#[test]
fn every_byte_of_the_metadata() {
    let bytes = guest::module("guests/exact.wat");
    let start = bytes.windows(14).position(|window| window == b"component-type").unwrap();
    for at in start..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        load(&damaged);
    }
}

/// One flipped bit makes of `0.1.0` another version, and so of one package two that use each other.
#[test]
fn metadata_whose_packages_need_each_other() {
    let bytes = guest::module("guests/exact.wat");
    let name = b"diapason:plugin/evaluator@0.1.0";
    let start = bytes.windows(14).position(|window| window == b"component-type").unwrap();
    let at = start + bytes[start..].windows(name.len()).position(|window| window == name).unwrap();
    let mut damaged = bytes;
    damaged[at + name.len() - 1] ^= 8;
    let error = Plugin::from_bytes(&ENGINE, "p.wasm", &damaged, &limits()).unwrap_err().to_string();
    assert!(error.ends_with("its metadata has packages that need each other"), "{error}");
}

/// An image of memory as `guests/images.wat` takes it: mostly small numbers and pointers into itself.
fn image(numbers: &mut Numbers) -> String {
    let mut bytes = vec![numbers.below(4) as u8, 0, 0, 0, 0, 0, 0, 0];
    for _ in 0..numbers.below(60) {
        let word: u64 = match numbers.below(8) {
            0 => 0,
            1 => numbers.below(4) as u64,
            2 | 3 => (131_072 + 4 * numbers.below(80) as u64) | ((numbers.below(40) as u64) << 32),
            4 => f64::to_bits([1.0, -0.5, f64::NAN, f64::INFINITY, 1e308, 1e16][numbers.below(6)]),
            5 => numbers.below(usize::MAX) as u64,
            6 => 0x6d_6d6d_6d61,
            _ => (numbers.below(100) as u64) << 32,
        };
        bytes.extend(word.to_le_bytes());
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Results of any bytes whatever are lifted, translated and checked: they become values that keep to the rules, or errors.
#[test]
fn results_of_any_bytes() {
    let plugin = guest::plugin("guests/images.wat");
    let mut numbers = Numbers(7);
    let (mut described, mut planned, mut scored) = (0, 0, 0);
    for _ in 0..6000 {
        let settings = serde_json::json!({"image": image(&mut numbers)});
        let mut evaluator = Evaluator::new(&plugin, settings.as_object().unwrap(), &Grants::default()).unwrap();
        if let Ok(infos) = evaluator.describe() {
            described += 1;
            assert!(infos.iter().all(|info| info.bounds.is_none_or(|(low, high)| low < high && high <= 1e15)));
        }
        let mut observed = guest::observation("a", "Paris");
        observed.sample.row = image(&mut numbers);
        planned += usize::from(evaluator.plan(std::slice::from_ref(&observed.sample)).is_ok());
        match evaluator.score(&[observed]) {
            Ok(judgements) => {
                scored += 1;
                let [Judgement { outcome, .. }] = judgements.as_slice() else { panic!("{judgements:?}") };
                if let Outcome::Scored(measures) = outcome {
                    assert!(measures.iter().all(|measure| measure.value.abs() <= 1e15), "{measures:?}");
                }
            }
            Err(error) => assert_eq!(error.class(), Class::Plugin, "{error}"),
        }
    }
    assert!(described > 100 && planned > 50 && scored > 10, "{described} {planned} {scored}");
}

/// The same for findings and for rendered text: each pass and each rendering is of a guest that was not asked before.
#[test]
fn findings_and_segments_of_any_bytes() {
    let of =
        |file: &str, world: &str| Plugin::from_bytes(&ENGINE, file, &guest::module_of(file, world), &limits()).unwrap();
    let validator = of("guests/images-validator.wat", "validator-plugin");
    let template = of("guests/images-template.wat", "chat-template-plugin");
    let mut numbers = Numbers(8);
    let (mut found, mut prompts, mut segments) = (0, 0, 0);
    for _ in 0..4000 {
        let row = Row { split: "train".into(), line: 1, text: image(&mut numbers) };
        let mut pass = Validator::new(&validator, &Map::new(), &Grants::default()).unwrap();
        match pass.push(&[row]) {
            Ok(findings) => {
                found += usize::from(!findings.is_empty());
                assert!(findings.iter().all(|finding| finding.line <= 1 && finding.validator == "test-guest"));
            }
            Err(error) => assert_eq!(error.class(), Class::Plugin, "{error}"),
        }
        let said = Message::new("user", image(&mut numbers));
        let conversation = [Conversation { messages: vec![said], ..Conversation::default() }];
        let mut renderer = ChatTemplate::new(&template, &Map::new(), &Grants::default()).unwrap();
        prompts += usize::from(renderer.render_prompt(&conversation).is_ok_and(|texts| texts.len() == 1));
        segments += usize::from(renderer.render_training(&conversation).is_ok_and(|lists| lists.len() == 1));
    }
    // A finding has five texts and the split of its row: few images make one.
    assert!(found > 0 && prompts > 100 && segments > 100, "{found} {prompts} {segments}");
}
