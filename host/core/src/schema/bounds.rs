//! What checking a document against a foreign JSON Schema may take. 2 KB of schemas that name each other twice are
//! checked 2^25 times, so the work is counted before it is done.

use serde_json::{Map, Value};
use std::collections::HashMap;
use std::ptr;

/// Values in a schema. Those of Diapason's own plugins have 150.
const VALUES: u64 = 20_000;

/// Levels of a schema.
const DEPTH: usize = 64;

/// Values of a schema in which every `$ref` is replaced by what it names.
const EXPANDED: u64 = 100_000;

/// Bytes of all patterns together.
const PATTERNS: usize = 2_000;

/// Steps of a check, whatever the document, and beside that for each of the document's values.
const STEPS: u64 = 20_000;
const STEPS_PER_VALUE: u64 = 100;

/// Subschemas that have been paired with parts of the document.
const PAIRS: usize = 1_000_000;

/// Keywords by which a schema leaves the document it stands in, or changes what a reference means.
const REFUSED: [&str; 6] = ["$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor"];

/// Keywords whose value is no schema.
const LITERAL: [&str; 5] = ["enum", "const", "default", "examples", "required"];

/// Says why a schema takes too much, or leaves its own document, if it does. The text is a fragment.
pub(super) fn check_schema(schema: &Value) -> Result<(), String> {
    let (mut values, mut patterns) = (0, 0);
    shape(schema, 0, true, &mut values, &mut patterns)?;
    let mut expansion = Expansion { root: schema, known: HashMap::new() };
    let expanded = expansion.of(schema, 0)?;
    if expanded > EXPANDED {
        return Err(format!("with its references replaced it has {expanded} values, at most {EXPANDED} are checked"));
    }
    Ok(())
}

/// Says why checking `document` takes too much, if it does. The schema has passed [`check_schema`].
pub(super) fn check_work(schema: &Value, document: &Value) -> Result<(), String> {
    let allowed = STEPS + STEPS_PER_VALUE * count(document);
    let steps = Steps { root: schema, known: HashMap::new() }.of(schema, document)?;
    if steps > allowed {
        return Err(format!("checking these settings takes {steps} steps, at most {allowed} are made"));
    }
    Ok(())
}

/// Sizes, and keywords that stand where a schema does.
fn shape(value: &Value, depth: usize, schema: bool, values: &mut u64, patterns: &mut usize) -> Result<(), String> {
    *values += 1;
    if *values > VALUES {
        return Err(format!("it has more than {VALUES} values"));
    }
    if depth > DEPTH {
        return Err(format!("it is nested more than {DEPTH} deep"));
    }
    match value {
        Value::Array(list) => list.iter().try_for_each(|item| shape(item, depth + 1, schema, values, patterns)),
        Value::Object(map) => map.iter().try_for_each(|(key, inner)| {
            if schema {
                keyword(key, inner, patterns)?;
            }
            // Below `properties` and its like the keys are names, and below them stand schemas again.
            let inside = if is_map(key) && schema { inner.as_object() } else { None };
            match inside {
                Some(named) => named.iter().try_for_each(|(name, one)| {
                    if key == "patternProperties" {
                        count_pattern(name, patterns)?;
                    }
                    shape(one, depth + 2, true, values, patterns)
                }),
                None => shape(inner, depth + 1, schema && !LITERAL.contains(&key.as_str()), values, patterns),
            }
        }),
        _ => Ok(()),
    }
}

fn is_map(key: &str) -> bool {
    ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"].contains(&key)
}

fn keyword(key: &str, value: &Value, patterns: &mut usize) -> Result<(), String> {
    match (key, value) {
        ("$ref", Value::String(name)) if !(name == "#" || name.starts_with("#/")) => {
            Err(format!("`$ref` names {:?}, which is no place in the schema itself", cut(name)))
        }
        ("pattern", Value::String(pattern)) => count_pattern(pattern, patterns),
        _ if REFUSED.contains(&key) => Err(format!("the keyword `{key}` is not taken")),
        _ => Ok(()),
    }
}

fn count_pattern(pattern: &str, patterns: &mut usize) -> Result<(), String> {
    *patterns += pattern.len();
    if *patterns > PATTERNS {
        return Err(format!("its patterns have more than {PATTERNS} bytes"));
    }
    Ok(())
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(100)]
}

fn count(value: &Value) -> u64 {
    match value {
        Value::Array(list) => list.iter().fold(1, |sum, item| sum + count(item)),
        Value::Object(map) => map.values().fold(1, |sum, item| sum + count(item)),
        _ => 1,
    }
}

/// The place in `root` that a reference names, if there is one.
fn target<'a>(root: &'a Value, schema: &Map<String, Value>) -> Option<&'a Value> {
    let name = schema.get("$ref")?.as_str()?.strip_prefix('#')?;
    root.pointer(&percent_decoded(name))
}

/// References are URIs: `%24defs` is `$defs`.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).and_then(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
        match (first, code) {
            (b'%', Some(code)) => {
                bytes.push(code);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Deepest chain of references that is followed: more than any schema needs, and less than the stack holds.
const CHAIN: usize = 500;

/// Sizes of subschemas with their references replaced.
struct Expansion<'a> {
    root: &'a Value,
    /// `None` while it is being counted: what names itself is not replaced a second time.
    known: HashMap<*const Value, Option<u64>>,
}

impl<'a> Expansion<'a> {
    fn of(&mut self, value: &'a Value, depth: usize) -> Result<u64, String> {
        if depth > CHAIN {
            return Err(format!("its references are followed more than {CHAIN} deep"));
        }
        if let Some(known) = self.known.get(&ptr::from_ref(value)) {
            return Ok(known.unwrap_or(1));
        }
        self.known.insert(ptr::from_ref(value), None);
        let mut sum: u64 = 1;
        match value {
            Value::Array(list) => {
                for item in list {
                    sum = sum.saturating_add(self.of(item, depth + 1)?);
                }
            }
            Value::Object(map) => {
                for inner in map.values().chain(target(self.root, map)) {
                    sum = sum.saturating_add(self.of(inner, depth + 1)?);
                }
            }
            _ => {}
        }
        self.known.insert(ptr::from_ref(value), Some(sum));
        Ok(sum)
    }
}

/// Steps of checking parts of a document against subschemas.
struct Steps<'a> {
    root: &'a Value,
    /// `None` while it is being counted.
    known: HashMap<(*const Value, *const Value), Option<u64>>,
}

impl<'a> Steps<'a> {
    fn of(&mut self, schema: &'a Value, value: &'a Value) -> Result<u64, String> {
        let Value::Object(map) = schema else { return Ok(1) };
        let pair = (ptr::from_ref(schema), ptr::from_ref(value));
        match self.known.get(&pair) {
            Some(Some(known)) => return Ok(*known),
            Some(None) => return Err("a subschema refers to itself without an end".into()),
            None if self.known.len() >= PAIRS => {
                return Err(format!("checking these settings takes over {PAIRS} steps"));
            }
            None => {}
        }
        self.known.insert(pair, None);
        let mut sum = self.in_place(map, value)?.saturating_add(self.below(map, value)?).saturating_add(1);
        if map.contains_key("unevaluatedProperties") || map.contains_key("unevaluatedItems") {
            // What was evaluated is found out anew for every entry.
            sum = sum.saturating_mul(1 + entries(value));
        }
        self.known.insert(pair, Some(sum));
        Ok(sum)
    }

    /// Subschemas that are about the same value.
    fn in_place(&mut self, map: &'a Map<String, Value>, value: &'a Value) -> Result<u64, String> {
        let mut sum: u64 = map.len() as u64;
        for (key, inner) in map {
            let schemas: Vec<&Value> = match (key.as_str(), inner) {
                ("allOf" | "anyOf" | "oneOf", Value::Array(list)) => list.iter().collect(),
                ("dependentSchemas" | "dependencies", Value::Object(named)) => named.values().collect(),
                ("not" | "if" | "then" | "else", _) => vec![inner],
                ("enum", Value::Array(options)) => {
                    sum = sum.saturating_add(options.len() as u64);
                    Vec::new()
                }
                _ => Vec::new(),
            };
            for schema in schemas.into_iter() {
                sum = sum.saturating_add(self.of(schema, value)?);
            }
        }
        match target(self.root, map) {
            Some(schema) => Ok(sum.saturating_add(self.of(schema, value)?)),
            None => Ok(sum),
        }
    }

    /// Subschemas that are about the value's entries. Each is counted for every entry that it may be about.
    fn below(&mut self, map: &'a Map<String, Value>, value: &'a Value) -> Result<u64, String> {
        let mut sum: u64 = 0;
        for (key, inner) in map {
            let pairs: Vec<(&Value, &Value)> = match (key.as_str(), inner, value) {
                ("properties", Value::Object(named), Value::Object(entries)) => {
                    named.iter().filter_map(|(name, schema)| Some((schema, entries.get(name)?))).collect()
                }
                ("patternProperties", Value::Object(named), Value::Object(entries)) => {
                    named.values().flat_map(|schema| entries.values().map(move |entry| (schema, entry))).collect()
                }
                ("additionalProperties" | "unevaluatedProperties" | "propertyNames", _, Value::Object(entries)) => {
                    entries.values().map(|entry| (inner, entry)).collect()
                }
                ("items" | "prefixItems", Value::Array(schemas), Value::Array(entries)) => {
                    schemas.iter().zip(entries).collect()
                }
                ("items" | "additionalItems" | "unevaluatedItems" | "contains", _, Value::Array(entries)) => {
                    entries.iter().map(|entry| (inner, entry)).collect()
                }
                _ => Vec::new(),
            };
            for (schema, entry) in pairs {
                sum = sum.saturating_add(self.of(schema, entry)?);
            }
        }
        Ok(sum)
    }
}

fn entries(value: &Value) -> u64 {
    match value {
        Value::Array(list) => list.len() as u64,
        Value::Object(map) => map.len() as u64,
        _ => 0,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn both(schema: &Value, document: &Value) -> Result<(), String> {
        check_schema(schema).and_then(|()| check_work(schema, document))
    }

    fn refused(schema: &Value, document: &Value) -> String {
        both(schema, document).unwrap_err()
    }

    /// `levels` definitions, each of which names the one before it twice.
    fn doubling(levels: usize, node: impl Fn(Value) -> Value) -> Value {
        let mut defs = Map::new();
        defs.insert("d0".into(), json!(false));
        for n in 1..=levels {
            defs.insert(format!("d{n}"), node(json!({"$ref": format!("#/$defs/d{}", n - 1)})));
        }
        json!({"$defs": defs, "$ref": format!("#/$defs/d{levels}")})
    }

    #[test]
    fn schemas_that_double() {
        let kinds: [fn(Value) -> Value; 8] = [
            |d| json!({"anyOf": [d, d]}),
            |d| json!({"oneOf": [d, d]}),
            |d| json!({"allOf": [d, d]}),
            |d| json!({"if": d, "then": d, "else": d}),
            |d| json!({"not": d, "anyOf": [d]}),
            |d| json!({"dependentSchemas": {"a": d, "b": d}}),
            |d| json!({"properties": {"a": d, "b": d}}),
            |d| json!({"additionalProperties": d, "unevaluatedProperties": d}),
        ];
        for kind in kinds {
            let error = refused(&doubling(25, kind), &json!({"a": 1}));
            assert!(error.contains("with its references replaced"), "{error}");
            both(&doubling(5, kind), &json!({"a": 1})).unwrap();
        }
    }

    /// References in circles end where the document does, yet may branch at every level of it.
    #[test]
    fn schemas_that_recur() {
        let one = json!({"properties": {"a": {"$ref": "#"}, "b": {"type": "integer"}}});
        let deep = (0..40).fold(json!(1), |inner, _| json!({"a": inner}));
        both(&one, &deep).unwrap();
        let two = json!({"anyOf": [{"properties": {"a": {"$ref": "#"}}}, {"properties": {"a": {"$ref": "#"}}}]});
        assert!(refused(&two, &deep).contains("steps"));
        let same = json!({"allOf": [{"$ref": "#"}]});
        assert_eq!(refused(&same, &json!({})), "a subschema refers to itself without an end");
        let chain = json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/%24defs/b"}, "b": {"$ref": "#/$defs/a"}}});
        assert_eq!(refused(&chain, &json!({})), "a subschema refers to itself without an end");
    }

    #[test]
    fn schemas_that_leave_their_document() {
        let cases = [
            (json!({"$ref": "https://example.org/schema"}), "no place in the schema itself"),
            (json!({"items": {"$ref": "other.json"}}), "no place in the schema itself"),
            (json!({"$ref": "#name"}), "no place in the schema itself"),
            (json!({"$defs": {"a": {"$id": "x"}}}), "`$id`"),
            (json!({"properties": {"a": {"$dynamicRef": "#x"}}}), "`$dynamicRef`"),
        ];
        for (schema, cause) in cases {
            assert!(refused(&schema, &json!({})).contains(cause), "{schema}");
        }
        both(&json!({"properties": {"$id": {"type": "string"}, "$ref": true}, "default": {"$id": 1}}), &json!({}))
            .unwrap();
    }

    #[test]
    fn schemas_that_are_too_large() {
        let deep = (0..70).fold(json!({}), |inner, _| json!({"not": inner}));
        assert!(refused(&deep, &json!({})).contains("deep"));
        let wide = json!({"enum": (0..20_001).collect::<Vec<_>>()});
        assert!(refused(&wide, &json!({})).contains("values"));
        let pattern = "a".repeat(10_001);
        assert!(refused(&json!({"pattern": pattern}), &json!({})).contains("patterns"));
        assert!(refused(&json!({"patternProperties": {pattern: {}}}), &json!({})).contains("patterns"));
    }

    #[test]
    fn long_lists_are_no_bombs() {
        let schema = json!({"properties": {"words": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}});
        both(&schema, &json!({"words": vec!["a"; 50_000]})).unwrap();
    }
}
