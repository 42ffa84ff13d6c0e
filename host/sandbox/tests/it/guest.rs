//! Test guests: WebAssembly text with `;; include` lines, made a core module with component-type metadata.

use diapason_core::config::Limits;
use diapason_core::language_model::{Completion, Finish};
use diapason_core::sample::Sample;
use diapason_core::score::{Judgement, Observation, Outcome};
use diapason_sandbox::{Engine, Evaluator, Grants, Plugin};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use wit_component::StringEncoding;
use wit_parser::{PackageId, Resolve};

/// One engine for all tests, without a cache.
pub(crate) static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(None).unwrap());

/// Small, so that hostile guests fail at once.
pub(crate) fn limits() -> Limits {
    Limits { fuel: 1_000_000, memory: 8, output: 2, total_output: 16, seconds: 60 }
}

pub(crate) fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file)
}

/// A core module with metadata of an evaluator, from `guests/` or `hostile/`.
pub(crate) fn module(file: &str) -> Vec<u8> {
    module_of(file, "evaluator-plugin")
}

/// A core module with metadata of `world`.
pub(crate) fn module_of(file: &str, world: &str) -> Vec<u8> {
    module_with(file, "", world)
}

/// Like [`module_of`], with more fields in the module.
pub(crate) fn module_with(file: &str, extra: &str, world: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(path("../../../wit")).unwrap();
    embedded(file, extra, resolve, package, world)
}

/// Like [`module_of`], built against an interface in which each first text is the second one.
pub(crate) fn module_against(changes: &[(&str, &str)], file: &str, world: &str) -> Vec<u8> {
    let mut text =
        ["plugin", "worlds"].map(|name| std::fs::read_to_string(path(&format!("../../../wit/{name}.wit"))).unwrap());
    text[1] = text[1].replace("package diapason:plugin@0.1.0;", "");
    let mut text = text.concat();
    for (from, to) in changes {
        assert!(text.contains(from), "the interface has no `{from}`");
        text = text.replace(from, to);
    }
    let mut resolve = Resolve::default();
    let package = resolve.push_str("changed.wit", &text).unwrap();
    embedded(file, "", resolve, package, world)
}

fn embedded(file: &str, extra: &str, resolve: Resolve, package: PackageId, world: &str) -> Vec<u8> {
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    let mut bytes = wat::parse_str(format!("(module\n{}\n{extra})", text(file))).unwrap();
    wit_component::embed_component_metadata(&mut bytes, &resolve, world, StringEncoding::UTF8, false).unwrap();
    bytes
}

/// A file that is a module or component of its own.
pub(crate) fn whole(file: &str) -> Vec<u8> {
    wat::parse_str(std::fs::read_to_string(path(file)).unwrap()).unwrap()
}

pub(crate) fn plugin(file: &str) -> Plugin {
    Plugin::from_bytes(&ENGINE, file, &module(file), &limits()).unwrap()
}

pub(crate) fn evaluator(plugin: &Plugin) -> Evaluator {
    Evaluator::new(plugin, &serde_json::Map::new(), &Grants::default()).unwrap()
}

/// An observation of a sample with this id, whose completion is `answer` and whose reference is `Paris`.
pub(crate) fn observation(id: &str, answer: &str) -> Observation {
    let sample = Sample { id: id.into(), reference: Some("Paris".into()), ..Sample::default() };
    let completion = Completion { text: answer.into(), tokens: 1, finish: Finish::Stop };
    Observation { sample, completions: vec![completion], likelihoods: Vec::new() }
}

/// `count` observations that no guest minds, with ids `a0`, `a1`, …
pub(crate) fn observations(count: usize) -> Vec<Observation> {
    (0..count).map(|index| observation(&format!("a{index}"), "Paris")).collect()
}

/// The one measure of each judgement.
pub(crate) fn values(judgements: &[Judgement]) -> Vec<f64> {
    let value = |judgement: &Judgement| match &judgement.outcome {
        Outcome::Scored(measures) => measures[0].value,
        Outcome::Unscored(reason) => panic!("unscored: {reason}"),
    };
    judgements.iter().map(value).collect()
}

fn text(file: &str) -> String {
    let lines = std::fs::read_to_string(path(file)).unwrap();
    let line = |line: &str| match line.trim().strip_prefix(";; include ") {
        Some(included) => text(&format!("guests/{included}")),
        None => format!("{line}\n"),
    };
    lines.lines().map(line).collect()
}
