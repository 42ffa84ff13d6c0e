//! Types of functions that cross the boundary of a component. A type may name another many times over, and what is
//! generated for it grows with all of them.

use super::{damaged, excessive};
use diapason_core::Result;
use std::collections::HashMap;
use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentDefinedType, ComponentDefinedTypeId, ComponentFuncTypeId, ComponentValType,
};
use wasmparser::types::TypesRef;
use wasmparser::{CanonicalFunction, ComponentCanonicalSectionReader, Validator};

/// Types that all lifted and lowered functions name, each as often as it is named. Diapason's whole interface names 300.
const NAMED: u64 = 200_000;

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
