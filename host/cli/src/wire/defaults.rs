//! The variables of `template.settings` within a template's text: what is written with a trained model renders as it was
//! trained, with no settings beside it, in Diapason as in every other reader of `chat_template.jinja`.

use super::TEMPLATE_NAME;
use diapason_models::ChatTemplates;
use serde_json::{Map, Value};

/// The templates with the settings as their defaults; `is_setting` says which are the plugin's own and no variables.
///
/// The template that `template_name` chooses stands alone, as it was used whatever the conversation.
pub(crate) fn written(
    templates: &ChatTemplates,
    settings: &Map<String, Value>,
    is_setting: impl Fn(&str) -> bool,
) -> ChatTemplates {
    let chosen = settings.get(TEMPLATE_NAME).and_then(Value::as_str).and_then(|name| templates.get(name));
    let only = chosen.map(|text| ChatTemplates::only(Some(text.to_owned())));
    let variables: Vec<(&String, &Value)> = settings.iter().filter(|(name, _)| !is_setting(name)).collect();
    only.as_ref().unwrap_or(templates).map(|text| with_defaults(text, &variables))
}

/// Whether `name` stands in `text` as a name of its own.
pub(super) fn has_word(text: &str, name: &str) -> bool {
    let inside = |one: char| one.is_alphanumeric() || one == '_';
    let alone = |at: usize| {
        let (before, behind) = (text[..at].chars().next_back(), text[at + name.len()..].chars().next());
        !before.is_some_and(inside) && !behind.is_some_and(inside)
    };
    text.match_indices(name).any(|(at, _)| alone(at))
}

/// A template that takes these values for variables it is not given. Nothing of the text changes its meaning: the line break
/// behind the last block is the one that `trim_blocks` removes.
fn with_defaults(text: &str, variables: &[(&String, &Value)]) -> String {
    let mut blocks: String =
        variables.iter().filter(|(name, _)| has_word(text, name)).map(|(name, value)| block(name, value)).collect();
    if !blocks.is_empty() {
        blocks.push('\n');
    }
    blocks + text
}

fn block(name: &str, value: &Value) -> String {
    let set = format!("{{% set {name} = {} %}}", literal(value));
    match name {
        // The tokenizer's own are always given.
        _ if name.ends_with("_token") => set,
        // transformers gives this one always, as none.
        "documents" => format!("{{% if not {name} %}}{set}{{% endif %}}"),
        _ => format!("{{% if {name} is not defined %}}{set}{{% endif %}}"),
    }
}

/// JSON as Jinja writes it: its strings and numbers are read alike.
fn literal(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::Array(list) => format!("[{}]", list.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| format!("{}: {}", Value::from(key.as_str()), literal(value));
            format!("{{{}}}", map.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diapason_models::templates;
    use serde_json::json;

    fn of(text: &str, settings: Value) -> String {
        let settings = settings.as_object().cloned().unwrap_or_default();
        let templates = ChatTemplates::only(Some(text.into()));
        let written = written(&templates, &settings, |name| name == "date");
        written.get(templates::DEFAULT).unwrap_or_default().to_owned()
    }

    #[test]
    fn variables_that_the_template_reads_become_its_defaults() {
        let text = "{{ bos_token }}{{ think }}";
        let set = "{% set bos_token = \"<\\\"\" %}{% if think is not defined %}{% set think = {\"a\": [none, 1.5, true]} %}{% endif %}\n";
        let settings = json!({"bos_token": "<\"", "think": {"a": [null, 1.5, true]}, "other": 1, "date": "2026-02-02"});
        assert_eq!(of(text, settings), format!("{set}{text}"));
        assert_eq!(of(text, json!({"other": 1})), text);
        assert!(of("{{ documents }}", json!({"documents": []})).starts_with("{% if not documents %}"));
    }
}
