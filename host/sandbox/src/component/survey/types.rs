//! Types of functions that cross the boundary of a component. A type may name another many times over, and what is
//! generated for it grows with all of them.

use super::{damaged, excessive};
use diapason_core::Result;
use std::collections::HashMap;
use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentDefinedType, ComponentDefinedTypeId, ComponentFuncTypeId, ComponentValType,
};
use wasmparser::types::TypesRef;
use wasmparser::{
    CanonicalFunction, ComponentCanonicalSectionReader, ComponentType, ComponentTypeDeclaration,
    ComponentTypeSectionReader, InstanceTypeDeclaration, Validator,
};

/// Bytes of a section of types, which is read by recursion: so many cannot nest deeper than the stack holds. The whole
/// of WASI's command world takes 20,000.
const BYTES: usize = 1 << 17;

/// Types that all lifted and lowered functions name, each as often as it is named. Diapason's whole interface names 300.
const NAMED: u64 = 200_000;

/// Types within types. The interfaces of a world are three deep.
const DEPTH: usize = 100;

/// Errors where a section has too many bytes to be read, or types that are nested too deeply.
pub(super) fn check_section(section: ComponentTypeSectionReader<'_>) -> Result<()> {
    check_bytes(section.range().len())?;
    for declared in section {
        let depth = depth(&declared.map_err(damaged)?);
        if depth > DEPTH {
            return Err(excessive("its types", format!("they are nested {depth} deep, at most {DEPTH} are taken")));
        }
    }
    Ok(())
}

/// Errors where a section of types has too many bytes to be read.
pub(super) fn check_bytes(length: usize) -> Result<()> {
    if length > BYTES {
        let cause = format!("a section of types has {} KiB, at most {} are read", length >> 10, BYTES >> 10);
        return Err(excessive("its types", cause));
    }
    Ok(())
}

fn depth(declared: &ComponentType<'_>) -> usize {
    let inner = match declared {
        ComponentType::Component(declarations) => declarations
            .iter()
            .filter_map(|declaration| match declaration {
                ComponentTypeDeclaration::Type(inner) => Some(depth(inner)),
                _ => None,
            })
            .max(),
        ComponentType::Instance(declarations) => declarations
            .iter()
            .filter_map(|declaration| match declaration {
                InstanceTypeDeclaration::Type(inner) => Some(depth(inner)),
                _ => None,
            })
            .max(),
        _ => None,
    };
    1 + inner.unwrap_or(0)
}

#[derive(Default)]
pub(super) struct Types {
    known: HashMap<ComponentDefinedTypeId, u64>,
    named: u64,
}

impl Types {
    /// Counts the types of a section's functions, which the validator has seen.
    pub(super) fn add(&mut self, section: ComponentCanonicalSectionReader<'_>, validator: &Validator) -> Result<()> {
        let Some(types) = validator.types(0) else { return Ok(()) };
        for function in section {
            let id = match function.map_err(damaged)? {
                CanonicalFunction::Lift { type_index, .. } => match types.component_any_type_at(type_index) {
                    ComponentAnyTypeId::Func(id) => id,
                    _ => continue,
                },
                CanonicalFunction::Lower { func_index, .. } => types.component_function_at(func_index),
                _ => continue,
            };
            self.named = self.named.saturating_add(self.function(types, id));
        }
        if self.named > NAMED {
            let cause = format!("its functions name {} types, at most {NAMED} are taken", self.named);
            return Err(excessive("its types", cause));
        }
        Ok(())
    }

    fn function(&mut self, types: TypesRef<'_>, id: ComponentFuncTypeId) -> u64 {
        let function = &types[id];
        let values = function.params.iter().map(|(_, value)| value).chain(&function.result);
        values.fold(1, |sum, value| sum.saturating_add(self.value(types, *value)))
    }

    /// Validated types nest at most a hundred deep.
    fn value(&mut self, types: TypesRef<'_>, value: ComponentValType) -> u64 {
        let ComponentValType::Type(id) = value else { return 1 };
        if let Some(known) = self.known.get(&id) {
            return *known;
        }
        let sum = parts(&types[id]).into_iter().fold(1u64, |sum, part| sum.saturating_add(self.value(types, part)));
        self.known.insert(id, sum);
        sum
    }
}

fn parts(defined: &ComponentDefinedType) -> Vec<ComponentValType> {
    match defined {
        ComponentDefinedType::Record(record) => record.fields.values().copied().collect(),
        ComponentDefinedType::Variant(variant) => variant.cases.values().filter_map(|case| case.ty).collect(),
        ComponentDefinedType::Tuple(tuple) => tuple.types.to_vec(),
        ComponentDefinedType::List { element, .. } | ComponentDefinedType::FixedLengthList { element, .. } => {
            vec![*element]
        }
        ComponentDefinedType::Map { key, value, .. } => vec![*key, *value],
        ComponentDefinedType::Option { ty, .. } => vec![*ty],
        ComponentDefinedType::Result { ok, err, .. } => ok.iter().chain(err).copied().collect(),
        ComponentDefinedType::Flags(names) | ComponentDefinedType::Enum(names) => {
            vec![ComponentValType::Primitive(wasmparser::PrimitiveValType::Bool); names.len()]
        }
        _ => Vec::new(),
    }
}
