//! `text % values`, Python's printf.

use crate::escape::{escape, escape_text};
use crate::fault::{Fault, Result};
use crate::interpreter::Interpreter;
use crate::numbers;
use crate::operators::{self, check_size};
use crate::show;
use crate::value::Value;

/// A conversion: what stands between `%` and its letter.
#[derive(Default)]
struct Conversion {
    left: bool,
    plus: bool,
    space: bool,
    zero: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// The values, and which of them is next.
struct Values<'a> {
    given: &'a Value,
    positional: Vec<Value>,
    next: usize,
    by_name: bool,
}

impl Values<'_> {
    fn take(&mut self) -> Result<Value> {
        let value = self.positional.get(self.next).cloned();
        self.next += 1;
        value.ok_or_else(|| Fault::types("not enough arguments for format string"))
    }
}

/// Formats; a mapping gives values by name.
pub fn format(interpreter: &Interpreter<'_>, text: &Value, given: &Value) -> Result<Value> {
    let safe = matches!(text, Value::Markup(_));
    let positional = match given {
        Value::Tuple(tuple) => tuple.items.clone(),
        other => vec![other.clone()],
    };
    let mut values = Values { given, positional, next: 0, by_name: false };
    let mut out = String::new();
    let mut rest = text.as_str().unwrap_or_default();
    while let Some(at) = rest.find('%') {
        interpreter.spend(1)?;
        out.push_str(&rest[..at]);
        rest = convert(&mut out, &rest[at + 1..], &mut values, safe)?;
        check_size(out.len())?;
    }
    out.push_str(rest);
    let mapping =
        matches!(given, Value::Dict(_) | Value::List(_) | Value::Undefined(_) | Value::Range(_)) || values.by_name;
    if values.next < values.positional.len() && !mapping {
        return Err(Fault::types("not all arguments converted during string formatting"));
    }
    Ok(Value::text_like(text, out))
}

fn convert<'a>(out: &mut String, text: &'a str, values: &mut Values<'_>, safe: bool) -> Result<&'a str> {
    let mut rest = text;
    let mut named = None;
    if let Some(after) = rest.strip_prefix('(') {
        let end = closing(after).ok_or_else(|| Fault::value("incomplete format key"))?;
        named = Some(lookup(values, &after[..end])?);
        rest = &after[end + 1..];
    }
    let mut conversion = Conversion::default();
    rest = flags(&mut conversion, rest);
    rest = width(&mut conversion, rest, values)?;
    rest = rest.trim_start_matches(['h', 'l', 'L']);
    let Some(kind) = rest.chars().next() else { return Err(Fault::value("incomplete format")) };
    let rest = &rest[kind.len_utf8()..];
    if kind == '%' {
        out.push('%');
        return match text.starts_with('%') {
            true => Ok(rest),
            false => Err(Fault::value("unsupported format character '%'")),
        };
    }
    let value = match named {
        Some(value) => value,
        None => values.take()?,
    };
    out.push_str(&conversion.apply(kind, &value, safe)?);
    Ok(rest)
}

fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

fn lookup(values: &mut Values<'_>, key: &str) -> Result<Value> {
    values.by_name = true;
    if !matches!(values.given, Value::Dict(_)) {
        return Err(Fault::types("format requires a mapping"));
    }
    let found = operators::item(values.given, &Value::text(key))?;
    found.ok_or_else(|| Fault::value(format!("the format's key '{key}' is missing")))
}

fn flags<'a>(conversion: &mut Conversion, text: &'a str) -> &'a str {
    let end = text.find(|c| !"-+ #0".contains(c)).unwrap_or(text.len());
    let has = |flag| text[..end].contains(flag);
    conversion.left = has('-');
    conversion.plus = has('+');
    conversion.space = has(' ');
    conversion.alternate = has('#');
    conversion.zero = has('0');
    &text[end..]
}

fn width<'a>(conversion: &mut Conversion, text: &'a str, values: &mut Values<'_>) -> Result<&'a str> {
    let (width, mut rest) = count(text, values)?;
    let width = width.unwrap_or(0);
    conversion.left |= width < 0;
    conversion.width = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
    if let Some(after) = rest.strip_prefix('.') {
        let (precision, after) = count(after, values)?;
        conversion.precision = Some(usize::try_from(precision.unwrap_or(0).max(0)).unwrap_or(usize::MAX));
        rest = after;
    }
    check_size(conversion.width)?;
    check_size(conversion.precision.unwrap_or(0))?;
    Ok(rest)
}

/// A number, or `*` for one of the values.
fn count<'a>(text: &'a str, values: &mut Values<'_>) -> Result<(Option<i128>, &'a str)> {
    if let Some(rest) = text.strip_prefix('*') {
        let value = values.take()?;
        let wrong = || Fault::types("* wants int");
        return Ok((Some(value.as_int().ok_or_else(wrong)?), rest));
    }
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number = (end > 0).then(|| text[..end].parse()).transpose();
    Ok((number.map_err(|_| Fault::value("width too big"))?, &text[end..]))
}

impl Conversion {
    fn apply(&self, kind: char, value: &Value, safe: bool) -> Result<String> {
        let precision = self.precision.unwrap_or(6);
        match kind {
            's' | 'r' | 'a' => self.text(kind, value, safe),
            'c' => {
                let text = match (value.as_str(), value.as_int()) {
                    (Some(text), _) if text.chars().count() == 1 => text.to_owned(),
                    (None, Some(number)) => {
                        let character = u32::try_from(number).ok().and_then(char::from_u32);
                        character.ok_or_else(|| Fault::value("%c arg not in range(0x110000)"))?.to_string()
                    }
                    _ => return Err(Fault::types("%c requires int or char")),
                };
                Ok(self.pad(&text, "", ' '))
            }
            'd' | 'i' | 'u' => {
                let number = match value {
                    Value::Float(number) if number.is_finite() => *number as i128,
                    other => other.as_int().ok_or_else(|| self.wrong(kind, "a real number", value))?,
                };
                Ok(self.integer(number, 'd'))
            }
            'o' | 'x' | 'X' => {
                let number = value.as_int().ok_or_else(|| self.wrong(kind, "an integer", value))?;
                Ok(self.integer(number, kind))
            }
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
                value.defined()?;
                let wrong = || Fault::types(format!("must be real number, not {}", value.type_name()));
                let number = value.as_float().ok_or_else(wrong)?;
                let digits = numbers::float(number, kind, precision, self.alternate);
                Ok(self.number(&digits, number.is_sign_negative() && !number.is_nan(), "", number.is_finite()))
            }
            other => Err(Fault::value(format!("unsupported format character '{other}'"))),
        }
    }

    fn wrong(&self, kind: char, expected: &str, value: &Value) -> Fault {
        Fault::types(format!("%{kind} format: {expected} is required, not {}", value.type_name()))
    }

    fn text(&self, kind: char, value: &Value, safe: bool) -> Result<String> {
        let text = match (kind, safe) {
            ('s', false) => show::text(value)?.into_owned(),
            ('s', true) => escape(value)?,
            (_, false) => show::repr(value)?,
            (_, true) => escape_text(&show::repr(value)?),
        };
        if kind == 'a' && !text.is_ascii() {
            return Err(Fault::unsupported("`%a` of text that is not ASCII is not supported"));
        }
        let text: String = match self.precision {
            Some(precision) => text.chars().take(precision).collect(),
            None => text,
        };
        Ok(self.pad(&text, "", ' '))
    }

    fn integer(&self, number: i128, kind: char) -> String {
        let digits = numbers::integer(number, kind);
        let digits = format!("{digits:0>width$}", width = self.precision.unwrap_or(0));
        let prefix = match (self.alternate, kind) {
            (true, 'o') => "0o",
            (true, 'x') => "0x",
            (true, 'X') => "0X",
            _ => "",
        };
        self.number(&digits, number < 0, prefix, true)
    }

    fn number(&self, digits: &str, negative: bool, prefix: &str, finite: bool) -> String {
        let sign = match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        let fill = if self.zero && !self.left && finite { '0' } else { ' ' };
        self.pad(digits, &format!("{sign}{prefix}"), fill)
    }

    fn pad(&self, text: &str, sign: &str, fill: char) -> String {
        let space = self.width.saturating_sub(text.chars().count() + sign.len());
        let filled = fill.to_string().repeat(space);
        match (self.left, fill) {
            (true, _) => format!("{sign}{text}{}", " ".repeat(space)),
            (false, '0') => format!("{sign}{filled}{text}"),
            (false, _) => format!("{filled}{sign}{text}"),
        }
    }
}
