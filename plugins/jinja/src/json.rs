//! The `tojson` filter: Python's `json.dumps`, which escapes no HTML in `transformers`.

use crate::arguments::Given;
use crate::fault::{Fault, Result};
use crate::operators::{check_size, order};
use crate::python;
use crate::show;
use crate::value::{Dict, Value};

/// How `json.dumps` writes.
struct Options {
    /// What one level is indented by.
    indent: Option<String>,
    comma: String,
    colon: String,
    ascii: bool,
    sort: bool,
}

/// `json.dumps` with the arguments that `transformers` passes on.
pub fn dumps(value: &Value, given: Given) -> Result<Value> {
    let [ascii, indent, separators, sort] =
        given.bind("tojson", ["ensure_ascii", "indent", "separators", "sort_keys"], 0)?;
    let indent = indent.map_or(Ok(None), |indent| indentation(&indent))?;
    let default = (if indent.is_some() { "," } else { ", " }.to_owned(), ": ".to_owned());
    let (comma, colon) = match separators {
        None | Some(Value::None) => default,
        Some(value) => pair(&value)?,
    };
    let truth = |value: Option<Value>| value.is_some_and(|value| value.is_true());
    let options = Options { indent, comma, colon, ascii: truth(ascii), sort: truth(sort) };
    let mut out = String::new();
    options.write(&mut out, value, 0)?;
    Ok(Value::text(out))
}

/// A number of spaces or the text itself; none is no lines at all.
fn indentation(value: &Value) -> Result<Option<String>> {
    match (value, value.as_int()) {
        (Value::None, _) => Ok(None),
        (Value::Str(text) | Value::Markup(text), _) => Ok(Some(text.to_string())),
        (_, Some(count)) => {
            let count = usize::try_from(count.max(0)).unwrap_or(usize::MAX);
            check_size(count)?;
            Ok(Some(" ".repeat(count)))
        }
        _ => Err(Fault::types(format!("tojson: `indent` cannot be a {}", value.type_name()))),
    }
}

fn pair(separators: &Value) -> Result<(String, String)> {
    match separators.as_items() {
        Some([comma, colon]) if comma.as_str().is_some() && colon.as_str().is_some() => {
            Ok((show::text(comma)?.into_owned(), show::text(colon)?.into_owned()))
        }
        _ => Err(Fault::types("tojson: `separators` are two texts")),
    }
}

impl Options {
    fn write(&self, out: &mut String, value: &Value, depth: usize) -> Result<()> {
        match value {
            Value::None => out.push_str("null"),
            Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Value::Int(number) => out.push_str(&number.to_string()),
            Value::Float(number) => out.push_str(&float(*number)),
            Value::Str(text) | Value::Markup(text) => self.string(out, text),
            Value::List(items) => self.list(out, items, depth)?,
            Value::Tuple(tuple) => self.list(out, &tuple.items, depth)?,
            Value::Dict(dict) => self.object(out, dict, depth)?,
            other => {
                let name = other.type_name();
                return Err(Fault::types(format!("tojson: Object of type {name} is not JSON serializable")));
            }
        }
        check_size(out.len())
    }

    fn list(&self, out: &mut String, items: &[Value], depth: usize) -> Result<()> {
        self.wrap(out, ['[', ']'], items, depth, |out, item| self.write(out, item, depth + 1))
    }

    fn object(&self, out: &mut String, dict: &Dict, depth: usize) -> Result<()> {
        let mut entries: Vec<&(Value, Value)> = dict.entries().iter().collect();
        if self.sort {
            let mut wrong = None;
            entries.sort_by(|a, b| {
                let order = order(&a.0, &b.0, "<");
                order
                    .unwrap_or_else(|fault| {
                        wrong.get_or_insert(fault);
                        None
                    })
                    .unwrap_or(std::cmp::Ordering::Equal)
            });
            if let Some(fault) = wrong {
                return Err(fault);
            }
        }
        self.wrap(out, ['{', '}'], &entries, depth, |out, (key, value)| {
            self.string(out, &key_text(key)?);
            out.push_str(&self.colon);
            self.write(out, value, depth + 1)
        })
    }

    /// Brackets around items, on lines of their own if there is an indent.
    fn wrap<T>(
        &self,
        out: &mut String,
        [open, close]: [char; 2],
        items: &[T],
        depth: usize,
        item: impl Fn(&mut String, &T) -> Result<()>,
    ) -> Result<()> {
        out.push(open);
        for (index, one) in items.iter().enumerate() {
            if index > 0 {
                out.push_str(&self.comma);
            }
            self.line(out, depth + 1);
            item(out, one)?;
        }
        if !items.is_empty() {
            self.line(out, depth);
        }
        out.push(close);
        Ok(())
    }

    fn line(&self, out: &mut String, depth: usize) {
        if let Some(indent) = &self.indent {
            out.push('\n');
            out.push_str(&indent.repeat(depth));
        }
    }

    fn string(&self, out: &mut String, text: &str) {
        out.push('"');
        for character in text.chars() {
            match character {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                control if control < ' ' => escape(out, control),
                other if self.ascii && !(' '..='~').contains(&other) => escape(out, other),
                other => out.push(other),
            }
        }
        out.push('"');
    }
}

/// `\u` escapes, in surrogate pairs where needed.
fn escape(out: &mut String, character: char) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        out.push_str(&format!("\\u{unit:04x}"));
    }
}

fn float(number: f64) -> String {
    match number {
        number if number.is_nan() => "NaN".into(),
        number if number.is_infinite() => if number > 0.0 { "Infinity" } else { "-Infinity" }.into(),
        number => python::float(number),
    }
}

/// A key as Python writes it.
fn key_text(key: &Value) -> Result<String> {
    Ok(match key {
        Value::Str(text) | Value::Markup(text) => text.to_string(),
        Value::None => "null".into(),
        Value::Bool(truth) => if *truth { "true" } else { "false" }.into(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => float(*number),
        other => {
            let name = other.type_name();
            return Err(Fault::types(format!("tojson: keys must be str, int, float, bool or None, not {name}")));
        }
    })
}
