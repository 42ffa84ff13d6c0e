//! What a file holds, before anything is made of it: whether it is whole and valid, what it imports and exports, and how
//! much work compiling it will be. The work is bounded here, because a compiler cannot be stopped.

mod body;
mod types;

use super::damage;
use body::Bodies;
use diapason_core::{Error, Result};
use types::Types;
use wasmparser::{ComponentInstance, ElementItems, Parser, Payload, ValidPayload, Validator, WasmFeatures};

/// Functions of a file. A JavaScript engine has 20,000.
const FUNCTIONS: u64 = 100_000;

/// Entries of all other sections. A Python guest has 15,000.
const ITEMS: u64 = 500_000;

/// Components within components.
const NESTING: usize = 32;

/// Instances that stand in the file. Each is checked against all that it takes and gives.
const STANDING: u64 = 1_000;

/// Instances that the file makes, with those that nested components make each time. A component of a scripting language
/// makes some forty.
const INSTANCES: u64 = 100_000;

/// What a valid file imports and exports by name; nothing for a core module.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
}

/// Errors where the file is damaged, or too much work to compile.
pub(super) fn survey(bytes: &[u8]) -> Result<Survey> {
    let mut pass = Pass::default();
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(damaged)?;
        pass.before(&payload)?;
        match validator.payload(&payload).map_err(damaged)? {
            ValidPayload::Func(function, body) => pass.bodies.add(function, &body)?,
            ValidPayload::End(_) => pass.leave()?,
            ValidPayload::Parser(_) | ValidPayload::Ok => pass.after(&payload, &validator)?,
        }
    }
    Ok(pass.survey)
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn damaged(error: wasmparser::Error) -> Error {
    damage::damaged(error.message())
}

/// The refusal of a file that no compiler makes.
fn excessive(what: impl Into<String>, cause: impl Into<String>) -> Error {
    Error::plugin(format!("it is too much to compile: {}", what.into()))
        .because(cause.into())
        .hint("no compiler makes such a file from a program: take the plugin from another source, or make it smaller")
}

#[derive(Default)]
struct Pass {
    survey: Survey,
    bodies: Bodies,
    types: Types,
    functions: u64,
    items: u64,
    instances: u64,
    /// Component instances made by each component that is open, outermost first.
    open: Vec<u64>,
    /// How often a component may be made at most: the product over all components in the file.
    copies: u64,
}

impl Pass {
    /// What can be refused before the section is read.
    fn before(&mut self, payload: &Payload<'_>) -> Result<()> {
        match payload {
            Payload::Version { .. } => self.enter(),
            Payload::FunctionSection(section) => self.functions(section.count()),
            Payload::ComponentTypeSection(section) => {
                types::check_section(section.clone()).and_then(|()| self.items(section.count()))
            }
            Payload::CoreTypeSection(section) => {
                types::check_bytes(section.range().len()).and_then(|()| self.items(section.count()))
            }
            Payload::TypeSection(section) => self.items(section.count()),
            Payload::ImportSection(section) => self.items(section.count()),
            Payload::TableSection(section) => self.items(section.count()),
            Payload::MemorySection(section) => self.items(section.count()),
            Payload::GlobalSection(section) => self.items(section.count()),
            Payload::ExportSection(section) => self.items(section.count()),
            Payload::DataSection(section) => self.items(section.count()),
            Payload::ElementSection(section) => self.items(section.count()),
            Payload::InstanceSection(section) => self.instances(section.count()),
            Payload::ComponentInstanceSection(section) => self.instances(section.count()),
            Payload::ComponentAliasSection(section) => self.items(section.count()),
            Payload::ComponentCanonicalSection(section) => self.items(section.count()),
            Payload::ComponentImportSection(section) => self.items(section.count()),
            Payload::ComponentExportSection(section) => self.items(section.count()),
            _ => Ok(()),
        }
    }

    /// What takes reading a valid section once more.
    fn after(&mut self, payload: &Payload<'_>, validator: &Validator) -> Result<()> {
        match payload {
            Payload::TypeSection(section) => self.bodies.signatures(section.clone()),
            Payload::ElementSection(section) => {
                for element in section.clone() {
                    let count = match element.map_err(damaged)?.items {
                        ElementItems::Functions(items) => items.count(),
                        ElementItems::Expressions(_, items) => items.count(),
                    };
                    self.items(count)?;
                }
                Ok(())
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section.clone() {
                    if let ComponentInstance::Instantiate { .. } = instance.map_err(damaged)? {
                        *self.open.last_mut().unwrap_or(&mut 0) += 1;
                    }
                }
                Ok(())
            }
            Payload::ComponentCanonicalSection(section) => self.types.add(section.clone(), validator),
            Payload::ComponentImportSection(section) if self.open.len() == 1 => {
                for import in section.clone() {
                    self.survey.imports.push(import.map_err(damaged)?.name.name.to_owned());
                }
                Ok(())
            }
            Payload::ComponentExportSection(section) if self.open.len() == 1 => {
                for export in section.clone() {
                    self.survey.exports.push(export.map_err(damaged)?.name.name.to_owned());
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn enter(&mut self) -> Result<()> {
        self.open.push(0);
        if self.open.len() > NESTING {
            let cause = format!("components are nested more than {NESTING} deep");
            return Err(excessive("its nesting", cause));
        }
        Ok(())
    }

    fn leave(&mut self) -> Result<()> {
        let made = self.open.pop().unwrap_or(0);
        self.copies = self.copies.max(1).saturating_mul(made + 1);
        let instances = self.copies.saturating_mul(self.instances + 1);
        if instances > INSTANCES {
            let cause = format!("its components make up to {instances} of each other, at most {INSTANCES} are made");
            return Err(excessive("its instances", cause));
        }
        Ok(())
    }

    fn functions(&mut self, count: u32) -> Result<()> {
        self.functions += u64::from(count);
        if self.functions > FUNCTIONS {
            let cause = format!("it has {} functions or more, at most {FUNCTIONS} are compiled", self.functions);
            return Err(excessive("its functions", cause));
        }
        Ok(())
    }

    fn instances(&mut self, count: u32) -> Result<()> {
        self.instances += u64::from(count);
        if self.instances > STANDING {
            let cause = format!("it has {} instances or more, at most {STANDING} are made", self.instances);
            return Err(excessive("its instances", cause));
        }
        Ok(())
    }

    fn items(&mut self, count: u32) -> Result<()> {
        self.items += u64::from(count);
        if self.items > ITEMS {
            let cause = format!("its sections have {} entries or more, at most {ITEMS} are read", self.items);
            return Err(excessive("its sections", cause));
        }
        Ok(())
    }
}
