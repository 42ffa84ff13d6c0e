//! The `tojson` filter: Python's `json.dumps` with `ensure_ascii=False`, which is what model folders' templates expect.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, ErrorKind, Value};

type Result<T> = std::result::Result<T, Error>;

/// `json.dumps` with its arguments as far as `transformers` passes them on.
pub(crate) fn filter(value: Value, indent: Option<Value>, named: Kwargs) -> Result<Value> {
    let indent = match indent {
        Some(indent) => Some(indent),
        None => named.get::<Option<Value>>("indent")?,
    };
    let separators: Option<Vec<String>> = named.get("separators")?;
    let options = Options {
        indent: indent.and_then(self::indent),
        separators: separators.map(pair).transpose()?,
        ascii: named.get::<Option<bool>>("ensure_ascii")?.unwrap_or(false),
        sort: named.get::<Option<bool>>("sort_keys")?.unwrap_or(false),
    };
    named.assert_all_used()?;
    let mut out = String::new();
    options.write(&mut out, &value, 0)?;
    Ok(Value::from(out))
}

struct Options {
    /// What one level is indented by.
    indent: Option<String>,
    separators: Option<(String, String)>,
    ascii: bool,
    sort: bool,
}

impl Options {
    fn write(&self, out: &mut String, value: &Value, depth: usize) -> Result<()> {
        match value.kind() {
            ValueKind::None => out.push_str("null"),
            ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => out.push_str(&number(value)),
            ValueKind::String => self.string(out, value.as_str().unwrap_or_default()),
            ValueKind::Seq | ValueKind::Iterable => self.list(out, value, depth)?,
            ValueKind::Map => self.object(out, value, depth)?,
            other => return Err(refuse(format!("tojson: {other} cannot be written as JSON"))),
        }
        Ok(())
    }

    fn list(&self, out: &mut String, value: &Value, depth: usize) -> Result<()> {
        let items: Vec<Value> = value.try_iter()?.collect();
        self.wrap(out, ['[', ']'], items.len(), depth, |out, index| self.write(out, &items[index], depth + 1))
    }

    fn object(&self, out: &mut String, value: &Value, depth: usize) -> Result<()> {
        let mut keys: Vec<Value> = value.try_iter()?.collect();
        if self.sort {
            keys.sort();
        }
        self.wrap(out, ['{', '}'], keys.len(), depth, |out, index| {
            self.string(out, &key(&keys[index])?);
            out.push_str(self.separators.as_ref().map_or(": ", |(_, colon)| colon));
            self.write(out, &value.get_item(&keys[index])?, depth + 1)
        })
    }

    /// Brackets around items, on lines of their own if there is an indent.
    fn wrap(
        &self,
        out: &mut String,
        [open, close]: [char; 2],
        count: usize,
        depth: usize,
        item: impl Fn(&mut String, usize) -> Result<()>,
    ) -> Result<()> {
        out.push(open);
        for index in 0..count {
            if index > 0 {
                out.push_str(self.comma());
            }
            self.line(out, depth + 1);
            item(out, index)?;
        }
        if count > 0 {
            self.line(out, depth);
        }
        out.push(close);
        Ok(())
    }

    fn comma(&self) -> &str {
        match (&self.separators, &self.indent) {
            (Some((comma, _)), _) => comma,
            (None, Some(_)) => ",",
            (None, None) => ", ",
        }
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

/// A number as Python writes it.
fn number(value: &Value) -> String {
    match f64::try_from(value.clone()) {
        Ok(float) if !value.is_integer() => self::float(float),
        _ => value.to_string(),
    }
}

/// Python's `repr` of a float: the shortest digits, with an exponent below 1e-4 and from 1e16.
fn float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.into();
    }
    if value != 0.0 && !(1e-4..1e16).contains(&value.abs()) {
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    format!("{value:?}")
}

/// A key as Python writes it.
fn key(key: &Value) -> Result<String> {
    match key.kind() {
        ValueKind::String => Ok(key.to_string()),
        ValueKind::None => Ok("null".into()),
        ValueKind::Bool => Ok(if key.is_true() { "true" } else { "false" }.into()),
        ValueKind::Number => Ok(number(key)),
        other => Err(refuse(format!("tojson: {other} cannot be a key"))),
    }
}

/// A number of spaces or the text itself; none is no lines at all.
fn indent(value: Value) -> Option<String> {
    match value.kind() {
        ValueKind::Number => Some(" ".repeat(value.as_usize().unwrap_or(0))),
        ValueKind::String => Some(value.to_string()),
        _ => None,
    }
}

fn pair(separators: Vec<String>) -> Result<(String, String)> {
    match <[String; 2]>::try_from(separators) {
        Ok([comma, colon]) => Ok((comma, colon)),
        Err(_) => Err(refuse("tojson: separators are two texts".into())),
    }
}

fn refuse(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

#[cfg(test)]
mod tests {
    use super::float;

    #[test]
    fn floats_are_written_as_python_writes_them() {
        let cases =
            [(1.0, "1.0"), (1e16, "1e+16"), (1e15, "1000000000000000.0"), (0.0001, "0.0001"), (1.5e-5, "1.5e-05")];
        for (value, text) in cases {
            assert_eq!(float(value), text);
        }
    }
}
