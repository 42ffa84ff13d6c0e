//! The settings as the trainer's configuration file.

use super::fixed;
use super::table::{Fate, fates};
use super::{Job, Tool};
use serde_json::{Map, Value, json};

/// The text of the trainer's configuration: `settings.json` for TRL, YAML for the others.
pub fn text(job: &Job<'_>) -> String {
    let own = fates(job).into_iter().filter_map(|(_, fate)| match fate {
        Fate::Settings(settings) => Some(settings),
        Fate::Rows | Fate::Adapter | Fate::Idle => None,
    });
    let all: Vec<(String, Value)> = fixed::settings(job).into_iter().chain(own.flatten()).collect();
    match job.tool {
        Tool::Trl => format!("{:#}\n", nested(all)),
        Tool::Axolotl | Tool::LlamaFactory => {
            all.iter().map(|(name, value)| format!("{name}: {}\n", yaml(value))).collect()
        }
    }
}

/// An object of JSON Pointers and what they point to.
fn nested(settings: Vec<(String, Value)>) -> Value {
    let mut root = json!({});
    for (pointer, value) in settings {
        let mut place = &mut root;
        for part in pointer.split('/').skip(1) {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            place = &mut place[part];
        }
        *place = value;
    }
    root
}

/// A value as YAML 1.1 has it, of which JSON is a part: but for numbers with an exponent, which some readers take for text.
fn yaml(value: &Value) -> String {
    match value {
        Value::Number(number) if number.is_f64() => decimal(number.as_f64().unwrap_or_default()),
        Value::Array(items) => format!("[{}]", items.iter().map(yaml).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| format!("{name}: {}", yaml(value));
            format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn decimal(value: f64) -> String {
    let text = value.to_string();
    if text.contains('.') { text } else { format!("{text}.0") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_exponent() {
        let value = json!({"a": [1e-8, 2.0, 3], "b": "x: y", "c": null});
        assert_eq!(yaml(&value), "{a: [0.00000001, 2.0, 3], b: \"x: y\", c: null}");
    }

    #[test]
    fn pointers_become_objects() {
        let settings = [("/a", json!(1)), ("/b/c", json!(2)), ("/b/d", json!(null))];
        let settings = settings.map(|(name, value)| (name.to_owned(), value));
        assert_eq!(nested(settings.into()), json!({"a": 1, "b": {"c": 2, "d": null}}));
    }
}
