//! Rows made of turns: roles, their order and their texts.

use crate::Report;
use diapason_rows::Shape;
use serde_json::{Map, Value};

/// The part that a turn plays, whatever the shape calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    System,
    User,
    Assistant,
    Tool,
}

/// Checks a row of `messages` or `conversations`.
pub fn check(row: &Map<String, Value>, shape: Shape, answered: bool, report: &mut Report<'_>) {
    let Some(keys) = shape.turns() else { return };
    let path = format!("/{}", keys.0);
    let Some(turns) = row.get(keys.0).and_then(Value::as_array) else {
        return report.error(
            "wrong-type",
            &path,
            "it is not a list of turns",
            "write a list of objects, one for each turn",
        );
    };
    if turns.is_empty() {
        return report.error(
            "no-turns",
            &path,
            "the list is empty",
            "add at least a user turn and an answer, or remove the row",
        );
    }
    let mut read = |(index, turn): (usize, &Value)| read(turn, shape, keys, &format!("{path}/{index}"), report);
    let parts: Vec<Option<Part>> = turns.iter().enumerate().map(&mut read).collect();
    // An unknown role was reported; what follows from it would only repeat that.
    if let Some(parts) = parts.into_iter().collect::<Option<Vec<Part>>>() {
        order(&parts, &path, report);
        end(&parts, &path, answered, report);
    }
}

fn read(
    turn: &Value,
    shape: Shape,
    (_, role, content): (&str, &str, &str),
    path: &str,
    report: &mut Report<'_>,
) -> Option<Part> {
    let Some(turn) = turn.as_object() else {
        report.error(
            "wrong-type",
            path,
            "the turn is no object",
            &format!("write {{\"{role}\": …, \"{content}\": …}}"),
        );
        return None;
    };
    if !(turn.contains_key("tool_calls") && matches!(turn.get(content), None | Some(Value::Null))) {
        report.text(turn.get(content), &format!("{path}/{content}"));
    }
    let part = turn.get(role).and_then(Value::as_str).and_then(|name| part(shape, name));
    if part.is_none() {
        let given = turn.get(role).map_or("missing".to_owned(), Value::to_string);
        let known =
            if shape == Shape::ShareGpt { "system, human, gpt or tool" } else { "system, user, assistant or tool" };
        report.error(
            "unknown-role",
            &format!("{path}/{role}"),
            &format!("the role is {given}"),
            &format!("use {known}"),
        );
    }
    part
}

fn part(shape: Shape, name: &str) -> Option<Part> {
    match (shape, name) {
        (_, "system") => Some(Part::System),
        (Shape::Messages, "developer") => Some(Part::System),
        (_, "user") | (Shape::ShareGpt, "human") => Some(Part::User),
        (_, "assistant") | (Shape::ShareGpt, "gpt" | "function_call") => Some(Part::Assistant),
        (_, "tool") | (Shape::ShareGpt, "observation") => Some(Part::Tool),
        _ => None,
    }
}

/// System first; then user and assistant in turn, where an assistant may be followed by tools and a tool by the assistant.
fn order(parts: &[Part], path: &str, report: &mut Report<'_>) {
    for (index, part) in parts.iter().enumerate() {
        let before = index.checked_sub(1).map(|index| parts[index]);
        let wrong = match (part, before) {
            (Part::System, Some(_)) => "a system turn that is not the first",
            (Part::User, Some(Part::User)) => "two user turns in a row",
            (Part::User, Some(Part::Tool)) => "a user turn after a tool's, which the assistant has to answer first",
            (Part::Assistant, None | Some(Part::System)) if !parts[..index].contains(&Part::User) => {
                "an assistant turn before any user turn"
            }
            (Part::Assistant, Some(Part::Assistant)) => "two assistant turns in a row",
            (Part::Tool, None | Some(Part::System | Part::User)) => "a tool turn that no assistant turn asked for",
            _ => continue,
        };
        report.error(
            "role-order",
            &format!("{path}/{index}"),
            wrong,
            "join, reorder or remove turns: system, then user and assistant in turn",
        );
    }
}

fn end(parts: &[Part], path: &str, answered: bool, report: &mut Report<'_>) {
    if !answered && parts.last() != Some(&Part::Assistant) {
        let place = format!("{path}/{}", parts.len() - 1);
        report.error(
            "no-answer",
            &place,
            "the conversation does not end with the assistant's turn",
            "add the answer, or remove the row",
        );
    }
}
