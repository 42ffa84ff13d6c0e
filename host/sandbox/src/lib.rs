//! Runs Diapason's plugins: WebAssembly components under wasmtime, with limits.
//!
//! This is the only crate that names wasmtime. A [`Plugin`] is loaded once with an [`Engine`] and then used through what
//! it exports: [`Evaluator`], [`Comparator`], [`Validator`] or [`ChatTemplate`]. A plugin reaches nothing but what it
//! imports and what [`Grants`] holds; every call is limited in instructions, memory and output, and nothing that a
//! plugin does (looping, recursing, trapping, returning nonsense) harms the host: it becomes an error that names the
//! plugin, its version, the call, the sample and the cause.
//!
//! Absent on purpose: WASI, a clock, randomness, files, network, threads, async.

mod bindings;
mod call;
mod component;
mod engine;
mod export;
mod grants;
mod guest;
mod import;
mod interface;
mod names;
mod session;
mod size;
mod state;
mod translate;

pub use component::Plugin;
pub use engine::Engine;
pub use export::comparator::Comparator;
pub use export::evaluator::Evaluator;
pub use export::template::ChatTemplate;
pub use export::validator::Validator;
pub use grants::Grants;
pub use interface::{Capability, Permission};
