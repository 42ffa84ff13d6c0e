//! From a file's bytes to a component's.

use super::damage::{SHORT, damaged, is_short};
use super::survey;
use diapason_core::{Error, Result};
use std::borrow::Cow;
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;
use wit_parser::Resolve;

/// The first eight bytes: the magic number, then version and layer.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// Bytes of a core module's metadata. Diapason's whole interface takes 3,000, all of WASI 40,000.
const METADATA: usize = 1 << 19;

/// A component as it is; a core module that carries component-type metadata (as a guest compiler without a component
/// linker leaves it) becomes one.
pub(super) fn to_component(bytes: &[u8]) -> Result<Cow<'_, [u8]>> {
    match bytes.get(..8) {
        Some(COMPONENT) => Ok(Cow::Borrowed(bytes)),
        Some(MODULE) => encode(bytes).map(Cow::Owned),
        _ if bytes.is_empty() => Err(Error::plugin("the file is empty").hint(AGAIN)),
        _ if bytes.starts_with(b"\0asm") && bytes.len() < 8 => {
            Err(Error::plugin("the file ends within its first 8 bytes").hint(AGAIN))
        }
        _ => Err(Error::plugin("not a WebAssembly component")
            .because("the file does not begin as one")
            .hint("name the .wasm file that building the plugin gave, not its source")),
    }
}

const AGAIN: &str = "build or copy the component again";

/// The bytes are valid WebAssembly, yet not what this engine takes.
pub(super) fn invalid(error: &wasmtime::Error) -> Error {
    Error::plugin("not a WebAssembly component that can be run").because(error.root_cause().to_string()).hint(
        "build it again; WebAssembly threads, relaxed SIMD, garbage collection and 64-bit memories are not accepted",
    )
}

/// The encoder trusts its input to be whole and sound, so that is made sure of first.
fn encode(module: &[u8]) -> Result<Vec<u8>> {
    survey::survey(module)?;
    if check_metadata(module)? == 0 {
        return Err(Error::plugin("a core module, not a component")
            .because("it has no component-type metadata, so nobody can tell what it exports")
            .hint("build it with wit-bindgen, or turn it into a component with `wasm-tools component new`"));
    }
    let encoded = ComponentEncoder::default().module(module).and_then(|encoder| encoder.validate(true).encode());
    encoded.map_err(|error| failed(format!("{error:#}")))
}

/// The number of metadata sections. Each is a component of types; errors where one is damaged, or where their packages
/// need each other: the encoder would follow them in circles.
fn check_metadata(module: &[u8]) -> Result<usize> {
    let (mut count, mut size, mut merged) = (0, 0, Resolve::default());
    for payload in Parser::new(0).parse_all(module) {
        let Payload::CustomSection(section) = payload.map_err(|error| damaged(error.message()))? else { continue };
        if !section.name().starts_with("component-type") {
            continue;
        }
        count += 1;
        size += section.data().len();
        if size > METADATA {
            return Err(failed(format!("its metadata has more than {} KiB", METADATA >> 10)));
        }
        merge(&mut merged, section.data())?;
    }
    Ok(count)
}

fn merge(into: &mut Resolve, metadata: &[u8]) -> Result<()> {
    if !metadata.starts_with(COMPONENT) {
        return Err(failed("its metadata is not a component of types".into()));
    }
    survey::survey(metadata).map_err(|error| error.context("its metadata is damaged"))?;
    let (resolve, _) = wit_parser::decoding::decode_world(metadata).map_err(|error| failed(format!("{error:#}")))?;
    check_order(&resolve)?;
    into.merge(resolve).map_err(|error| failed(format!("{error:#}")))?;
    check_order(into)
}

/// Errors where packages, or interfaces, need each other in circles.
fn check_order(resolve: &Resolve) -> Result<()> {
    let packages: Vec<_> = resolve.packages.iter().map(|(id, _)| id).collect();
    let interfaces: Vec<_> = resolve.interfaces.iter().map(|(id, _)| id).collect();
    let ordered = is_ordered(&packages, |id| resolve.package_direct_deps(id).collect())
        && is_ordered(&interfaces, |id| resolve.interface_direct_deps(id).filter(|other| *other != id).collect());
    if ordered { Ok(()) } else { Err(failed("its metadata has packages that need each other".into())) }
}

/// Whether nodes can be taken one after the other, each after those that it needs.
fn is_ordered<I: Copy + Eq + std::hash::Hash>(nodes: &[I], needs: impl Fn(I) -> Vec<I>) -> bool {
    let mut waiting: Vec<(I, Vec<I>)> = nodes.iter().map(|&node| (node, needs(node))).collect();
    let mut taken = std::collections::HashSet::new();
    loop {
        let before = waiting.len();
        waiting.retain(|(node, needs)| {
            let ready = needs.iter().all(|need| taken.contains(need));
            if ready {
                taken.insert(*node);
            }
            !ready
        });
        if waiting.is_empty() || waiting.len() == before {
            return waiting.is_empty();
        }
    }
}

fn failed(cause: String) -> Error {
    let hint = if is_short(&cause) { SHORT } else { "build it against the released interface (wit/released/0.1.0)" };
    Error::plugin("failed to make a component of a core module").because(cause).hint(hint)
}
