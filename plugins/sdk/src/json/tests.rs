use super::*;
use serde_json::json;

fn object(text: &str) -> Result<Value, String> {
    find(text, Choice::default(), None).map(|document| document.value)
}

fn with(text: &str, choice: Choice, wanted: Option<Kind>) -> Option<Value> {
    find(text, choice, wanted).ok().map(|document| document.value)
}

#[test]
fn documents_that_a_reader_finds() {
    for (text, value) in [
        (" {\"a\": 1}\n", json!({"a": 1})),
        ("42", json!(42)),
        ("See [1]: {\"a\": 1}", json!({"a": 1})),
        ("{\"a\": 1}, as in [1].", json!({"a": 1})),
        ("Sure [1]:\n```json\n{\"a\": \"}\"}\n``` Done.", json!({"a": "}"})),
        ("``` json {\"a\": 1} ```", json!({"a": 1})),
        ("```json\n{\"a\": \"```\"}\n```\nNot {\"b\": 1}.", json!({"a": "```"})),
        ("```json\n{\"a\": 1}", json!({"a": 1})),
        ("```json\n42\n```", json!(42)),
        ("```python\nprint({\"b\": 2})\n```\nprints {\"a\": 1}", json!({"a": 1})),
        ("{not json} {\"a\": 1}", json!({"a": 1})),
        ("[see {\"a\": 1}]", json!({"a": 1})),
        ("in [0, 1) it is {\"a\": 1}", json!({"a": 1})),
        ("x[\"b\"] is {\"a\": 1}; see [2](http://x)", json!({"a": 1})),
        ("\\frac{1}{2} \\text{} {\"a\": 1}", json!({"a": 1})),
        ("It is [\"a\", \"b\"].", json!(["a", "b"])),
        ("The list:\n[1, 2]\n", json!([1, 2])),
        ("{'draft': 1} {\"a\": 1}", json!({"a": 1})),
    ] {
        assert_eq!(object(text), Ok(value), "{text}");
    }
}

#[test]
fn texts_without_a_document() {
    for (text, reason) in [
        ("As shown in [1], there is no result.", "no JSON document"),
        ("Placeholders are {} and [].", "no JSON document"),
        ("- [ ] one\n- [x] two", "no JSON document"),
        ("", "no JSON document"),
        ("{\"items\": [{\"a\": 1}, {\"a\": 2", "cut off"),
        ("```json\n{\"items\": [{\"a\": 1}, {\"a\": 2\n```", "cut off"),
        ("[{\"a\": 1}, {\"a\": 2}", "cut off"),
        ("{\"items\": [{\"a\": 1}, {\"a\": oops}]}", "broken"),
        ("{'a': {\"b\": 1}}", "broken"),
        ("[1, {\"a\": 1}", "cut off"),
        ("It is {a: {\"b\": 1}}.", "broken"),
        ("{\"a\": 1,}", "broken"),
        ("{\"a\": 1} {\"a\": 2", "cut off"),
        ("```json\nnone\n```", "fenced"),
    ] {
        let found = object(text);
        assert!(found.as_ref().is_err_and(|cause| cause.contains(reason)), "{text}: {found:?}");
    }
    assert!(object(&"{".repeat(1_000_000)).is_err());
    assert!(object(&"[".repeat(1_000_000)).is_err());
    assert!(object(&"[1,".repeat(300_000)).is_err());
}

#[test]
fn several_documents_are_chosen_from() {
    let text = "{\"a\": 1} and {\"bb\": 22} and {\"c\": 3}";
    assert_eq!(with(text, Choice::First, None), Some(json!({"a": 1})));
    assert_eq!(with(text, Choice::Last, None), Some(json!({"c": 3})));
    assert_eq!(with(text, Choice::Longest, None), Some(json!({"bb": 22})));
    assert!(find(text, Choice::Only, None).is_err_and(|cause| cause.contains("there are 3")));
    assert_eq!(with("{\"a\": 1}{\"a\": 2}", Choice::First, None), Some(json!({"a": 1})));
}

#[test]
fn the_wanted_kind_comes_first() {
    assert_eq!(with("[\"x\"] {\"a\": 1} [\"y\"]", Choice::Last, Some(Kind::Object)), Some(json!({"a": 1})));
    assert_eq!(with("It is [1, 2].", Choice::Last, Some(Kind::Array)), Some(json!([1, 2])));
    assert_eq!(with("It is [1, 2].", Choice::Last, Some(Kind::Object)), None);
    assert_eq!(with("It is [{\"a\": 1}].", Choice::Last, Some(Kind::Object)), Some(json!([{"a": 1}])));
    assert_eq!(with("Use {} here.", Choice::Last, Some(Kind::Object)), Some(json!({})));
}

#[test]
fn keys_that_stand_twice_are_named() {
    let found = parse("{\"a\": {\"b/c\": 1, \"b/c\": 2}, \"d\": [{\"e\": 1, \"e\": 1}]}").expect("JSON");
    assert_eq!(found.duplicates, ["/a/b~1c", "/d/0/e"]);
    assert_eq!(found.value, json!({"a": {"b/c": 2}, "d": [{"e": 1}]}));
    assert!(parse("{} x").is_err());
}
