//! JSON Schema, draft 2020-12 (<https://json-schema.org/draft/2020-12>), without what needs a second document or a dynamic scope.
//!
//! The libraries there are bring a network client's random numbers or megabytes of regular expressions with them, and neither belongs into
//! a component. The tests hold this one against the `jsonschema` crate.

mod check;
mod equal;
mod keyword;
#[cfg(test)]
mod oracle;

use check::Check;
use diapason_plugin::Result;
use keyword::Kind;
use regex_lite::Regex;
use serde_json::Value;
use std::collections::BTreeMap;

/// A schema that was found to be one.
pub struct Schema {
    root: Value,
    patterns: BTreeMap<String, Regex>,
}

/// What a document has against its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// JSON Pointer into the document; empty for the whole.
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

impl Schema {
    /// Reads a schema. An error says where it is none, or what it uses that is not supported.
    pub fn new(root: Value) -> Result<Self> {
        let mut schema = Self { patterns: BTreeMap::new(), root: Value::Null };
        schema.read(&root, &root, "")?;
        Ok(Self { root, ..schema })
    }

    /// What is wrong with a document, in the order of its parts; nothing if it is valid.
    pub fn problems(&self, document: &Value) -> Vec<Problem> {
        let mut check = Check::new(self);
        check.value(&self.root, document, "");
        check.problems
    }

    fn read(&mut self, root: &Value, schema: &Value, path: &str) -> Result<()> {
        if !Kind::Schema.fits(schema) {
            return Err(format!("at `{path}`: expected a schema, an object or a boolean"));
        }
        for (name, value) in schema.as_object().into_iter().flatten() {
            let path = format!("{path}/{name}");
            let kind = keyword::kind(name).map_err(|cause| format!("at `{path}`: {cause}"))?;
            if !kind.fits(value) {
                return Err(format!("at `{path}`: {value} does not fit the keyword"));
            }
            self.inside(root, kind, value, &path)?;
        }
        Ok(())
    }

    /// Reads what stands behind a keyword.
    fn inside(&mut self, root: &Value, kind: Kind, value: &Value, path: &str) -> Result<()> {
        match (kind, value) {
            (Kind::Schema, schema) => self.read(root, schema, path),
            (Kind::Schemas, Value::Array(list)) => list
                .iter()
                .enumerate()
                .try_for_each(|(index, schema)| self.read(root, schema, &format!("{path}/{index}"))),
            (Kind::SchemaMap, Value::Object(map)) => {
                map.iter().try_for_each(|(name, schema)| self.read(root, schema, &format!("{path}/{name}")))
            }
            (Kind::PatternMap, Value::Object(map)) => map.iter().try_for_each(|(pattern, schema)| {
                self.pattern(pattern, path)?;
                self.read(root, schema, &format!("{path}/{pattern}"))
            }),
            (Kind::Pattern, Value::String(pattern)) => self.pattern(pattern, path),
            (Kind::Reference, Value::String(reference)) => match resolve(root, reference) {
                Some(target) if Kind::Schema.fits(target) => Ok(()),
                _ => Err(format!("at `{path}`: `{reference}` is no place in this schema, written as `#/$defs/name`")),
            },
            _ => Ok(()),
        }
    }

    fn pattern(&mut self, pattern: &str, path: &str) -> Result<()> {
        let regex = Regex::new(pattern).map_err(|cause| format!("at `{path}`: not a regular expression: {cause}"))?;
        self.patterns.insert(pattern.to_owned(), regex);
        Ok(())
    }
}

/// What a reference names: `#` or `#` and a JSON Pointer.
fn resolve<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    root.pointer(reference.strip_prefix('#')?)
}
