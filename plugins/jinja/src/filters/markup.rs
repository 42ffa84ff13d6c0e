//! Filters for HTML and addresses.

use crate::arguments::Given;
use crate::escape::{escape, escape_text};
use crate::fault::{Fault, Result};
use crate::interpreter::Interpreter;
use crate::python;
use crate::show;
use crate::value::Value;

pub fn apply(interpreter: &Interpreter<'_>, name: &str, value: &Value, given: Given) -> Result<Value> {
    if name == "xmlattr" {
        let [space] = given.bind(name, ["autospace"], 0)?;
        return attributes(value, space.is_none_or(|space| space.is_true()));
    }
    given.none(name)?;
    Ok(match name {
        "e" | "escape" => Value::Markup(escape(value)?.into()),
        "forceescape" => Value::Markup(escape_text(&show::text(value)?).into()),
        "safe" => Value::Markup(show::text(value)?.into()),
        "striptags" => Value::text(striptags(&show::text(value)?)?),
        _ => Value::text(address(interpreter, value)?),
    })
}

fn attributes(value: &Value, space: bool) -> Result<Value> {
    let Value::Dict(dict) = value else {
        value.defined()?;
        return Err(Fault::types(format!("'{}' object has no attribute 'items'", value.type_name())));
    };
    let mut parts = Vec::new();
    for (key, value) in dict.entries() {
        if matches!(value, Value::None | Value::Undefined(_)) {
            continue;
        }
        let name = key.as_str().ok_or_else(|| Fault::types("an attribute's name is no text"))?;
        if name.contains([' ', '\t', '\n', '\r', '\x0b', '\x0c', '/', '>', '=']) {
            return Err(Fault::value(format!("Invalid character in attribute name: {name:?}")));
        }
        parts.push(format!("{}=\"{}\"", escape(key)?, escape(value)?));
    }
    let text = parts.join(" ");
    Ok(Value::text(if space && !text.is_empty() { format!(" {text}") } else { text }))
}

fn address(interpreter: &Interpreter<'_>, value: &Value) -> Result<String> {
    if value.as_str().is_some() || !interpreter.is_iterable(value) {
        return Ok(quote(&show::text(value)?, false));
    }
    let pairs = match value {
        Value::Dict(dict) => dict.entries().to_vec(),
        other => {
            let mut pairs = Vec::new();
            for item in interpreter.items(other)? {
                match <[Value; 2]>::try_from(interpreter.items(&item)?) {
                    Ok([key, value]) => pairs.push((key, value)),
                    Err(_) => return Err(Fault::value("urlencode: expected pairs")),
                }
            }
            pairs
        }
    };
    let mut parts = Vec::new();
    for (key, value) in &pairs {
        parts.push(format!("{}={}", quote(&show::text(key)?, true), quote(&show::text(value)?, true)));
    }
    Ok(parts.join("&"))
}

fn quote(text: &str, query: bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => out.push(byte as char),
            b'/' if !query => out.push('/'),
            b' ' if query => out.push('+'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// Text without tags and comments, its whitespace collapsed and its entities replaced.
pub(crate) fn striptags(text: &str) -> Result<String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(start) = rest.find('<') {
        let comment = rest[start..].starts_with("<!--");
        let (from, end) = if comment { (start + 4, "-->") } else { (start, ">") };
        let Some(at) = rest.get(from..).and_then(|tail| tail.find(end)) else { break };
        out.push_str(&rest[..start]);
        rest = &rest[from + at + end.len()..];
    }
    out.push_str(rest);
    let words: Vec<&str> = out.split(python::is_space).filter(|word| !word.is_empty()).collect();
    unescape(&words.join(" "))
}

/// Entities to characters. Names beyond HTML's own five and the no-break space are refused.
pub(crate) fn unescape(text: &str) -> Result<String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let end = after.find(|c: char| c != '#' && !c.is_ascii_alphanumeric()).unwrap_or(after.len());
        let (name, tail) = after.split_at(end);
        if name.is_empty() || name == "#" {
            out.push('&');
            rest = after;
            continue;
        }
        out.push(entity(name)?);
        rest = tail.strip_prefix(';').unwrap_or(tail);
    }
    Ok(out + rest)
}

fn entity(name: &str) -> Result<char> {
    let number = name.strip_prefix('#').and_then(|number| match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => number.parse().ok(),
    });
    let known = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => number.filter(|number| *number > 0x9f || (0x20..0x7f).contains(number)).and_then(char::from_u32),
    };
    known.ok_or_else(|| Fault::unsupported(format!("the HTML entity `&{name};` is not supported")))
}
