//! Thousands of small templates, each rendered as Jinja renders it (`tests/oracles/jinja_snippets.py`), or refused where
//! Jinja raises.

#![allow(clippy::unwrap_used)]

use jinja::{Clock, Interpreter, Trace, Value, fault::Kind, parse};
use std::rc::Rc;

fn render(template: &str, variables: &[(Rc<str>, Value)]) -> Result<String, jinja::fault::Fault> {
    let clock = Clock::parse("2026-03-05").unwrap();
    let template = parse(template)?;
    Interpreter::render(&template, clock, variables, Trace::None, 1_000_000).map(|rendered| rendered.text)
}

#[test]
fn snippets_are_rendered_as_jinja_renders_them() {
    let golden: serde_json::Value = serde_json::from_str(include_str!("snippets.json")).unwrap();
    let given = golden["variables"].as_object().unwrap();
    let mut variables: Vec<(Rc<str>, Value)> =
        given.iter().map(|(name, value)| (name.as_str().into(), Value::from(value))).collect();
    for name in ["tools", "documents"] {
        variables.push((name.into(), Value::None));
    }
    variables.push(("add_generation_prompt".into(), Value::Bool(false)));
    let (mut wrong, mut refused) = (Vec::new(), Vec::new());
    let snippets = golden["snippets"].as_array().unwrap();
    for snippet in snippets {
        let (template, expected) = (snippet[0].as_str().unwrap(), snippet[1].as_str());
        match (render(template, &variables), expected) {
            (Ok(text), Some(expected)) if text == expected => {}
            (Err(fault), Some(_)) if fault.kind == Kind::Unsupported => refused.push(format!("{template}: {fault}")),
            (Err(fault), Some(expected)) => wrong.push(format!("{template}\n  {expected:?}\n  ! {fault}")),
            (Ok(text), expected) => wrong.push(format!("{template}\n  {expected:?}\n  {:?}", Some(text))),
            (Err(_), None) => {}
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), snippets.len(), wrong.join("\n"));
    assert!(refused.len() <= 60, "{} refused by name:\n{}", refused.len(), refused.join("\n"));
}
