//! Columns beside a row's shape: those that are read, those that change its meaning and are refused, and the rest.

use crate::fault::{Fault, Result};
use crate::{SHAPES, Shape};
use serde_json::{Map, Value};

type Row = Map<String, Value>;

/// Read whatever the shape.
const READ: [&str; 11] = [
    "id",
    "reference",
    "choices",
    "context",
    "tags",
    "tools",
    "system",
    "chat_template_kwargs",
    "documents",
    "enable_thinking",
    // What an API is asked for; it changes no text.
    "parallel_tool_calls",
];

const PAIRS: &str = "preference pairs are not trained on: write the answer to learn as `completion`";
const ONLY_TEXT: &str = "only text is read: remove the column, or the rows that need it";
const IDS: &str = "rows are rendered and tokenised here: give the texts instead";

/// Column, what it means, what to do.
const REFUSED: [(&str, &str, &str); 40] = [
    ("chosen", "is the better answer of a preference pair", PAIRS),
    ("rejected", "is the worse answer of a preference pair", PAIRS),
    ("rejected_response", "is the worse answer of a preference pair", PAIRS),
    ("rejected_messages", "is the worse answer of a preference pair", PAIRS),
    ("chosen_messages", "is the better answer of a preference pair", PAIRS),
    ("preferred_output", "is the better answer of a preference pair", PAIRS),
    ("non_preferred_output", "is the worse answer of a preference pair", PAIRS),
    ("completions", "is a list of answers, each with a label", PAIRS),
    ("kto_tag", "says whether the answer is wanted", "keep the rows whose answer is wanted, and remove the column"),
    ("images", "holds images", ONLY_TEXT),
    ("image", "holds an image", ONLY_TEXT),
    ("videos", "holds videos", ONLY_TEXT),
    ("video", "holds a video", ONLY_TEXT),
    ("audios", "holds sounds", ONLY_TEXT),
    ("audio", "holds a sound", ONLY_TEXT),
    ("input_ids", "holds token ids", IDS),
    ("labels", "holds token ids or labels to learn", IDS),
    ("attention_mask", "says which tokens are seen", IDS),
    ("assistant_masks", "says which tokens are learned", IDS),
    ("completion_mask", "says which tokens are learned", IDS),
    ("loss_mask", "says which tokens are learned", IDS),
    ("chat_template", "is a template for this row", "a run has one template: set `template.template`"),
    ("functions", "is the older spelling of `tools`", "write `tools`: [{\"type\": \"function\", \"function\": …}]"),
    ("function_call", "is the older spelling of a call or of `tool_choice`", "write calls as a turn's `tool_calls`"),
    ("add_generation_prompt", "is not a row's to say", "remove it: a prompt ends with the assistant's header"),
    ("continue_final_message", "continues an answer", "write whole answers: the last assistant turn is learned whole"),
    ("system_prompt", "is a system message under another name", SYSTEM),
    ("system_message", "is a system message under another name", SYSTEM),
    ("sys_prompt", "is a system message under another name", SYSTEM),
    ("weight", "weighs the row", "rows count alike: remove the column; a turn has `weight` 0 or 1 inside `messages`"),
    ("loss_weight", "weighs the row", "rows count alike: remove the column"),
    ("sample_weight", "weighs the row", "rows count alike: remove the column"),
    ("train", "says whether the row is learned", UNLEARNED),
    ("train_on_input", "says whether the prompt is learned", "only answers are learned: remove the column"),
    ("masked", "says whether the row is learned", UNLEARNED),
    ("mask", "says what of the row is not learned", UNLEARNED),
    ("loss_scale", "weighs the row", "rows count alike: remove the column"),
    ("train_on_inputs", "says whether the prompt is learned", "only answers are learned: remove the column"),
    ("roles_to_train", "says which roles are learned", "only the assistant's turns are learned: remove the column"),
    ("train_on_eos", "says whether the end of a turn is learned", "it is, as the template marks it: remove the column"),
];

const UNLEARNED: &str = "remove the rows that are not to be learned, and the column";

const SYSTEM: &str = "rename it: `columns = { system = \"…\" }` beside the file's path in the configuration";

/// Whether a column of this name is read in any shape, or refused.
pub fn is_read(name: &str) -> bool {
    READ.contains(&name)
        || REFUSED.iter().any(|(column, _, _)| *column == name)
        || SHAPES.iter().any(|(_, shape)| shape.keys().contains(&name))
}

/// Refuses columns that change what a row means and are not offered.
pub(crate) fn refuse(row: &Row) -> Result<()> {
    for (column, meaning, hint) in REFUSED {
        if row.get(column).is_some_and(|value| !is_neutral(column, value)) {
            return Err(Fault::new("unsupported-column", format!("/{column}"), format!("`{column}` {meaning}"), hint));
        }
    }
    if row.get("objects").is_some_and(|objects| objects.get("bbox").is_some_and(|boxes| !boxes.is_null())) {
        let message = "`objects` holds boxes that ms-swift writes into the texts";
        return Err(Fault::new("unsupported-column", "/objects", message, ONLY_TEXT));
    }
    if row.contains_key("output") && row.get("corrected").is_some_and(|text| *text != "") {
        let message = "`corrected` is a second answer, which Axolotl has learned behind the first";
        return Err(Fault::new(
            "unsupported-column",
            "/corrected",
            message,
            "write all that is to be learned as `output`",
        ));
    }
    let answered = ["completion", "output", "messages", "conversations"].iter().any(|key| row.contains_key(*key));
    if answered && row.get("label").is_some_and(is_verdict) {
        let hint = "keep the rows whose answer is wanted, and remove the column";
        return Err(Fault::new("unsupported-column", "/label", "`label` says whether the answer is wanted", hint));
    }
    Ok(())
}

/// Values that say what would be done anyway.
fn is_neutral(column: &str, value: &Value) -> bool {
    match (column, value) {
        (_, Value::Array(list)) => list.is_empty(),
        ("labels", _) => true,
        // Cells of a table are texts.
        ("weight" | "loss_weight" | "sample_weight" | "loss_scale", Value::String(text)) => {
            text.is_empty() || text.trim().parse() == Ok(1.0)
        }
        (_, Value::String(text)) => text.is_empty(),
        ("weight" | "loss_weight" | "sample_weight" | "loss_scale", Value::Number(number)) => {
            number.as_f64() == Some(1.0)
        }
        ("train", Value::Bool(on)) => *on,
        ("masked" | "mask" | "continue_final_message" | "train_on_input" | "train_on_inputs", Value::Bool(on)) => !on,
        _ => false,
    }
}

/// KTO's label: true or false, in a text too, as CSV has it, or as a number.
fn is_verdict(value: &Value) -> bool {
    match value {
        Value::Bool(_) => true,
        Value::String(text) => matches!(text.to_ascii_lowercase().as_str(), "true" | "false"),
        Value::Number(number) => matches!(number.as_f64(), Some(0.0 | 1.0)),
        _ => false,
    }
}

/// Refuses what belongs to another shape and would change this one.
pub(crate) fn refuse_mixture(row: &Row, shape: Shape, answered: bool) -> Result<()> {
    let fault = |column: &str, message: String| {
        let hint = "write the row in one shape; see the keys of each in validate-shape's README";
        Err(Fault::new("ambiguous-shape", format!("/{column}"), message, hint))
    };
    let given = |column: &&&str| row.get(**column).is_some_and(|value| *value != "" && !is_neutral("", value));
    let others = ["conversations", "history", "input"];
    if let Some(column) = others.iter().filter(|column| !shape.keys().contains(column)).find(given) {
        return fault(column, format!("`{column}` does not belong to a row that is read as {}", shape.name()));
    }
    let answers = ["completion", "output"];
    match answers.iter().filter(|column| !shape.keys().contains(column)).find(given) {
        Some(column) if !answered => {
            fault(column, format!("`{column}` answers a row that is read as {}, which has no answer", shape.name()))
        }
        _ => Ok(()),
    }
}

/// Columns that nothing reads.
pub(crate) fn unread(row: &Row, shape: Shape) -> Vec<String> {
    // Of another shape's keys is said that it is not the row's.
    let others: Vec<&str> =
        SHAPES.iter().filter(|(key, _)| row.contains_key(*key)).flat_map(|(_, shape)| shape.keys()).copied().collect();
    let known = |key: &str| {
        others.contains(&key)
            || READ.contains(&key)
            || shape.keys().contains(&key)
            || REFUSED.iter().any(|(column, _, _)| *column == key)
    };
    row.keys().filter(|key| !known(key)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(value: Value) -> Row {
        value.as_object().cloned().expect("an object")
    }

    #[test]
    fn columns_that_change_a_meaning_are_refused_by_name() {
        for (column, value) in [
            ("chosen", json!("a")),
            ("images", json!(["a.png"])),
            ("label", json!(false)),
            ("label", json!("True")),
            ("kto_tag", json!(true)),
            ("system_prompt", json!("s")),
            ("weight", json!(0.5)),
            ("weight", json!("0")),
            ("labels", json!([1])),
        ] {
            let mut row = row(json!({"prompt": "a", "completion": "b"}));
            row.insert(column.into(), value);
            assert_eq!(refuse(&row).expect_err(column).path, format!("/{column}"));
        }
        let inert = json!({"prompt": "a", "completion": "b", "images": [], "weight": 1, "loss_weight": "1.0", "label": "positive", "train": true});
        assert_eq!(refuse(&row(inert)), Ok(()));
        assert_eq!(
            refuse(&row(json!({"prompt": "a", "label": 1}))),
            Ok(()),
            "a class, with nothing to learn beside it"
        );
    }

    #[test]
    fn a_mixture_is_refused_where_it_would_lose_something() {
        let prompt = |value| refuse_mixture(&row(value), Shape::PromptCompletion, true).map_err(|fault| fault.path);
        assert_eq!(prompt(json!({"prompt": "a", "completion": "b", "input": "c"})), Err("/input".into()));
        assert_eq!(prompt(json!({"prompt": "a", "completion": "b", "input": "", "output": "b"})), Ok(()));
        let turns = refuse_mixture(&row(json!({"messages": [], "completion": "b"})), Shape::Messages, false);
        assert_eq!(turns.expect_err("an answer that would be lost").path, "/completion");
    }
}
