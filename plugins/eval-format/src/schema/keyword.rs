//! The keywords of JSON Schema 2020-12 and what stands behind each.

use diapason_plugin::Result;
use serde_json::{Map, Value};

/// What a keyword's value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A schema.
    Schema,
    /// A list of schemas, not empty.
    Schemas,
    /// Schemas by name.
    SchemaMap,
    /// Schemas by regular expression.
    PatternMap,
    /// A regular expression.
    Pattern,
    /// A number.
    Number,
    /// A number above 0.
    Positive,
    /// A whole number from 0.
    Count,
    /// `true` or `false`.
    Flag,
    /// The name of a type, or a list of them.
    Type,
    /// A list of strings.
    Strings,
    /// Lists of strings by name.
    StringsMap,
    /// A list of anything.
    List,
    /// Anything.
    Any,
    /// A place in the schema.
    Reference,
}

/// Everything that is checked or may hold what is, and what only describes (`Any`).
const KEYWORDS: &[(&str, Kind)] = &[
    ("$comment", Kind::Any),
    ("$defs", Kind::SchemaMap),
    ("$id", Kind::Any),
    ("$ref", Kind::Reference),
    ("$schema", Kind::Any),
    ("additionalProperties", Kind::Schema),
    ("allOf", Kind::Schemas),
    ("anyOf", Kind::Schemas),
    ("const", Kind::Any),
    ("contains", Kind::Schema),
    ("contentEncoding", Kind::Any),
    ("contentMediaType", Kind::Any),
    ("default", Kind::Any),
    ("definitions", Kind::SchemaMap),
    ("dependentRequired", Kind::StringsMap),
    ("dependentSchemas", Kind::SchemaMap),
    ("deprecated", Kind::Any),
    ("description", Kind::Any),
    ("else", Kind::Schema),
    ("enum", Kind::List),
    ("examples", Kind::Any),
    ("exclusiveMaximum", Kind::Number),
    ("exclusiveMinimum", Kind::Number),
    ("format", Kind::Any),
    ("if", Kind::Schema),
    ("items", Kind::Schema),
    ("maxContains", Kind::Count),
    ("maxItems", Kind::Count),
    ("maxLength", Kind::Count),
    ("maxProperties", Kind::Count),
    ("maximum", Kind::Number),
    ("minContains", Kind::Count),
    ("minItems", Kind::Count),
    ("minLength", Kind::Count),
    ("minProperties", Kind::Count),
    ("minimum", Kind::Number),
    ("multipleOf", Kind::Positive),
    ("not", Kind::Schema),
    ("oneOf", Kind::Schemas),
    ("pattern", Kind::Pattern),
    ("patternProperties", Kind::PatternMap),
    ("prefixItems", Kind::Schemas),
    ("properties", Kind::SchemaMap),
    ("propertyNames", Kind::Schema),
    ("readOnly", Kind::Any),
    ("required", Kind::Strings),
    ("then", Kind::Schema),
    ("title", Kind::Any),
    ("type", Kind::Type),
    ("uniqueItems", Kind::Flag),
    ("writeOnly", Kind::Any),
];

const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// What must stand behind a keyword. A keyword that is not known is refused rather than ignored: a misspelt one would check nothing.
/// Those that begin with `x-` describe.
pub(super) fn kind(name: &str) -> Result<Kind> {
    let known = KEYWORDS.binary_search_by_key(&name, |(known, _)| known).map(|index| KEYWORDS[index].1);
    known.or_else(|_| {
        if name.starts_with("x-") { Ok(Kind::Any) } else { Err(format!("the keyword `{name}` is not supported")) }
    })
}

impl Kind {
    /// Whether a value is of this kind, as far as that can be seen without looking into schemas, patterns and references.
    pub(super) fn fits(self, value: &Value) -> bool {
        match self {
            Self::Schema => value.is_object() || value.is_boolean(),
            Self::Schemas => value.as_array().is_some_and(|list| !list.is_empty()),
            Self::SchemaMap | Self::PatternMap => value.is_object(),
            Self::Pattern | Self::Reference => value.is_string(),
            Self::Number => value.is_number(),
            Self::Positive => value.as_f64().is_some_and(|number| number > 0.0),
            Self::Count => value.as_f64().is_some_and(|number| number >= 0.0 && number.fract() == 0.0),
            Self::Flag => value.is_boolean(),
            Self::Type => is_type(value) || value.as_array().is_some_and(|list| list.iter().all(is_type)),
            Self::Strings => is_strings(value),
            Self::StringsMap => value.as_object().is_some_and(|map: &Map<_, _>| map.values().all(is_strings)),
            Self::List => value.is_array(),
            Self::Any => true,
        }
    }
}

fn is_type(value: &Value) -> bool {
    value.as_str().is_some_and(|name| TYPES.contains(&name))
}

fn is_strings(value: &Value) -> bool {
    value.as_array().is_some_and(|list| list.iter().all(Value::is_string))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keywords_are_sorted() {
        assert!(KEYWORDS.is_sorted_by_key(|(name, _)| name));
        assert_eq!(kind("writeOnly"), Ok(Kind::Any));
        assert!(kind("requried").is_err());
    }
}
