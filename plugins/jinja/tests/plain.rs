//! Plain templates, each rendered as lm-evaluation-harness renders it (`tests/oracles/jinja_plain.py`), or refused.

#![allow(clippy::unwrap_used)]

use jinja::{Clock, Interpreter, Trace, Value, parse_plain};
use std::rc::Rc;

/// What Jinja renders and is refused by name.
const REFUSED: [&str; 1] = ["{{rows|map(attribute='a')|list}}"];

fn render(template: &str, variables: &[(Rc<str>, Value)]) -> Result<String, jinja::fault::Fault> {
    let clock = Clock::parse("2026-03-05").unwrap();
    let template = parse_plain(template)?;
    Interpreter::render(&template, clock, variables, Trace::None, 1_000_000).map(|rendered| rendered.text)
}

#[test]
fn plain_templates_are_rendered_as_the_harness_renders_them() {
    let golden: serde_json::Value = serde_json::from_str(include_str!("plain.json")).unwrap();
    let given = golden["variables"].as_object().unwrap();
    let variables: Vec<(Rc<str>, Value)> =
        given.iter().map(|(name, value)| (name.as_str().into(), Value::from(value))).collect();
    let mut wrong = Vec::new();
    for snippet in golden["snippets"].as_array().unwrap() {
        let (template, expected) = (snippet[0].as_str().unwrap(), snippet[1].as_str());
        let found = render(template, &variables);
        if found.as_deref().ok() != expected && !(found.is_err() && REFUSED.contains(&template)) {
            wrong.push(format!("{template:?}\n  {expected:?}\n  {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn html_is_refused_by_name() {
    let fault = render("{{question|tojson}}", &[("question".into(), Value::text("a"))]).unwrap_err();
    assert!(fault.to_string().contains("tojson"), "{fault}");
}
