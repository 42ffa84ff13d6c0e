//! From a file's bytes to a component's.

use diapason_core::{Error, Result};
use std::borrow::Cow;
use wit_component::ComponentEncoder;

/// The first eight bytes: the magic number, then version and layer.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// A component as it is; a core module that carries component-type metadata (as a guest compiler without a component
/// linker leaves it) becomes one.
pub(super) fn to_component(bytes: &[u8]) -> Result<Cow<'_, [u8]>> {
    match bytes.get(..8) {
        Some(COMPONENT) => Ok(Cow::Borrowed(bytes)),
        Some(MODULE) => encode(bytes).map(Cow::Owned),
        _ if bytes.is_empty() => Err(Error::plugin("the file is empty").hint("build or copy the component again")),
        _ if bytes.starts_with(b"\0asm") && bytes.len() < 8 => {
            Err(Error::plugin("the file ends within its first 8 bytes").hint("build or copy the component again"))
        }
        _ => Err(Error::plugin("not a WebAssembly component")
            .because("the file does not begin as one")
            .hint("name the .wasm file that building the plugin gave, not its source")),
    }
}

/// The bytes began as a component, yet are none that this engine takes.
pub(super) fn invalid(error: &wasmtime::Error) -> Error {
    let cause = error.root_cause().to_string();
    let hint = if cause.contains("unexpected end") {
        "the file is cut short: build or copy it again"
    } else {
        "build it again; WebAssembly threads, relaxed SIMD, garbage collection and 64-bit memories are not accepted"
    };
    Error::plugin("not a valid WebAssembly component").because(cause).hint(hint)
}

fn encode(module: &[u8]) -> Result<Vec<u8>> {
    match wit_component::metadata::decode(module) {
        Ok((Some(_), _)) => {}
        Ok((None, _)) => {
            return Err(Error::plugin("a core module, not a component")
                .because("it has no component-type metadata, so nobody can tell what it exports")
                .hint("build it with wit-bindgen, or turn it into a component with `wasm-tools component new`"));
        }
        Err(error) => return Err(failed(&error.root_cause().to_string(), &format!("{error:#}"))),
    }
    let encoded = ComponentEncoder::default().module(module).and_then(|encoder| encoder.validate(true).encode());
    encoded.map_err(|error| failed(&error.root_cause().to_string(), &format!("{error:#}")))
}

fn failed(root: &str, cause: &str) -> Error {
    let hint = match root.contains("unexpected end") {
        true => "the file is cut short: build or copy it again",
        false => "build it against the released interface (wit/released/0.1.0)",
    };
    Error::plugin("failed to make a component of a core module").because(cause).hint(hint)
}
