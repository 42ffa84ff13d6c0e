//! `doc_to_text` and its like: a column, a template, a number or a list, and what they make of a row.

use super::literal;
use super::node::{json, wrong};
use super::value::{Node, Yaml};
use diapason_core::{Error, Result};
use jinja::fault::{Fault, Kind};
use jinja::{Clock, Interpreter, Trace, Value as Python};
use serde_json::{Map, Value};
use std::rc::Rc;

/// A row of the data.
pub(super) type Doc = Map<String, Value>;

/// How a part of a question is made of a row, as the YAML says it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Field {
    /// The name of a column, or a template.
    Text(String),
    Number(i64),
    List(Vec<Value>),
}

impl Field {
    pub(super) fn of(node: Node, key: &str) -> Result<Self> {
        match &node.value {
            Yaml::Text(text) => Ok(Self::Text(text.clone())),
            Yaml::Int(number) if key != "doc_to_choice" => Ok(Self::Number(*number)),
            Yaml::List(items) if key != "doc_to_text" => Ok(Self::List(items.iter().map(json).collect::<Result<_>>()?)),
            // The harness takes the values of a mapping.
            Yaml::Map(entries) if key == "doc_to_choice" => {
                Ok(Self::List(entries.iter().map(|(_, value)| json(value)).collect::<Result<_>>()?))
            }
            _ => Err(wrong(&node, key, "a text")),
        }
    }
}

/// A field for data with known columns.
pub(super) struct Reader {
    name: &'static str,
    source: Source,
    /// Whether a number may stand for a choice.
    has_choices: bool,
}

enum Source {
    Column(String),
    Template(jinja::Template),
    Fixed(Value),
}

/// What a field makes of a row.
#[derive(Debug, PartialEq)]
pub(super) enum Made {
    Text(String),
    Number(i64),
    List(Vec<Value>),
}

/// How much a template may do to one row.
const FUEL: u64 = 10_000_000;

impl Reader {
    /// # Errors
    /// A template cannot be read.
    pub(super) fn new(name: &'static str, field: &Field, columns: &[String], has_choices: bool) -> Result<Self> {
        let source = match field {
            Field::Text(text) if columns.contains(text) => Source::Column(text.clone()),
            Field::Text(text) => Source::Template(jinja::parse_plain(text).map_err(|fault| explain(name, &fault))?),
            Field::Number(number) => Source::Fixed((*number).into()),
            Field::List(items) => Source::Fixed(Value::Array(items.clone())),
        };
        Ok(Self { name, source, has_choices })
    }

    /// What the field makes of a row, where it is the answer to a question.
    pub(super) fn target(&self, doc: &Doc) -> Result<Made> {
        match &self.source {
            Source::Column(name) => self.of_value(doc.get(name).unwrap_or(&Value::Null)),
            Source::Fixed(value) => self.of_value(value),
            Source::Template(template) => self.of_text(render(self.name, template, doc)?),
        }
    }

    /// What the field makes of a row, where it is a text.
    pub(super) fn text(&self, doc: &Doc) -> Result<String> {
        let text = match &self.source {
            Source::Column(name) => match doc.get(name) {
                Some(Value::String(text)) => return Ok(text.clone()),
                _ => None,
            },
            Source::Fixed(_) => None,
            Source::Template(template) => Some(render(self.name, template, doc)?),
        };
        let chosen = |text: &String| self.has_choices && !text.is_empty() && text.chars().all(char::is_numeric);
        text.filter(|text| !chosen(text)).ok_or_else(|| {
            Error::data(format!("`{}` is no text", self.name)).hint(
                "tasks whose prompts are chosen by a number, one for each choice, are not supported; other values become \
                 texts by a template, such as `{{column}}`",
            )
        })
    }

    /// The texts that the field makes of a row.
    pub(super) fn texts(&self, doc: &Doc) -> Result<Vec<String>> {
        let value = match &self.source {
            Source::Column(name) => doc.get(name).cloned().unwrap_or_default(),
            Source::Fixed(value) => value.clone(),
            Source::Template(template) => {
                let text = render(self.name, template, doc)?;
                literal::read(&text).ok_or_else(|| {
                    let message = format!("`{}` makes {}, which is no list of Python", self.name, short(&text));
                    Error::data(message).hint("write a list of texts, such as `{{[a, b]}}`")
                })?
            }
        };
        let Value::Array(items) = value else { return Err(self.no_texts()) };
        items.iter().map(|item| item.as_str().map(String::from).ok_or_else(|| self.no_texts())).collect()
    }

    fn no_texts(&self) -> Error {
        Error::data(format!("`{}` is no list of texts", self.name)).hint("choices are texts")
    }

    fn of_value(&self, value: &Value) -> Result<Made> {
        match value {
            Value::String(text) => Ok(Made::Text(text.clone())),
            Value::Array(items) => Ok(Made::List(items.clone())),
            // To Python, true is the choice 1; as a text it would be `True`.
            Value::Bool(truth) if self.has_choices => Ok(Made::Number((*truth).into())),
            Value::Number(number) if !number.is_f64() => {
                number.as_i64().map(Made::Number).ok_or_else(|| self.unusable(value))
            }
            other => Err(self.unusable(other)),
        }
    }

    /// The harness reads a number where there are choices, and a list where a text looks like one.
    fn of_text(&self, text: String) -> Result<Made> {
        let digits = !text.is_empty() && text.chars().all(char::is_numeric);
        if self.has_choices && digits {
            let plain = text == "0" || !text.starts_with('0');
            let number = text.parse().ok().filter(|_| plain);
            return number.map(Made::Number).ok_or_else(|| self.unusable(&Value::String(text)));
        }
        if text.len() >= 2 && text.starts_with('[') && text.ends_with(']') {
            match literal::read(&text) {
                Some(Value::Array(items)) => return Ok(Made::List(items)),
                _ if !literal::is_prose(&text) => return Err(self.unusable(&Value::String(text))),
                _ => {}
            }
        }
        Ok(Made::Text(text))
    }

    fn unusable(&self, value: &Value) -> Error {
        let message = format!("`{}` is {}", self.name, short(&value.to_string()));
        Error::data(message).hint("an answer is a text, the number of a choice, or a list of them")
    }
}

fn render(name: &str, template: &jinja::Template, doc: &Doc) -> Result<String> {
    let variables: Vec<(Rc<str>, Python)> =
        doc.iter().map(|(name, value)| (name.as_str().into(), Python::from(value))).collect();
    let clock = Clock::parse("2026-01-01").ok_or_else(|| Error::run("there is no such day"))?;
    let rendered = Interpreter::render(template, clock, &variables, Trace::None, FUEL);
    rendered.map(|rendered| rendered.text).map_err(|fault| explain(name, &fault))
}

fn explain(name: &str, fault: &Fault) -> Error {
    let place = fault.line.map_or(String::new(), |line| format!(" in its line {line}"));
    let hint = match fault.kind {
        Kind::Unsupported => "Jinja renders it and Diapason does not: prepare the data so that the template is simpler",
        _ => "the harness renders it with undefined values as errors, and with the row's columns as its only variables",
    };
    Error::data(format!("the template of `{name}` fails{place}: {fault}")).hint(hint)
}

/// A text that fits into a message.
fn short(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}
