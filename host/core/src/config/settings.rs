//! A plugin's settings against the JSON Schema that it declares.

use super::problems::{Problem, problems};
use crate::{Error, Result};
use serde_json::{Map, Value};

/// Checks `settings` against `schema` (JSON Schema 2020-12), as given by the plugin named `plugin`.
///
/// Errors with [`crate::Class::Config`] naming every failing key, and with [`crate::Class::Plugin`] where the schema
/// itself is not valid.
pub fn check_settings(plugin: &str, schema: &Value, settings: &Map<String, Value>) -> Result<()> {
    let found = problems(schema, &Value::Object(settings.clone())).map_err(|cause| {
        Error::plugin(format!("plugin {plugin} declares a settings schema that is no JSON Schema"))
            .because(cause)
            .hint("this is a fault of the plugin: its `about` must give a valid JSON Schema")
    })?;
    if found.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = found.iter().map(line).collect();
    let hint = found.iter().find_map(|problem| problem.hint.clone());
    let hint = hint.unwrap_or_else(|| format!("`diapason plugin inspect {plugin}` shows the settings it takes"));
    Err(Error::config(format!("invalid settings of plugin {plugin}: {}", lines.join("; "))).hint(hint))
}

/// Returns what is wrong with `settings`, with pointers into them; nothing where `schema` itself is not valid, which
/// [`check_settings`] says.
pub fn settings_problems(schema: &Value, settings: &Map<String, Value>) -> Vec<Problem> {
    problems(schema, &Value::Object(settings.clone())).unwrap_or_default()
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
    fn a_broken_schema_is_the_plugins_fault() {
        let error = check_settings("p", &json!({"type": 7}), &Map::new()).unwrap_err();
        assert_eq!(error.class(), Class::Plugin);
    }
}
