//! The methods of texts.

use super::width::{expand_tabs, pad, width_of, zero_fill};
use super::{bounds, unsupported};
use crate::arguments::{Given, text_of};
use crate::escape::escape;
use crate::fault::{Fault, Result};
use crate::filters::{striptags, unescape};
use crate::formatting;
use crate::interpreter::{Interpreter, MARKS};
use crate::operators::check_size;
use crate::python;
use crate::value::{Dict, Value};
use std::borrow::Cow;

/// Calls a method of `text`, which `value` is. Safe text gives safe text.
pub fn call(interpreter: &Interpreter<'_>, value: &Value, text: &str, method: &str, given: Given) -> Result<Value> {
    let alike = |text: String| Value::text_like(value, text);
    match method {
        "capitalize" | "casefold" | "lower" | "swapcase" | "title" | "upper" => {
            given.none(method)?;
            Ok(alike(cased(text, method)))
        }
        "strip" | "lstrip" | "rstrip" => {
            let [characters] = given.bind(method, ["/chars"], 0)?;
            Ok(alike(strip(text, method, characters.as_ref())?.into_owned()))
        }
        "split" | "rsplit" => {
            let [separator, most] = given.bind(method, ["sep", "maxsplit"], 0)?;
            let parts = split(text, separator.as_ref(), most.as_ref(), method == "rsplit")?;
            Ok(Value::list(parts.into_iter().map(|part| alike(part.to_owned())).collect()))
        }
        "splitlines" => {
            let [keep] = given.bind(method, ["keepends"], 0)?;
            let keep = keep.is_some_and(|keep| keep.is_true());
            Ok(Value::list(python::lines(text, keep).into_iter().map(|line| alike(line.to_owned())).collect()))
        }
        "replace" => {
            let [old, new, count] = given.bind(method, ["/old", "/new", "/count"], 2)?;
            let (old, new) = (old.unwrap_or(Value::None), new.unwrap_or(Value::None));
            let new = match value {
                Value::Markup(_) => Value::text(escape(&new)?),
                _ => new,
            };
            let (old, new) = (text_of(&old, "replace() argument 1")?, text_of(&new, "replace() argument 2")?);
            let count = count.map_or(Ok(-1), |count| count.index())?;
            Ok(alike(replace(text, old, new, count)?))
        }
        "removeprefix" | "removesuffix" => {
            let [part] = given.bind(method, [affix_parameter(value, method)], 1)?;
            let part = part.unwrap_or(Value::None);
            let part = text_of(&part, &format!("{method}() argument"))?;
            let rest = if method == "removeprefix" { text.strip_prefix(part) } else { text.strip_suffix(part) };
            Ok(alike(rest.unwrap_or(text).to_owned()))
        }
        "partition" | "rpartition" => {
            let [separator] = given.bind(method, [if is_markup(value) { "sep" } else { "/sep" }], 1)?;
            let separator = separator.unwrap_or(Value::None);
            Ok(Value::tuple(
                partition(text, text_of(&separator, "must")?, method)?.map(|part| alike(part.to_owned())).to_vec(),
            ))
        }
        "startswith" | "endswith" => starts_or_ends(text, method, given),
        "find" | "rfind" | "index" | "rindex" | "count" => find(text, method, given),
        "join" => {
            let [items] = given.bind(method, ["/iterable"], 1)?;
            join(interpreter, value, text, &items.unwrap_or(Value::None))
        }
        "center" | "ljust" | "rjust" => pad(value, text, method, given),
        "zfill" => {
            let [width] = given.bind(method, ["/width"], 1)?;
            Ok(alike(zero_fill(text, width_of(width.as_ref())?)))
        }
        "expandtabs" => {
            let [size] = given.bind(method, ["tabsize"], 0)?;
            Ok(alike(expand_tabs(text, size.map_or(Ok(8), |size| size.index())?)?))
        }
        "format" => Ok(alike(formatting::format(interpreter, value, text, given)?)),
        "format_map" => {
            let [map] = given.bind(method, ["/mapping"], 1)?;
            let named = match map {
                Some(Value::Dict(dict)) => dict
                    .entries()
                    .iter()
                    .filter_map(|(key, value)| Some((key.as_str()?.into(), value.clone())))
                    .collect(),
                other => {
                    return Err(Fault::types(format!(
                        "'{}' object is no mapping",
                        other.map_or("NoneType", |o| o.type_name())
                    )));
                }
            };
            Ok(alike(formatting::format(interpreter, value, text, Given { positional: Vec::new(), named })?))
        }
        "translate" => {
            let [table] = given.bind(method, [if is_markup(value) { "table" } else { "/table" }], 1)?;
            translate(text, &table.unwrap_or(Value::None)).map(alike)
        }
        "maketrans" => make_table(given),
        "striptags" | "unescape" => {
            given.none(method)?;
            Ok(Value::text(if method == "striptags" { striptags(text)? } else { unescape(text)? }))
        }
        "escape" => {
            let [value] = given.bind(method, ["s"], 1)?;
            Ok(Value::Markup(escape(&value.unwrap_or(Value::None))?.into()))
        }
        _ if method.starts_with("is") => {
            given.none(method)?;
            Ok(Value::Bool(is(text, method)))
        }
        _ => Err(unsupported(value, method)),
    }
}

pub(super) fn is_markup(value: &Value) -> bool {
    matches!(value, Value::Markup(_))
}

fn affix_parameter(value: &Value, method: &str) -> &'static str {
    match (is_markup(value), method) {
        (true, "removesuffix") => "suffix",
        _ => "/affix",
    }
}

fn cased(text: &str, method: &str) -> String {
    match method {
        "capitalize" => python::capitalize(text),
        "casefold" => python::fold_case(text),
        "lower" => text.to_lowercase(),
        "swapcase" => python::swap_case(text),
        "title" => python::title(text),
        _ => text.to_uppercase(),
    }
}

/// `strip`, `lstrip` or `rstrip`. Marks of `{% generation %}` are no characters: whitespace on either side of them goes.
pub fn strip<'a>(text: &'a str, method: &str, characters: Option<&Value>) -> Result<Cow<'a, str>> {
    let set = match characters {
        None | Some(Value::None) => None,
        Some(value) => {
            let wrong = || Fault::types(format!("{method} arg must be None or str"));
            Some(value.as_str().ok_or_else(wrong)?)
        }
    };
    let taken = |character: char| set.map_or_else(|| python::is_space(character), |set| set.contains(character));
    let (left, right) = (method != "rstrip", method != "lstrip");
    if text.contains(MARKS) {
        let kept: Vec<usize> =
            text.char_indices().filter(|(_, c)| !MARKS.contains(c) && !taken(*c)).map(|(at, _)| at).collect();
        let (first, last) = (kept.first().copied().unwrap_or(text.len()), kept.last().copied().unwrap_or(0));
        let stays = |(at, c): (usize, char)| {
            let cut = left && at < first || right && at > last;
            (MARKS.contains(&c) || !cut).then_some(c)
        };
        return Ok(text.char_indices().filter_map(stays).collect::<String>().into());
    }
    let text = if left { text.trim_start_matches(taken) } else { text };
    Ok(Cow::Borrowed(if right { text.trim_end_matches(taken) } else { text }))
}

fn split<'a>(text: &'a str, separator: Option<&Value>, most: Option<&Value>, right: bool) -> Result<Vec<&'a str>> {
    let most = most.map_or(Ok(-1), Value::index)?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut parts = match separator {
        None | Some(Value::None) if right => split_spaces_from_right(text, most),
        None | Some(Value::None) => return Ok(split_spaces(text, most)),
        Some(separator) => {
            let separator = text_of(separator, "must")?;
            if separator.is_empty() {
                return Err(Fault::value("empty separator"));
            }
            let parts = most.saturating_add(1);
            match right {
                true => text.rsplitn(parts, separator).collect(),
                false => return Ok(text.splitn(parts, separator).collect()),
            }
        }
    };
    parts.reverse();
    Ok(parts)
}

fn split_spaces(text: &str, most: usize) -> Vec<&str> {
    let (mut parts, mut rest) = (Vec::new(), text.trim_start_matches(python::is_space));
    while !rest.is_empty() && parts.len() < most {
        let end = rest.find(python::is_space).unwrap_or(rest.len());
        parts.push(&rest[..end]);
        rest = rest[end..].trim_start_matches(python::is_space);
    }
    // What is left over once `maxsplit` is reached keeps its whitespace at the end.
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

/// The parts, last first.
fn split_spaces_from_right(text: &str, most: usize) -> Vec<&str> {
    let (mut parts, mut rest) = (Vec::new(), python::trim_end(text));
    while !rest.is_empty() && parts.len() < most {
        let last = rest.char_indices().rfind(|(_, character)| python::is_space(*character));
        let start = last.map_or(0, |(at, character)| at + character.len_utf8());
        parts.push(&rest[start..]);
        rest = python::trim_end(&rest[..start]);
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

/// `str.replace`; a negative count replaces all.
pub fn replace(text: &str, old: &str, new: &str, count: i128) -> Result<String> {
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    let found = if old.is_empty() { text.chars().count() + 1 } else { text.matches(old).count() };
    check_size(text.len().saturating_add(found.min(most).saturating_mul(new.len())))?;
    Ok(text.replacen(old, new, most))
}

fn partition<'a>(text: &'a str, separator: &'a str, method: &str) -> Result<[&'a str; 3]> {
    if separator.is_empty() {
        return Err(Fault::value("empty separator"));
    }
    Ok(match method {
        "partition" => text.split_once(separator).map_or([text, "", ""], |(a, b)| [a, separator, b]),
        _ => text.rsplit_once(separator).map_or(["", "", text], |(a, b)| [a, separator, b]),
    })
}

/// The part of a text between two indices of characters; none where the start is beyond the end.
fn part<'a>(text: &'a str, start: Option<&Value>, stop: Option<&Value>) -> Result<Option<(&'a str, usize)>> {
    if start.is_none() && stop.is_none() {
        return Ok(Some((text, 0)));
    }
    let length = text.chars().count();
    let (start, stop) = bounds(length, start, stop)?;
    if start > stop {
        return Ok(None);
    }
    let byte = |index: usize| text.char_indices().nth(index).map_or(text.len(), |(at, _)| at);
    Ok(Some((&text[byte(start)..byte(stop)], start)))
}

fn starts_or_ends(text: &str, method: &str, given: Given) -> Result<Value> {
    let [affix, start, stop] = given.bind(method, ["/affix", "/start", "/end"], 1)?;
    let affix = affix.unwrap_or(Value::None);
    let affixes: Vec<&str> = match &affix {
        Value::Tuple(tuple) => {
            tuple.items.iter().map(|item| text_of(item, &format!("tuple for {method}"))).collect::<Result<_>>()?
        }
        other => vec![other.as_str().ok_or_else(|| {
            Fault::types(format!("{method} first arg must be str or a tuple of str, not {}", other.type_name()))
        })?],
    };
    let Some((text, _)) = part(text, start.as_ref(), stop.as_ref())? else { return Ok(Value::Bool(false)) };
    let fits = |affix: &&str| if method == "startswith" { text.starts_with(*affix) } else { text.ends_with(*affix) };
    Ok(Value::Bool(affixes.iter().any(fits)))
}

fn find(text: &str, method: &str, given: Given) -> Result<Value> {
    let [needle, start, stop] = given.bind(method, ["/sub", "/start", "/end"], 1)?;
    let needle = needle.unwrap_or(Value::None);
    let needle = text_of(&needle, "must")?;
    let part = part(text, start.as_ref(), stop.as_ref())?;
    if method == "count" {
        let count =
            part.map_or(
                0,
                |(text, _)| if needle.is_empty() { text.chars().count() + 1 } else { text.matches(needle).count() },
            );
        return Ok(Value::Int(count as i128));
    }
    let found = part.and_then(|(text, offset)| {
        let at = if method.starts_with('r') { text.rfind(needle) } else { text.find(needle) }?;
        Some(text[..at].chars().count() + offset)
    });
    match found {
        Some(at) => Ok(Value::Int(at as i128)),
        None if method.ends_with("find") => Ok(Value::Int(-1)),
        None => Err(Fault::value("substring not found")),
    }
}

fn join(interpreter: &Interpreter<'_>, value: &Value, separator: &str, items: &Value) -> Result<Value> {
    if !interpreter.is_iterable(items) {
        items.defined()?;
        return Err(Fault::types("can only join an iterable"));
    }
    let mut out = String::new();
    for (index, item) in interpreter.items(items)?.iter().enumerate() {
        out.push_str(if index > 0 { separator } else { "" });
        match (is_markup(value), item.as_str()) {
            (true, _) => out.push_str(&escape(item)?),
            (false, Some(text)) => out.push_str(text),
            (false, None) => {
                let name = item.type_name();
                return Err(Fault::types(format!("sequence item {index}: expected str instance, {name} found")));
            }
        }
    }
    check_size(out.len())?;
    Ok(Value::text_like(value, out))
}

/// The keys of a table are characters' numbers; its values numbers, texts, or none for what is left out.
fn translate(text: &str, table: &Value) -> Result<String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let Value::Dict(table) = table else {
        return Err(Fault::types(format!("'{}' object is no table", table.type_name())));
    };
    let mut out = String::new();
    for character in text.chars() {
        match table.get(&Value::Int(character as i128)) {
            None => out.push(character),
            Some(Value::None) => {}
            Some(value) => match (value.as_str(), value.as_int()) {
                (Some(text), _) => out.push_str(text),
                (None, Some(number)) => out.extend(u32::try_from(number).ok().and_then(char::from_u32)),
                _ => return Err(Fault::types("character mapping must return integer, None or str")),
            },
        }
    }
    Ok(out)
}

fn make_table(given: Given) -> Result<Value> {
    let [from, to, without] = given.bind("maketrans", ["/x", "/y", "/z"], 1)?;
    let mut table = Dict::default();
    let number = |character: char| Value::Int(character as i128);
    match (from.unwrap_or(Value::None), to) {
        (Value::Dict(dict), None) => {
            for (key, value) in dict.entries() {
                let key = match key.as_str() {
                    Some(text) if text.chars().count() == 1 => text.chars().next().map_or(Value::None, number),
                    Some(_) => return Err(Fault::value("string keys in translate table must be of length 1")),
                    None => key.clone(),
                };
                table.set(key, value.clone())?;
            }
        }
        (from, Some(to)) => {
            let (from, to) = (text_of(&from, "maketrans() argument 1")?, text_of(&to, "maketrans() argument 2")?);
            if from.chars().count() != to.chars().count() {
                return Err(Fault::value("the first two maketrans arguments must have equal length"));
            }
            for (from, to) in from.chars().zip(to.chars()) {
                table.set(number(from), number(to))?;
            }
            if let Some(without) = without {
                for character in text_of(&without, "maketrans() argument 3")?.chars() {
                    table.set(number(character), Value::None)?;
                }
            }
        }
        _ => return Err(Fault::types("if you give only one argument to maketrans it must be a dict")),
    }
    Ok(Value::dict(table))
}

fn is(text: &str, method: &str) -> bool {
    let all = |test: fn(char) -> bool| !text.is_empty() && text.chars().all(test);
    match method {
        "isalnum" => all(python::is_alnum),
        "isalpha" => all(python::is_alpha),
        "isascii" => text.is_ascii(),
        "isdecimal" => all(python::is_decimal),
        "isdigit" => all(python::is_digit),
        "isnumeric" => all(python::is_numeric),
        "isspace" => all(python::is_space),
        "isprintable" => text.chars().all(python::is_printable),
        "islower" => python::is_case(text, false),
        "isupper" => python::is_case(text, true),
        "istitle" => python::is_title(text),
        _ => {
            let begins = |c: char| c == '_' || python::is_alpha(c);
            text.chars().next().is_some_and(begins) && text.chars().all(|c| begins(c) || python::continues_name(c))
        }
    }
}
