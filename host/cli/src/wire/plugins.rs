//! Plugins by name or path, each loaded once.

use crate::embedded;
use crate::ui::Ui;
use diapason_core::config::Limits;
use diapason_core::event::{Event, Sink as _};
use diapason_core::{Result, digest};
use diapason_disk::files;
use diapason_project::config::is_path;
use diapason_sandbox::{Engine, Plugin};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Loads plugins and keeps them.
pub(crate) struct Plugins {
    engine: Engine,
    limits: Limits,
    loaded: BTreeMap<String, Plugin>,
}

impl Plugins {
    /// With compiled components kept in `$DIAPASON_CACHE`, else in the user's cache folder.
    pub(crate) fn new(limits: &Limits, ui: &Ui) -> Result<Self> {
        let engine = Engine::new(cache())?;
        if let Some(reason) = engine.cache_refusal() {
            ui.emit(&Event::Warning { message: format!("compiled plugins are not cached: {reason}") });
        }
        Ok(Self { engine, limits: limits.clone(), loaded: BTreeMap::new() })
    }

    /// The built-in plugin of that name, or the component at that path.
    pub(crate) fn get(&mut self, name: &str) -> Result<Plugin> {
        if let Some(plugin) = self.loaded.get(name) {
            return Ok(plugin.clone());
        }
        let plugin = match is_path(name, "wasm") {
            true => Plugin::load(&self.engine, Path::new(name), &self.limits)?,
            false => Plugin::from_bytes(&self.engine, name, embedded::plugin(name)?, &self.limits)?,
        };
        self.loaded.insert(name.into(), plugin.clone());
        Ok(plugin)
    }
}

/// SHA-256 of a component's bytes, known without loading it; `None` where its file is not there.
pub(crate) fn component_digest(name: &str) -> Result<Option<String>> {
    if !is_path(name, "wasm") {
        return embedded::plugin(name).map(|bytes| Some(digest::of_bytes(bytes)));
    }
    let path = Path::new(name);
    if path.exists() { files::digest(path).map(Some) } else { Ok(None) }
}

/// SHA-256 of a built-in plugin or chat template; `None` where there is none of that name.
pub(crate) fn built_in_digest(name: &str) -> Option<String> {
    let plugin = embedded::plugin(name).ok();
    plugin.or_else(|| embedded::template(name).ok().map(str::as_bytes)).map(digest::of_bytes)
}

fn cache() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("DIAPASON_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("diapason")))
        .or_else(|| set("HOME").map(|folder| folder.join(".cache/diapason")))
}
