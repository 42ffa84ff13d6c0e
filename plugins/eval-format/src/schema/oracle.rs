//! Holds the checker against the `jsonschema` crate: every document of a list against every schema of a list.

#![allow(clippy::unwrap_used)]

use super::Schema;
use serde_json::{Value, json};

fn schemas() -> Vec<Value> {
    serde_json::from_str(
        r##"[
        true, false, {},
        {"type": "integer"}, {"type": "number"}, {"type": ["string", "null"]}, {"type": "object"}, {"type": "boolean"},
        {"enum": [1, "a", null, [1], {"a": 1}]}, {"const": 1}, {"const": 9007199254740992}, {"const": {"b": [true], "a": 1}},
        {"multipleOf": 2}, {"multipleOf": 0.1}, {"minimum": 1}, {"maximum": 1}, {"exclusiveMinimum": 1}, {"exclusiveMaximum": 1},
        {"minLength": 2}, {"maxLength": 1}, {"pattern": "^a"}, {"pattern": "b"},
        {"minItems": 2}, {"maxItems": 1}, {"uniqueItems": true}, {"uniqueItems": false},
        {"contains": {"type": "integer"}}, {"contains": {"const": 1}, "minContains": 2}, {"contains": {"const": 1}, "minContains": 0},
        {"contains": {"const": 1}, "maxContains": 1}, {"minContains": 5},
        {"prefixItems": [{"type": "integer"}, {"type": "string"}]}, {"prefixItems": [{"type": "integer"}], "items": false},
        {"items": {"type": "integer"}},
        {"required": ["a"]}, {"minProperties": 2}, {"maxProperties": 1}, {"propertyNames": {"maxLength": 1}},
        {"properties": {"a": {"type": "integer"}}}, {"properties": {"a": {"const": 1}}, "additionalProperties": false},
        {"patternProperties": {"^a": {"type": "integer"}}, "additionalProperties": {"type": "array"}},
        {"dependentRequired": {"a": ["b"]}}, {"dependentSchemas": {"a": {"required": ["b"]}}},
        {"allOf": [{"minimum": 1}, {"maximum": 2}]}, {"anyOf": [{"type": "string"}, {"minimum": 2}]},
        {"oneOf": [{"type": "integer"}, {"minimum": 2}]}, {"not": {"type": "string"}},
        {"if": {"type": "integer"}, "then": {"minimum": 2}, "else": {"type": "string"}}, {"if": {"type": "integer"}, "else": false},
        {"then": false}, {"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}},
        {"properties": {"a": {"$ref": "#"}, "b": {"type": "array"}}, "additionalProperties": false},
        {"$defs": {"a/b": {"type": "string"}}, "$ref": "#/$defs/a~1b", "minLength": 2},
        {"format": "email"}, {"title": "t", "description": "d", "default": 1, "examples": [1], "x-order": 3}
    ]"##,
    )
    .unwrap()
}

fn documents() -> Vec<Value> {
    serde_json::from_str(
        r##"[
        null, true, false, 0, 1, 1.0, 2, 3, -4, 0.3, 0.35, 1.5, 1e300, 18446744073709551615, 9007199254740992, 9007199254740993,
        "", "a", "ab", "b", "é", "👍👍", [], [1], [1, 1], [1, 1.0], [1, "a"], ["a", 1], [1, "a", null], [2, 3], [[1], [1.0]],
        [{"a": 1, "b": 2}, {"b": 2, "a": 1}], {}, {"a": 1}, {"a": "x"}, {"b": 1}, {"a": 1, "b": 2}, {"a": 1, "b": [true]},
        {"ab": 1}, {"ab": "x", "c": []}, {"a": {"a": {"b": []}}}, {"a": {"a": {"b": 1}}}, {"a~b": 1, "c/d": 2}
    ]"##,
    )
    .unwrap()
}

#[test]
fn the_same_verdict_as_the_jsonschema_crate() {
    let mut verdicts = [0, 0];
    for schema in schemas() {
        let (ours, theirs) = (Schema::new(schema.clone()).unwrap(), jsonschema::draft202012::new(&schema).unwrap());
        for document in documents() {
            let (ours, theirs) = (ours.problems(&document), theirs.is_valid(&document));
            assert_eq!(ours.is_empty(), theirs, "{schema}\n{document}\n{ours:?}");
            verdicts[usize::from(theirs)] += 1;
        }
    }
    assert!(verdicts.iter().all(|count| *count > 500), "one-sided: {verdicts:?}");
}

#[test]
fn the_same_places_as_the_jsonschema_crate() {
    let schema = json!({"type": "object", "required": ["n"], "properties": {"a": {"items": {"properties": {"b/c": {"minimum": 2}}}}}});
    let document = json!({"a": [{"b/c": 2}, {"b/c": 1}]});
    let theirs = jsonschema::draft202012::new(&schema).unwrap();
    let mut theirs: Vec<String> =
        theirs.iter_errors(&document).map(|error| error.instance_path().to_string()).collect();
    let mut ours: Vec<String> =
        Schema::new(schema).unwrap().problems(&document).into_iter().map(|problem| problem.path).collect();
    ours.sort();
    theirs.sort();
    assert_eq!(ours, theirs);
    assert_eq!(ours, ["", "/a/1/b~1c"]);
}

#[test]
fn what_is_no_schema_is_refused() {
    for schema in [
        json!(3),
        json!({"type": "strnig"}),
        json!({"requried": []}),
        json!({"unevaluatedProperties": false}),
        json!({"pattern": "("}),
        json!({"$ref": "https://example.com"}),
        json!({"$ref": "#/$defs/none"}),
        json!({"properties": {"a": 1}}),
        json!({"multipleOf": 0}),
        json!({"minLength": -1}),
        json!({"allOf": []}),
    ] {
        assert!(Schema::new(schema.clone()).is_err(), "{schema}");
    }
}

#[test]
fn circles_end() {
    let schema =
        Schema::new(json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}))
            .unwrap();
    assert!(schema.problems(&json!(1))[0].message.contains("without end"));
}
