//! The wasmtime engine: which WebAssembly is accepted and how it is compiled. Everything that could make two machines
//! disagree is off.

mod cache;
mod ticker;

use cache::Cache;
use diapason_core::{Error, Result};
use std::path::PathBuf;
use std::sync::Arc;
use ticker::Ticker;
use wasmtime::component::Component;

pub(crate) use ticker::{Running, ticks};

/// Stack of a guest. Host threads have at least 2 MiB, so a guest's overflow is a trap before it is the host's.
const STACK: usize = 1 << 20;

/// Compiles components, caches what it compiled and stops calls that take too long. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    wasmtime: wasmtime::Engine,
    cache: Result<Option<Cache>, String>,
    ticker: Ticker,
}

impl Engine {
    /// An engine that keeps compiled components in the folder `cache`, if one is given. A folder that is not safe to load
    /// code from is not used, see [`Engine::cache_refusal`]; components are then compiled each time.
    pub fn new(cache: Option<PathBuf>) -> Result<Self> {
        let wasmtime = wasmtime::Engine::new(&configuration())
            .map_err(|source| Error::run("failed to start the WebAssembly engine").because(source))?;
        let cache = cache.map(|folder| Cache::open(folder, &wasmtime)).transpose();
        let ticker = Ticker::new(&wasmtime);
        Ok(Self { inner: Arc::new(Inner { wasmtime, cache, ticker }) })
    }

    /// Why the cache folder is not used, if it is not.
    pub fn cache_refusal(&self) -> Option<&str> {
        self.inner.cache.as_ref().err().map(String::as_str)
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.inner.wasmtime
    }

    /// Keeps the epoch ticking for as long as the result lives.
    pub(crate) fn running(&self) -> Running<'_> {
        self.inner.ticker.run()
    }

    /// The component, if it was compiled before and is kept.
    pub(crate) fn compiled(&self, bytes: &[u8]) -> Option<Component> {
        let Ok(Some(cache)) = &self.inner.cache else { return None };
        cache.load(self.wasmtime(), &cache.key(bytes))
    }

    /// Compiles a component, and keeps it.
    pub(crate) fn compile(&self, bytes: &[u8]) -> wasmtime::Result<Component> {
        let component = Component::from_binary(self.wasmtime(), bytes)?;
        if let Ok(Some(cache)) = &self.inner.cache {
            cache.store(&cache.key(bytes), &component);
        }
        Ok(component)
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("cache_refusal", &self.cache_refusal()).finish_non_exhaustive()
    }
}

/// Threads, garbage collection, exceptions and async are not even compiled into our wasmtime; what remains is set here.
fn configuration() -> wasmtime::Config {
    let mut config = wasmtime::Config::new();
    config
        .wasm_component_model(true)
        .consume_fuel(true)
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .relaxed_simd_deterministic(true)
        .wasm_memory64(false)
        .wasm_custom_page_sizes(false)
        .max_wasm_stack(STACK);
    config
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn refused(wat: &str) -> String {
        let engine = Engine::new(None).unwrap();
        let error = engine.compile(&wat::parse_str(wat).unwrap()).map(|_| ()).unwrap_err();
        format!("{error:#}")
    }

    #[test]
    fn what_machines_could_disagree_about_is_refused() {
        let shared = refused("(component (core module (memory 1 1 shared)))");
        assert!(shared.contains("threads"), "{shared}");
        let relaxed = refused(
            "(component (core module (func (param v128 v128) (result v128)
                (i8x16.relaxed_swizzle (local.get 0) (local.get 1)))))",
        );
        assert!(relaxed.contains("relaxed SIMD"), "{relaxed}");
        let wide = refused("(component (core module (memory i64 1)))");
        assert!(wide.contains("memory64") || wide.contains("64-bit"), "{wide}");
    }
}
