//! Plugins: components that were loaded, looked at and asked who they are.

mod about;
mod damage;
mod door;
mod encode;
mod probe;
mod survey;

use crate::call::{self, Failure};
use crate::engine::Engine;
use crate::grants::Grants;
use crate::guest;
use crate::import;
use crate::interface::{Capability, Permission};
use crate::state::{RunBudget, State};
use about::About;
use diapason_core::config::Limits;
use diapason_core::schema;
use diapason_core::{Error, Result, digest};
use diapason_disk::files;
use serde_json::{Map, Value};
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

/// Larger files are refused unread. A component with a whole Python inside has 18 to 36 MB.
const LARGEST: u64 = 128 << 20;

/// A loaded plugin. Cheap to clone; can be used from many threads.
#[derive(Clone)]
pub struct Plugin(Arc<Inner>);

struct Inner {
    engine: Engine,
    limits: Limits,
    sha256: String,
    capabilities: Vec<Capability>,
    permissions: Vec<Permission>,
    about: About,
    pre: InstancePre<State>,
    /// Lines that the plugin may still write to the log.
    lines: RunBudget,
}

impl Plugin {
    /// Loads a component, or a core module with component-type metadata, from a file. Errors with
    /// [`diapason_core::Class::Plugin`] where it is neither, does not fit the interface or cannot say who it is.
    pub fn load(engine: &Engine, path: &Path, limits: &Limits) -> Result<Self> {
        let name = path.display().to_string();
        Self::from_bytes(engine, &name, &read(path).map_err(|error| error.context(failed(&name)))?, limits)
    }

    /// Like [`Plugin::load`], from memory; `name` is for error messages.
    pub fn from_bytes(engine: &Engine, name: &str, bytes: &[u8], limits: &Limits) -> Result<Self> {
        Self::assemble(engine, bytes, limits).map_err(|error| error.context(failed(name)))
    }

    /// The plugin's id, in kebab-case.
    pub fn id(&self) -> &str {
        &self.0.about.id
    }

    /// The plugin's version.
    pub fn version(&self) -> &str {
        &self.0.about.version
    }

    /// What the plugin does, in one line.
    pub fn summary(&self) -> &str {
        &self.0.about.summary
    }

    /// JSON Schema of the plugin's settings.
    pub fn settings_schema(&self) -> &Value {
        &self.0.about.schema
    }

    /// SHA-256 of the file as it was given, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.0.sha256
    }

    /// What the plugin can do: its exports.
    pub fn capabilities(&self) -> &[Capability] {
        &self.0.capabilities
    }

    /// What the plugin asks for: its imports.
    pub fn permissions(&self) -> &[Permission] {
        &self.0.permissions
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn pre(&self) -> &InstancePre<State> {
        &self.0.pre
    }

    /// A fresh instance.
    pub(crate) fn instantiate(&self, grants: Grants) -> wasmtime::Result<(Store<State>, Instance)> {
        instantiate(
            &self.0.engine,
            &self.0.pre,
            State::new(self.id(), grants, &self.0.limits, &self.0.lines),
            &self.0.limits,
        )
    }

    pub(crate) fn require(&self, capability: Capability) -> Result<()> {
        if self.capabilities().contains(&capability) {
            return Ok(());
        }
        let has: Vec<_> = self.capabilities().iter().map(Capability::name).collect();
        Err(Error::plugin(format!("plugin {} {} cannot be used as {capability}", self.id(), self.version()))
            .because(format!("it exports {} only", has.join(", ")))
            .hint("use it where its kind belongs, or name another plugin here"))
    }

    pub(crate) fn check_settings(&self, settings: &Map<String, Value>) -> Result<()> {
        schema::check_settings(self.id(), self.settings_schema(), settings)
    }

    pub(crate) fn check_grants(&self, grants: &Grants) -> Result<()> {
        match self.permissions().iter().find(|&&permission| !grants.covers(permission)) {
            None => Ok(()),
            Some(permission) => Err(Error::plugin(format!("failed to start plugin {} {}", self.id(), self.version()))
                .because(format!("it imports {permission}, and this command has none to grant"))
                .hint("use it where a model is at hand, or use a plugin that does not import this")),
        }
    }

    fn assemble(engine: &Engine, bytes: &[u8], limits: &Limits) -> Result<Self> {
        check_size(bytes.len() as u64)?;
        let (pre, capabilities, permissions) = door::guarded(|| open(engine, bytes))?;
        let about = introduce(engine, &pre, &capabilities, limits)?;
        let (engine, limits, sha256) = (engine.clone(), limits.clone(), digest::of_bytes(bytes));
        let lines = RunBudget::default();
        Ok(Self(Arc::new(Inner { engine, limits, sha256, capabilities, permissions, about, pre, lines })))
    }
}

/// A component that is ready to be instantiated, with what it can do and what it asks for.
type Opened = (InstancePre<State>, Vec<Capability>, Vec<Permission>);

/// Nothing is compiled before the file is known to be sound, to be one of ours, and to be compiled in bounded time.
fn open(engine: &Engine, bytes: &[u8]) -> Result<Opened> {
    let bytes = encode::to_component(bytes)?;
    let component = match engine.compiled(&bytes) {
        Some(component) => component,
        None => {
            let survey = survey::survey(&bytes)?;
            probe::probe(&survey.imports, &survey.exports)?;
            engine.compile(&bytes).map_err(|error| encode::invalid(&error))?
        }
    };
    let names = component.component_type();
    let imports: Vec<String> = names.imports(engine.wasmtime()).map(|(name, _)| name.to_owned()).collect();
    let exports: Vec<String> = names.exports(engine.wasmtime()).map(|(name, _)| name.to_owned()).collect();
    let (capabilities, permissions) = probe::probe(&imports, &exports)?;
    let pre = import::linker(engine.wasmtime())
        .and_then(|linker| linker.instantiate_pre(&component))
        .map_err(|error| unfit(&error))?;
    Ok((pre, capabilities, permissions))
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("Plugin");
        debug.field("id", &self.id()).field("version", &self.version()).field("sha256", &self.sha256());
        debug.field("capabilities", &self.capabilities()).field("permissions", &self.permissions()).finish()
    }
}

fn failed(name: &str) -> String {
    format!("failed to load plugin {name}")
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let fail = |source| Error::plugin("cannot be read").because(source).hint("check the path to the component");
    let file = files::open(path).map_err(fail)?;
    check_size(file.metadata().map_err(fail)?.len())?;
    let mut bytes = Vec::new();
    // The file may have grown since.
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(fail)?;
    Ok(bytes)
}

fn check_size(length: u64) -> Result<()> {
    if length > LARGEST {
        return Err(Error::plugin(format!("the file has {} MiB, at most {} are read", length >> 20, LARGEST >> 20))
            .hint("check that this is a component; strip debug information"));
    }
    Ok(())
}

/// Asks a first instance, which is granted nothing, who it is, and checks that each export has the functions it should.
fn introduce(engine: &Engine, pre: &InstancePre<State>, capabilities: &[Capability], limits: &Limits) -> Result<About> {
    let _running = engine.running();
    let fail = |error: &wasmtime::Error| match call::trapped(error, limits, limits.fuel) {
        Failure::Trapped { cause, hint } => {
            Error::plugin("it failed while it was asked who it is").because(cause).hint(hint)
        }
        _ => Error::plugin("it failed while it was asked who it is"),
    };
    let state = State::new("", Grants::default(), limits, &RunBudget::default());
    let (mut store, instance) = instantiate(engine, pre, state, limits).map_err(|error| fail(&error))?;
    let about = guest::about(pre, &mut store, &instance).map_err(|error| unfit(&error))?;
    for &capability in capabilities {
        guest::fits(capability, pre, &mut store, &instance).map_err(|error| unfit(&error))?;
    }
    let description = about.call_about(&mut store).map_err(|error| fail(&error))?;
    About::check(description)
}

fn instantiate(
    engine: &Engine,
    pre: &InstancePre<State>,
    state: State,
    limits: &Limits,
) -> wasmtime::Result<(Store<State>, Instance)> {
    let mut store = call::store(engine.wasmtime(), state, limits)?;
    let instance = pre.instantiate(&mut store)?;
    Ok((store, instance))
}

fn unfit(error: &wasmtime::Error) -> Error {
    Error::plugin("it does not fit the plugin interface 0.1.0")
        .because(format!("{error:#}"))
        .hint("build it against the released interface (wit/released/0.1.0)")
}
