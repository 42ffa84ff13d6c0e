//! Jinja's filters.

mod items;
mod markup;
mod text;

pub(crate) use markup::{striptags, unescape};

use crate::arguments::Given;
use crate::ast::Unary;
use crate::fault::{Fault, Result};
use crate::interpreter::Interpreter;
use crate::json;
use crate::numbers;
use crate::operators;
use crate::printf;
use crate::python;
use crate::show;
use crate::value::Value;

const NAMES: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "capitalize",
    "center",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "filesizeformat",
    "first",
    "float",
    "forceescape",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "random",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "string",
    "striptags",
    "sum",
    "title",
    "tojson",
    "trim",
    "truncate",
    "unique",
    "upper",
    "urlencode",
    "urlize",
    "wordcount",
    "wordwrap",
    "xmlattr",
];

pub fn exists(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Applies a filter.
pub fn apply(interpreter: &Interpreter<'_>, name: &str, value: &Value, given: Given) -> Result<Value> {
    match name {
        "attr" => {
            let [attribute] = given.bind(name, ["name"], 1)?;
            attr(interpreter, value, &attribute.unwrap_or(Value::None))
        }
        "default" | "d" => {
            let [default, falsy] = given.bind(name, ["default_value", "boolean"], 0)?;
            let falsy = falsy.is_some_and(|falsy| falsy.is_true());
            let absent = value.is_undefined() || falsy && !value.is_true();
            Ok(if absent { default.unwrap_or_else(|| Value::text("")) } else { value.clone() })
        }
        "tojson" => json::dumps(value, given),
        "format" => format(interpreter, value, given),
        "length" | "count" => {
            given.none(name)?;
            Ok(Value::Int(value.length()? as i128))
        }
        "abs" => {
            given.none(name)?;
            abs(value)
        }
        "int" => {
            let [default, base] = given.bind(name, ["default", "base"], 0)?;
            int(value, default.unwrap_or(Value::Int(0)), base)
        }
        "float" => {
            let [default] = given.bind(name, ["default"], 0)?;
            value.defined()?;
            let number = value.as_float().or_else(|| python::parse_float(value.as_str()?));
            Ok(number.map_or_else(|| default.unwrap_or(Value::Float(0.0)), Value::Float))
        }
        "round" => {
            let [precision, method] = given.bind(name, ["precision", "method"], 0)?;
            round(value, precision.map_or(Ok(0), |precision| precision.index())?, method)
        }
        "filesizeformat" => {
            let [binary] = given.bind(name, ["binary"], 0)?;
            file_size(value, binary.is_some_and(|binary| binary.is_true()))
        }
        "random" | "urlize" => Err(Fault::unsupported(format!("the filter `{name}` is not supported"))),
        "pprint" => {
            given.none(name)?;
            pretty(value)
        }
        "capitalize" | "center" | "indent" | "lower" | "replace" | "string" | "title" | "trim" | "truncate"
        | "upper" | "wordcount" | "wordwrap" => text::apply(interpreter, name, value, given),
        "e" | "escape" | "forceescape" | "safe" | "striptags" | "urlencode" | "xmlattr" => {
            markup::apply(interpreter, name, value, given)
        }
        _ => items::apply(interpreter, name, value, given),
    }
}

/// An attribute, which `attr` does not look for among a dictionary's keys.
fn attr(interpreter: &Interpreter<'_>, value: &Value, name: &Value) -> Result<Value> {
    let Some(name) = name.as_str() else {
        return Err(Fault::types("attribute name must be string"));
    };
    match interpreter.own_attribute(value, name)? {
        Some(found) => Ok(found),
        None => Ok(Value::undefined(format!("'{} object' has no attribute '{name}'", value.type_name()))),
    }
}

fn format(interpreter: &Interpreter<'_>, value: &Value, given: Given) -> Result<Value> {
    if !given.positional.is_empty() && !given.named.is_empty() {
        return Err(Fault::types("can't handle positional and keyword arguments at the same time"));
    }
    let text = text::soft(value)?;
    let values = match given.named.is_empty() {
        true => Value::tuple(given.positional),
        false => {
            let mut dict = crate::value::Dict::default();
            for (name, value) in given.named {
                dict.set(Value::Str(name), value)?;
            }
            Value::dict(dict)
        }
    };
    printf::format(interpreter, &text, &values)
}

fn abs(value: &Value) -> Result<Value> {
    value.defined()?;
    match value {
        Value::Float(number) => Ok(Value::Float(number.abs())),
        _ => match value.as_int() {
            Some(number) if number < 0 => operators::unary(Unary::Minus, value),
            Some(number) => Ok(Value::Int(number)),
            None => Err(Fault::types(format!("bad operand type for abs(): '{}'", value.type_name()))),
        },
    }
}

fn int(value: &Value, default: Value, base: Option<Value>) -> Result<Value> {
    value.defined()?;
    let base = base.map_or(Ok(10), |base| base.index())?;
    let base = u32::try_from(base).ok().filter(|base| *base == 0 || (2..=36).contains(base));
    match (value, value.as_str()) {
        (_, Some(text)) => {
            let whole = base.and_then(|base| python::parse_int(text, base));
            let cut = || python::parse_float(text).filter(|number| number.is_finite()).map(|number| number as i128);
            Ok(whole.or_else(cut).map_or(default, Value::Int))
        }
        (Value::Float(number), _) if number.is_nan() => Ok(default),
        (Value::Float(number), _) if number.is_infinite() => {
            Err(Fault::value("cannot convert float infinity to integer"))
        }
        (Value::Float(number), _) => Ok(Value::Int(*number as i128)),
        _ => Ok(value.as_int().map_or(default, Value::Int)),
    }
}

fn round(value: &Value, precision: i128, method: Option<Value>) -> Result<Value> {
    value.defined()?;
    let wrong = || Fault::types(format!("type {} doesn't define __round__ method", value.type_name()));
    let method = method.unwrap_or_else(|| Value::text("common"));
    let number = value.as_float().ok_or_else(wrong)?;
    let precision = i32::try_from(precision).map_err(|_| Fault::value("the precision is too large"))?;
    match method.as_str() {
        Some("common") => match value.as_int() {
            Some(number) => Ok(Value::Int(round_integer(number, precision))),
            None if precision < 0 => {
                let rounded = round_integer(number.round_ties_even() as i128, precision) as f64;
                Ok(Value::Float(rounded.copysign(number)))
            }
            None => {
                let digits = format!("{number:.*}", precision.min(400) as usize);
                Ok(Value::Float(digits.parse().unwrap_or(number)))
            }
        },
        Some(method @ ("ceil" | "floor")) => {
            let factor = 10f64.powi(precision);
            let scaled = number * factor;
            let whole = if method == "ceil" { scaled.ceil() } else { scaled.floor() };
            // Python's `ceil` and `floor` give integers, which have no negative zero.
            Ok(Value::Float((whole + 0.0) / factor))
        }
        _ => Err(Fault::types("method must be common, ceil or floor")),
    }
}

/// Rounds to tens, hundreds, …, ties to even; a precision of 0 or more changes nothing.
fn round_integer(number: i128, precision: i32) -> i128 {
    let Some(unit) = 10i128.checked_pow(precision.min(0).unsigned_abs()) else { return 0 };
    let (quotient, rest) = (number.div_euclid(unit), number.rem_euclid(unit));
    let up = match (rest * 2).cmp(&unit) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient % 2 != 0,
        std::cmp::Ordering::Greater => true,
    };
    (quotient + i128::from(up)) * unit
}

fn file_size(value: &Value, binary: bool) -> Result<Value> {
    value.defined()?;
    let size = value.as_float().or_else(|| python::parse_float(value.as_str()?));
    let size = size.ok_or_else(|| Fault::types("filesizeformat: the value is no number"))?;
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    let units = if binary {
        ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"]
    } else {
        ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]
    };
    if size == 1.0 {
        return Ok(Value::text("1 Byte"));
    }
    if size < base {
        return Ok(Value::text(format!("{} Bytes", size as i128)));
    }
    let mut unit = base * base;
    for (index, name) in units.iter().enumerate() {
        if size < unit || index == 7 {
            let shown = numbers::float(base * size / unit, 'f', 1, false);
            return Ok(Value::text(format!("{shown} {name}")));
        }
        unit *= base;
    }
    Ok(Value::text(""))
}

/// `pprint` of what fits one line.
fn pretty(value: &Value) -> Result<Value> {
    let shown = show::repr(&sorted(value)?)?;
    match shown.chars().count() > 79 {
        true => Err(Fault::unsupported("`pprint` of what does not fit one line is not supported")),
        false => Ok(Value::text(shown)),
    }
}

fn sorted(value: &Value) -> Result<Value> {
    Ok(match value {
        Value::Dict(dict) => {
            let mut entries = Vec::new();
            for (key, value) in dict.entries() {
                entries.push((key.clone(), sorted(value)?));
            }
            let text = |key: &Value| show::repr(key).unwrap_or_default();
            entries.sort_by(|a, b| {
                operators::order(&a.0, &b.0, "<").ok().flatten().unwrap_or_else(|| text(&a.0).cmp(&text(&b.0)))
            });
            Value::dict(crate::value::Dict::of_unique(entries))
        }
        Value::List(items) => Value::list(items.iter().map(sorted).collect::<Result<_>>()?),
        other => other.clone(),
    })
}
