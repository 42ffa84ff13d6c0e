//! A plugin's settings against the JSON Schema that it declares.

use super::bounds;
use super::problems::{Problem, problems};
use crate::{Error, Result};
use serde_json::{Map, Value};

/// At most so many problems are named: an error has to fit on a screen.
const LISTED: usize = 10;

/// Bytes of one problem or hint. A plugin chooses what its schema quotes.
const BYTES: usize = 400;

/// Checks the schema that the plugin named `plugin` gives for its settings.
///
/// Errors with [`crate::Class::Plugin`] where it is no valid JSON Schema, leaves its own document, or takes too much work.
pub fn check_schema(plugin: &str, schema: &Value) -> Result<()> {
    bounds::check_schema(schema).map_err(|cause| excessive(plugin, cause))?;
    problems(schema, &Value::Null).map(drop).map_err(|cause| invalid(plugin, cause))
}

/// Checks `settings` against `schema` (JSON Schema 2020-12), as given by the plugin named `plugin`.
///
/// Errors with [`crate::Class::Config`] naming every failing key, and with [`crate::Class::Plugin`] where the schema
/// itself is not valid, or takes too much work.
pub fn check_settings(plugin: &str, schema: &Value, settings: &Map<String, Value>) -> Result<()> {
    let settings = Value::Object(settings.clone());
    bounds::check_schema(schema)
        .and_then(|()| bounds::check_work(schema, &settings))
        .map_err(|cause| excessive(plugin, cause))?;
    let found = problems(schema, &settings).map_err(|cause| invalid(plugin, cause))?;
    if found.is_empty() {
        return Ok(());
    }
    let mut lines: Vec<String> = found.iter().take(LISTED).map(|problem| cut(line(problem))).collect();
    if found.len() > LISTED {
        lines.push(format!("and {} more", found.len() - LISTED));
    }
    let hint = found.iter().find_map(|problem| problem.hint.clone());
    let hint = hint.map_or_else(|| format!("`diapason plugin inspect {plugin}` shows the settings it takes"), cut);
    Err(Error::config(format!("invalid settings of plugin {plugin}: {}", lines.join("; "))).hint(hint))
}

/// Returns what is wrong with `settings`, with pointers into them; nothing where `schema` itself is not valid or takes too
/// much work, which [`check_settings`] says.
pub fn settings_problems(schema: &Value, settings: &Map<String, Value>) -> Vec<Problem> {
    let settings = Value::Object(settings.clone());
    let bounded = bounds::check_schema(schema).and_then(|()| bounds::check_work(schema, &settings));
    if bounded.is_err() {
        return Vec::new();
    }
    problems(schema, &settings).unwrap_or_default()
}

fn invalid(plugin: &str, cause: String) -> Error {
    Error::plugin(format!("plugin {plugin} declares a settings schema that is no JSON Schema"))
        .because(cut(cause))
        .hint("this is a fault of the plugin: its `about` must give a valid JSON Schema")
}

fn excessive(plugin: &str, cause: String) -> Error {
    Error::plugin(format!("plugin {plugin} declares a settings schema that is not taken"))
        .because(cause)
        .hint("this is a fault of the plugin: its schema must be small, and refer to nothing outside of itself")
}

fn cut(mut text: String) -> String {
    if text.len() > BYTES {
        text.truncate(text.floor_char_boundary(BYTES));
        text.push('…');
    }
    text
}

fn line(problem: &Problem) -> String {
    match problem.pointer.as_str() {
        "" => problem.message.clone(),
        pointer => format!("{}: {}", pointer.trim_start_matches('/').replace('/', "."), problem.message),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Class;
    use serde_json::json;

    fn check(settings: Value) -> Result<()> {
        let schema = json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["schema"],
            "properties": {
                "schema": {"type": "object"},
                "tolerance": {"type": "number", "minimum": 0},
                "fields": {"type": "array", "items": {"type": "string"}},
                "mode": {"enum": ["strict", "loose"]},
            },
        });
        check_settings("eval-test", &schema, settings.as_object().unwrap())
    }

    #[test]
    fn good_settings_pass() {
        check(json!({"schema": {}, "tolerance": 0.5, "fields": ["a"], "mode": "strict"})).unwrap();
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_known_one() {
        let error = check(json!({"schema": {}, "tolerence": 1})).unwrap_err();
        assert_eq!(error.to_string(), "invalid settings of plugin eval-test: tolerence: unknown key `tolerence`");
        assert_eq!(error.hint_text(), Some("did you mean `tolerance`?"));
        assert_eq!(error.class(), Class::Config);
    }

    #[test]
    fn every_failing_place_is_named() {
        let error = check(json!({"tolerance": -1, "fields": ["a", 3], "mode": "x"})).unwrap_err().to_string();
        for part in
            ["key \"schema\" is missing", "tolerance: -1 is too small", "fields.1: string expected, found 3", "mode:"]
        {
            assert!(error.contains(part), "{part} is missing in {error}");
        }
    }

    #[test]
    fn long_lists_of_problems_and_choices_are_cut() {
        let schema =
            json!({"items": false, "properties": {"a": {"items": {"type": "string"}}, "b": {"enum": vec!["xy"; 999]}}});
        let error = check_settings("p", &schema, json!({"a": vec![1; 500]}).as_object().unwrap()).unwrap_err();
        assert!(error.to_string().ends_with("and 490 more"), "{error}");
        let error = check_settings("p", &schema, json!({"b": 1}).as_object().unwrap()).unwrap_err();
        assert!(error.hint_text().unwrap().len() < 500);
    }

    #[test]
    fn a_schema_that_takes_too_much_is_the_plugins_fault() {
        let two = json!({"anyOf": [{"properties": {"a": {"$ref": "#"}}}, {"properties": {"a": {"$ref": "#"}}}]});
        let deep = (0..60).fold(json!(1), |inner, _| json!({"a": inner}));
        let error = check_settings("p", &two, deep.as_object().unwrap()).unwrap_err();
        assert_eq!(error.class(), Class::Plugin);
        assert!(error.to_string().starts_with("plugin p declares a settings schema that is not taken: "), "{error}");
        assert!(check_schema("p", &json!({"$ref": "https://example.org"})).is_err());
    }

    /// An engine that backtracks takes years for this.
    #[test]
    fn patterns_are_matched_in_linear_time() {
        let schema = json!({"properties": {"a": {"pattern": "^(a+)+$"}}});
        let error =
            check_settings("p", &schema, json!({"a": "a".repeat(5000) + "!"}).as_object().unwrap()).unwrap_err();
        assert_eq!(error.class(), Class::Config);
        for pattern in ["(?=a)b", "(a)\\1", "((a{1000}){1000}){1000}"] {
            assert_eq!(
                check_schema("p", &json!({"pattern": pattern})).unwrap_err().class(),
                Class::Plugin,
                "{pattern}"
            );
        }
    }

    #[test]
    fn a_broken_schema_is_the_plugins_fault() {
        let error = check_settings("p", &json!({"type": 7}), &Map::new()).unwrap_err();
        assert_eq!(error.class(), Class::Plugin);
    }
}
