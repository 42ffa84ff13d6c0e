//! Filters of texts.

use crate::arguments::{Given, text_of};
use crate::fault::{Fault, Result};
use crate::interpreter::Interpreter;
use crate::methods;
use crate::operators::{self, check_size};
use crate::python;
use crate::show;
use crate::value::Value;

/// The value as text, safe where it is.
pub fn soft(value: &Value) -> Result<Value> {
    match value.as_str() {
        Some(_) => Ok(value.clone()),
        None => Ok(Value::text(show::text(value)?)),
    }
}

pub fn apply(interpreter: &Interpreter<'_>, name: &str, value: &Value, given: Given) -> Result<Value> {
    let method = |given: Given| methods::call(interpreter, &soft(value)?, name, given);
    match name {
        "string" => {
            given.none(name)?;
            soft(value)
        }
        "capitalize" | "lower" | "upper" => method(given),
        "center" => {
            let [width] = given.bind(name, ["width"], 0)?;
            let positional = vec![width.unwrap_or(Value::Int(80))];
            method(Given { positional, named: Vec::new() })
        }
        "trim" => {
            let [characters] = given.bind(name, ["chars"], 0)?;
            let text = soft(value)?;
            let stripped =
                methods::strip(text.as_str().unwrap_or_default(), "strip", characters.as_ref())?.into_owned();
            Ok(Value::text_like(&text, stripped))
        }
        "title" => {
            given.none(name)?;
            Ok(Value::text(title(&show::text(value)?)))
        }
        "replace" => {
            let [old, new, count] = given.bind(name, ["old", "new", "count"], 2)?;
            let text = |value: Option<Value>| Ok(show::text(&value.unwrap_or(Value::None))?.into_owned());
            let count = match count {
                None | Some(Value::None) => -1,
                Some(count) => count.index()?,
            };
            Ok(Value::text(methods::replace(&show::text(value)?, &text(old)?, &text(new)?, count)?))
        }
        "indent" => {
            let [width, first, blank] = given.bind(name, ["width", "first", "blank"], 0)?;
            let truth = |value: Option<Value>| value.is_some_and(|value| value.is_true());
            indent(interpreter, value, width.unwrap_or(Value::Int(4)), truth(first), truth(blank))
        }
        "truncate" => truncate(value, given),
        "wordcount" => {
            given.none(name)?;
            let word = |c: char| c == '_' || python::is_alnum(c);
            let text = show::text(value)?;
            let count = text.split(|c| !word(c)).filter(|part| !part.is_empty()).count();
            Ok(Value::Int(count as i128))
        }
        _ => wrap(value, given),
    }
}

/// Jinja's own idea of a title: words begin after spaces, hyphens and opening brackets only.
fn title(text: &str) -> String {
    let mut out = String::new();
    let mut begins = true;
    for character in text.chars() {
        let separates = python::is_space(character) || "-({[<".contains(character);
        match begins && !separates {
            true => out.extend(character.to_uppercase()),
            false => out.extend(character.to_lowercase()),
        }
        begins = separates;
    }
    out
}

fn indent(interpreter: &Interpreter<'_>, value: &Value, width: Value, first: bool, blank: bool) -> Result<Value> {
    value.defined()?;
    let indention = match width.as_str() {
        Some(text) => text.to_owned(),
        None => {
            let count = usize::try_from(width.index()?.max(0)).unwrap_or(usize::MAX);
            check_size(count)?;
            " ".repeat(count)
        }
    };
    // As in Jinja: the text needs to be one that a line break can be added to.
    let text = operators::binary(interpreter, crate::ast::Binary::Add, value, &Value::text("\n"))?;
    let lines = python::lines(text.as_str().unwrap_or_default(), false);
    let mut out = String::new();
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        if if index == 0 { first } else { blank || !line.is_empty() } {
            out.push_str(&indention);
        }
        out.push_str(line);
    }
    check_size(out.len())?;
    Ok(Value::text_like(&text, out))
}

fn truncate(value: &Value, given: Given) -> Result<Value> {
    let [length, kill_words, end, leeway] = given.bind("truncate", ["length", "killwords", "end", "leeway"], 0)?;
    let length = length.map_or(Ok(255), |length| length.index())?;
    let end = end.unwrap_or_else(|| Value::text("..."));
    let end = text_of(&end, "truncate: `end`")?;
    let leeway = match leeway {
        None | Some(Value::None) => 5,
        Some(leeway) => leeway.index()?,
    };
    let ending = end.chars().count() as i128;
    if length < ending || leeway < 0 {
        return Err(Fault::value(format!("truncate: expected length >= {ending} and leeway >= 0")));
    }
    if (value.length()? as i128) <= length + leeway {
        return Ok(value.clone());
    }
    let text = text_of(value, "truncate: the value")?;
    let kept: String = text.chars().take((length - ending) as usize).collect();
    let kept = match kill_words.is_some_and(|kill| kill.is_true()) {
        true => kept.as_str(),
        false => kept.rsplit_once(' ').map_or(kept.as_str(), |(kept, _)| kept),
    };
    Ok(Value::text_like(value, format!("{kept}{end}")))
}

/// `wordwrap`, as Python's `textwrap` breaks lines; breaking at hyphens is refused.
fn wrap(value: &Value, given: Given) -> Result<Value> {
    let parameters = ["width", "break_long_words", "wrapstring", "break_on_hyphens"];
    let [width, break_long, joint, hyphens] = given.bind("wordwrap", parameters, 0)?;
    let text = text_of(value, "wordwrap: the value")?;
    let truth = |value: Option<Value>| value.is_none_or(|value| value.is_true());
    if truth(hyphens) && text.contains('-') {
        return Err(Fault::unsupported(
            "`wordwrap` of text with hyphens is supported with `break_on_hyphens=False` only",
        ));
    }
    let width = width.map_or(Ok(79), |width| width.index())?;
    let width = usize::try_from(width).ok().filter(|width| *width > 0);
    let width = width.ok_or_else(|| Fault::value("wordwrap: the width is not above 0"))?;
    let joint = match joint {
        None | Some(Value::None) => "\n".to_owned(),
        Some(joint) => text_of(&joint, "wordwrap: `wrapstring`")?.to_owned(),
    };
    let break_long = truth(break_long);
    let lines: Vec<String> =
        python::lines(text, false).into_iter().map(|line| wrap_line(line, width, break_long).join(&joint)).collect();
    Ok(Value::text(lines.join(&joint)))
}

fn wrap_line(line: &str, width: usize, break_long: bool) -> Vec<String> {
    let blank = |c: char| matches!(c, '\t' | '\n' | '\x0b' | '\x0c' | '\r' | ' ');
    let mut chunks: Vec<String> = Vec::new();
    for character in line.chars() {
        match chunks.last_mut() {
            Some(chunk) if chunk.ends_with(blank) == blank(character) => chunk.push(character),
            _ => chunks.push(character.to_string()),
        }
    }
    chunks.reverse();
    let mut lines: Vec<String> = Vec::new();
    while !chunks.is_empty() {
        let (mut current, mut length) = (Vec::new(), 0);
        if !lines.is_empty() && chunks.last().is_some_and(|chunk| chunk.chars().all(blank)) {
            chunks.pop();
        }
        while let Some(chunk) = chunks.pop() {
            let size = chunk.chars().count();
            if length + size <= width {
                length += size;
                current.push(chunk);
                continue;
            }
            match (size > width, break_long) {
                (true, true) => {
                    let (head, tail): (Vec<_>, Vec<_>) =
                        chunk.chars().enumerate().partition(|(at, _)| *at < width - length);
                    current.push(head.into_iter().map(|(_, c)| c).collect());
                    chunks.push(tail.into_iter().map(|(_, c)| c).collect());
                }
                (true, false) if current.is_empty() => current.push(chunk),
                _ => chunks.push(chunk),
            }
            break;
        }
        if current.last().is_some_and(|chunk: &String| chunk.chars().all(blank)) {
            current.pop();
        }
        if !current.is_empty() {
            lines.push(current.concat());
        }
    }
    lines
}
