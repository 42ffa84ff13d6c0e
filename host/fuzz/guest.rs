//! Guests of the sandbox's tests, as plugins, and the bytes that they give back.

use diapason_core::Error;
use diapason_core::config::Limits;
use diapason_sandbox::{Engine, Plugin};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(None).expect("an engine"));

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The text of a guest, with what it includes.
pub fn text(name: &str) -> String {
    let lines = std::fs::read_to_string(root().join("sandbox/tests/guests").join(name)).expect("a guest");
    let line = |line: &str| line.trim().strip_prefix(";; include ").map_or_else(|| format!("{line}\n"), text);
    lines.lines().map(line).collect()
}

/// A module with metadata of `world`, loaded.
pub fn load(text: &str, world: &str) -> Result<Plugin, Error> {
    let mut module = wat::parse_str(format!("(module\n{text})")).expect("a module");
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(root().join("../wit")).expect("the interface");
    let world = resolve.select_world(&[package], Some(world)).expect("the world");
    let encoding = wit_component::StringEncoding::UTF8;
    wit_component::embed_component_metadata(&mut module, &resolve, world, encoding, false).expect("metadata");
    let limits = Limits { fuel: 10_000_000, memory: 8, output: 2, ..Limits::default() };
    Plugin::from_bytes(&ENGINE, "images", &module, &limits)
}

/// As the guests read them.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
