//! Finds rows that are not what a training or test file may hold. See the package's README for the rules.

mod text;
mod turns;

use diapason_plugin::{Finding, Result, Row, Validator};
use diapason_rows::{SHAPES, Shape};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What a file may hold.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Accept rows without an answer: conversations that end with the user's turn.
    pub allow_unanswered: bool,
}

/// One pass over rows, looking at each by itself and at their ids and shapes together.
pub struct Shapes {
    settings: Settings,
    /// The first row's shape and line, by split.
    first: BTreeMap<String, (Shape, u32)>,
    /// Line of the first row with this id, by split and id.
    ids: BTreeMap<(String, String), u32>,
}

impl Validator for Shapes {
    type Settings = Settings;

    fn start(settings: Settings) -> Result<Self> {
        Ok(Self { settings, first: BTreeMap::new(), ids: BTreeMap::new() })
    }

    fn push(&mut self, row: &Row) -> Result<Vec<Finding>> {
        let mut report = Report { row, findings: Vec::new() };
        if let Some(members) = parse(&mut report) {
            self.check(&members, &mut report);
        }
        Ok(report.findings)
    }
}

impl Shapes {
    fn check(&mut self, members: &Map<String, Value>, report: &mut Report<'_>) {
        self.id(members, report);
        let Some(shape) = Shape::of(members) else {
            let keys: Vec<&str> = members.keys().map(String::as_str).collect();
            let message = format!(
                "no known shape has the keys {}",
                if keys.is_empty() { "of an empty object".into() } else { keys.join(", ") }
            );
            let known: Vec<&str> = SHAPES.iter().map(|(key, _)| *key).collect();
            return report.error(
                "unknown-shape",
                "",
                &message,
                &format!("a row has one of the keys {}", known.join(", ")),
            );
        };
        self.mixed(shape, members, report);
        let answered = self.settings.allow_unanswered || members.contains_key("reference");
        match shape {
            Shape::Messages | Shape::ShareGpt => turns::check(members, shape, answered, report),
            Shape::Alpaca => fields(members, "instruction", Some("input"), "output", answered, report),
            Shape::PromptCompletion => fields(members, "prompt", None, "completion", answered, report),
        }
        if let Some(reference) = members.get("reference") {
            report.text(Some(reference), "/reference");
        }
    }

    fn id(&mut self, members: &Map<String, Value>, report: &mut Report<'_>) {
        let Some(id) = members.get("id").filter(|id| !id.is_null()) else { return };
        let (key, line) = ((report.row.split.clone(), id.to_string()), report.row.line);
        let first = *self.ids.entry(key).or_insert(line);
        if first != line {
            let message = format!("the id {id} is line {first}'s too");
            report.error("duplicate-id", "/id", &message, "give every row its own id: base and tuned are paired by it");
        }
    }

    fn mixed(&mut self, shape: Shape, members: &Map<String, Value>, report: &mut Report<'_>) {
        let (first, line) = *self.first.entry(report.row.split.clone()).or_insert((shape, report.row.line));
        if first != shape {
            let message =
                format!("a row of shape {} in a file whose first row (line {line}) is {}", shape.name(), first.name());
            report.warning("mixed-shapes", "", &message, "write all rows of a file in one shape");
        }
        let others = SHAPES.iter().filter(|(key, other)| *other != shape && members.contains_key(*key));
        for (key, other) in others {
            let message = format!("the row is read as {}, but has `{key}` of {} too", shape.name(), other.name());
            report.warning("ambiguous-shape", &format!("/{key}"), &message, "remove the keys of one shape");
        }
    }
}

/// The findings of one row.
pub(crate) struct Report<'a> {
    row: &'a Row,
    findings: Vec<Finding>,
}

impl Report<'_> {
    /// Reports what must be repaired before training.
    pub(crate) fn error(&mut self, rule: &str, path: &str, message: &str, hint: &str) {
        self.findings.push(Finding::error(rule, self.row, message).at(path).hint(hint));
    }

    /// Checks a text that must be there and hold something.
    pub(crate) fn text(&mut self, value: Option<&Value>, path: &str) {
        match value {
            None => self.error("missing-text", path, "the text is missing", "add it, or remove the row"),
            Some(Value::String(text)) if text.trim().is_empty() => {
                self.error("empty-text", path, "the text is empty", "write the text, or remove the row");
            }
            Some(Value::String(text)) => self.faults(text, path),
            Some(other) => {
                let message = format!("it is {}, not a string", kind(other));
                self.error(
                    "wrong-type",
                    path,
                    &message,
                    "write a string; a JSON document goes in as text, its quotes escaped",
                );
            }
        }
    }

    fn warning(&mut self, rule: &str, path: &str, message: &str, hint: &str) {
        self.findings.push(Finding::warning(rule, self.row, message).at(path).hint(hint));
    }

    fn faults(&mut self, text: &str, path: &str) {
        for fault in text::faults(text) {
            self.warning(fault.rule, path, &fault.message, fault.hint);
        }
    }
}

/// The row as an object; anything else is reported.
fn parse(report: &mut Report<'_>) -> Option<Map<String, Value>> {
    let text = report.row.text.strip_prefix('\u{feff}').unwrap_or(&report.row.text);
    if text.len() < report.row.text.len() {
        report.warning(
            "byte-order-mark",
            "",
            "the line begins with a byte order mark",
            "save the file as UTF-8 without one",
        );
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) => Some(members),
        Ok(other) => {
            report.error("not-an-object", "", &format!("the row is {}", kind(&other)), "write one JSON object a line");
            None
        }
        Err(cause) => {
            report.invalid(text, &cause);
            None
        }
    }
}

impl Report<'_> {
    fn invalid(&mut self, text: &str, cause: &serde_json::Error) {
        if text.trim().is_empty() {
            return self.error("empty-line", "", "the line is empty", "remove it");
        }
        // serde_json ends its messages with the place, whose line is always 1 here.
        let what = cause.to_string();
        let what = what.split(" at line ").next().unwrap_or_default();
        let hint = if cause.is_eof() {
            "the line ends too early: was it cut, or the row spread over several lines?"
        } else {
            "repair the JSON at that column"
        };
        self.error("invalid-json", "", &format!("{what} at column {}", cause.column()), hint);
    }
}

/// Checks a row of plain fields: what is asked, what may stand beside it, and the answer.
fn fields(
    members: &Map<String, Value>,
    asked: &str,
    beside: Option<&str>,
    answer: &str,
    answered: bool,
    report: &mut Report<'_>,
) {
    report.text(members.get(asked), &format!("/{asked}"));
    if let Some((key, value)) = beside.and_then(|key| Some((key, members.get(key)?)))
        && !matches!(value, Value::Null)
        && value.as_str() != Some("")
    {
        report.text(Some(value), &format!("/{key}"));
    }
    match members.get(answer) {
        None if answered => {}
        None => report.error("no-answer", &format!("/{answer}"), "the answer is missing", "add it, or remove the row"),
        given => report.text(given, &format!("/{answer}")),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

diapason_plugin::plugin! { validator: Shapes }
