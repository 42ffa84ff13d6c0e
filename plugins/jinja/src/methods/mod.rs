//! Attributes and methods of Python's types.

mod text;
mod width;

pub(crate) use text::{replace, strip};
pub(crate) use width::padded;

use crate::arguments::Given;
use crate::ast::Names;
use crate::fault::{Fault, Kind, Result};
use crate::interpreter::Interpreter;
use crate::object::Object;
use crate::python::float;
use crate::show::view_item;
use crate::stream::Stream;
use crate::value::{Dict, Undefined, Value, View};
use std::rc::Rc;

const TEXT: &[&str] = &[
    "capitalize",
    "casefold",
    "center",
    "count",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "maketrans",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "translate",
    "upper",
    "zfill",
];
const MARKUP: &[&str] = &["escape", "striptags", "unescape"];
const DICT: &[&str] = &["copy", "fromkeys", "get", "items", "keys", "values"];
const LIST: &[&str] = &["copy", "count", "index"];
const TUPLE: &[&str] = &["count", "index"];
const INT: &[&str] = &["as_integer_ratio", "bit_count", "bit_length", "conjugate", "from_bytes", "to_bytes"];
const FLOAT: &[&str] = &["as_integer_ratio", "conjugate", "fromhex", "hex", "is_integer"];
const VIEW: &[&str] = &["isdisjoint"];
/// What would change a list or a dictionary.
const FORBIDDEN_LIST: &[&str] = &["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"];
const FORBIDDEN_DICT: &[&str] = &["clear", "pop", "popitem", "setdefault", "update"];

/// An attribute of Python's type: a method, a property, or what the sandbox forbids. None where the type has no such.
pub fn attribute(value: &Value, name: &str, names: &Names) -> Result<Option<Value>> {
    value.defined()?;
    // Most of what templates ask a dictionary for are its own fields.
    if matches!(value, Value::Dict(_)) && !(name.starts_with('_') || names_of_dict(name)) {
        return Ok(None);
    }
    if name.starts_with("__") && name.ends_with("__") {
        return Ok(Some(forbidden(value, name)));
    }
    let (methods, denied): (&[&[&str]], &[&str]) = match value {
        Value::Str(_) => (&[TEXT], &[]),
        Value::Markup(_) => (&[TEXT, MARKUP], &[]),
        Value::Dict(_) => (&[DICT], FORBIDDEN_DICT),
        Value::List(_) => (&[LIST], FORBIDDEN_LIST),
        Value::Tuple(_) | Value::Range(_) => (&[TUPLE], &[]),
        Value::Int(_) | Value::Bool(_) => (&[INT], &[]),
        Value::Float(_) => (&[FLOAT], &[]),
        Value::View(View::Keys | View::Items, _) => (&[VIEW], &[]),
        _ => (&[], &[]),
    };
    if denied.contains(&name) {
        return Ok(Some(forbidden(value, name)));
    }
    let method = methods.iter().flat_map(|names| names.iter()).find(|known| **known == name).copied();
    if let Some(method) = method {
        return Ok(Some(Value::Object(Rc::new(Object::Method(value.clone(), method)))));
    }
    property(value, name, names)
}

/// Whether a dictionary has a method of this name, one that is forbidden included.
fn names_of_dict(name: &str) -> bool {
    DICT.contains(&name) || FORBIDDEN_DICT.contains(&name)
}

fn property(value: &Value, name: &str, names: &Names) -> Result<Option<Value>> {
    Ok(match (value, name) {
        (Value::Int(_) | Value::Bool(_), "real" | "numerator") => value.as_int().map(Value::Int),
        (Value::Int(_) | Value::Bool(_), "imag") => Some(Value::Int(0)),
        (Value::Int(_) | Value::Bool(_), "denominator") => Some(Value::Int(1)),
        (Value::Float(number), "real") => Some(Value::Float(*number)),
        (Value::Float(_), "imag") => Some(Value::Float(0.0)),
        (Value::Range(range), "start") => Some(Value::Int(range.start)),
        (Value::Range(range), "stop") => Some(Value::Int(range.stop)),
        (Value::Range(range), "step") => Some(Value::Int(range.step)),
        (Value::Tuple(tuple), "grouper") if tuple.grouped => tuple.items.first().cloned(),
        (Value::Tuple(tuple), "list") if tuple.grouped => tuple.items.get(1).cloned(),
        (Value::View(..), "mapping") => return Err(Fault::unsupported("a view's `mapping` is not supported")),
        (Value::Object(object), _) if matches!(&**object, Object::Blocks) => {
            Some(Value::Object(Rc::new(Object::Block(name.into()))))
        }
        (Value::Object(object), _) => match object.method(name) {
            Some(method) => Some(Value::Object(Rc::new(Object::Method(value.clone(), method)))),
            None => object.attribute(name, names)?,
        },
        _ => None,
    })
}

fn forbidden(value: &Value, name: &str) -> Value {
    let message = format!("access to attribute '{name}' of '{}' object is unsafe.", value.type_name());
    Value::Undefined(Rc::new(Undefined { message, kind: Kind::Security, implied: false }))
}

/// Calls a method.
pub fn call(interpreter: &Interpreter<'_>, value: &Value, method: &str, given: Given) -> Result<Value> {
    match value {
        Value::Str(text) | Value::Markup(text) => text::call(interpreter, value, text, method, given),
        Value::Dict(dict) => dict_method(interpreter, dict, method, given),
        Value::List(_) | Value::Tuple(_) | Value::Range(_) => list_method(interpreter, value, method, given),
        Value::Int(_) | Value::Bool(_) => int_method(value.as_int().unwrap_or(0), method, given),
        Value::Float(number) => float_method(*number, method, given),
        Value::View(_, _) => {
            let [other] = given.bind(method, ["/other"], 1)?;
            let (mine, others) = (interpreter.items(value)?, interpreter.items(&other.unwrap_or(Value::None))?);
            Ok(Value::Bool(!mine.iter().any(|item| others.iter().any(|other| other.equals(item)))))
        }
        Value::Object(object) => object_method(interpreter, object, method, given),
        _ => Err(unsupported(value, method)),
    }
}

pub(crate) fn unsupported(value: &Value, method: &str) -> Fault {
    Fault::unsupported(format!("the method `{method}` of a `{}` is not supported", value.type_name()))
}

fn dict_method(interpreter: &Interpreter<'_>, dict: &Rc<Dict>, method: &str, given: Given) -> Result<Value> {
    match method {
        "get" => {
            let [key, default] = given.bind(method, ["/key", "/default"], 1)?;
            let key = key.unwrap_or(Value::None);
            key.check_hashable()?;
            Ok(dict.get(&key).cloned().unwrap_or_else(|| default.unwrap_or(Value::None)))
        }
        "fromkeys" => from_keys(interpreter, given),
        _ => {
            given.none(method)?;
            Ok(match method {
                "items" => Value::View(View::Items, dict.clone()),
                "keys" => Value::View(View::Keys, dict.clone()),
                "values" => Value::View(View::Values, dict.clone()),
                _ => Value::dict((**dict).clone()),
            })
        }
    }
}

/// `dict.fromkeys`.
fn from_keys(interpreter: &Interpreter<'_>, given: Given) -> Result<Value> {
    let [keys, value] = given.bind("fromkeys", ["/iterable", "/value"], 1)?;
    let mut dict = Dict::default();
    for key in interpreter.items(&keys.unwrap_or(Value::None))? {
        dict.set(key, value.clone().unwrap_or(Value::None))?;
    }
    Ok(Value::dict(dict))
}

fn list_method(interpreter: &Interpreter<'_>, value: &Value, method: &str, given: Given) -> Result<Value> {
    let items = interpreter.items(value)?;
    match method {
        "copy" => {
            given.none(method)?;
            Ok(Value::list(items))
        }
        "count" => {
            let [item] = given.bind(method, ["/value"], 1)?;
            let item = item.unwrap_or(Value::None);
            Ok(Value::Int(items.iter().filter(|known| known.equals(&item)).count() as i128))
        }
        "index" => {
            let [item, start, stop] = given.bind(method, ["/value", "/start", "/stop"], 1)?;
            let item = item.unwrap_or(Value::None);
            let (start, stop) = bounds(items.len(), start.as_ref(), stop.as_ref())?;
            let found = items[start.min(stop)..stop].iter().position(|known| known.equals(&item));
            let missing = || Fault::value(format!("the value is not in the {}", value.type_name()));
            found.map(|at| Value::Int((start + at) as i128)).ok_or_else(missing)
        }
        _ => Err(unsupported(value, method)),
    }
}

/// Start and stop as Python takes them for `find`, `count` and `index`.
pub(crate) fn bounds(length: usize, start: Option<&Value>, stop: Option<&Value>) -> Result<(usize, usize)> {
    let clamp = |value: Option<&Value>, default: usize| match value {
        None | Some(Value::None) => Ok(default),
        Some(value) => {
            let index = value.index()?;
            let index = if index < 0 { (index + length as i128).max(0) } else { index };
            Ok(usize::try_from(index).unwrap_or(usize::MAX))
        }
    };
    Ok((clamp(start, 0)?, clamp(stop, length)?.min(length)))
}

fn int_method(number: i128, method: &str, given: Given) -> Result<Value> {
    if matches!(method, "from_bytes" | "to_bytes") {
        return Err(unsupported(&Value::Int(number), method));
    }
    given.none(method)?;
    let size = number.unsigned_abs();
    Ok(match method {
        "bit_count" => Value::Int(size.count_ones().into()),
        "bit_length" => Value::Int((128 - size.leading_zeros()).into()),
        "as_integer_ratio" => Value::tuple(vec![Value::Int(number), Value::Int(1)]),
        _ => Value::Int(number),
    })
}

fn float_method(number: f64, method: &str, given: Given) -> Result<Value> {
    match method {
        "is_integer" | "conjugate" => {
            given.none(method)?;
            let whole = Value::Bool(number.is_finite() && number.fract() == 0.0);
            Ok(if method == "conjugate" { Value::Float(number) } else { whole })
        }
        _ => Err(Fault::unsupported(format!("the method `{method}` of the number {} is not supported", float(number)))),
    }
}

fn object_method(interpreter: &Interpreter<'_>, object: &Object, method: &str, given: Given) -> Result<Value> {
    match object {
        Object::Function(_) => from_keys(interpreter, given),
        Object::Loop(state) if method == "cycle" => match given.positional.len() {
            0 => Err(Fault::types("no items for cycling given")),
            count => Ok(given.positional[state.at.get() % count].clone()),
        },
        Object::Loop(state) => {
            let mut seen = state.seen.borrow_mut();
            let now = given.positional;
            let alike =
                |before: &Vec<Value>| before.len() == now.len() && before.iter().zip(&now).all(|(a, b)| a.equals(b));
            let same = seen.as_ref().is_some_and(alike);
            *seen = Some(now);
            Ok(Value::Bool(!same))
        }
        Object::Cycler(items, at) => {
            given.none(method)?;
            let now = items[at.get()].clone();
            at.set(if method == "reset" { 0 } else { (at.get() + 1) % items.len() });
            Ok(if method == "reset" { Value::None } else { now })
        }
        _ => Err(Fault::unsupported(format!("the method `{method}` is not supported"))),
    }
}

/// Whether Python can walk it backwards.
pub fn is_reversible(value: &Value) -> bool {
    !matches!(
        value,
        Value::None | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Stream(_) | Value::Object(_)
    )
}

/// The items of `reversed(value)`.
pub fn reversed(interpreter: &Interpreter<'_>, value: &Value) -> Result<Vec<Value>> {
    if !is_reversible(value) {
        return Err(Fault::types(format!("'{}' object is not reversible", value.type_name())));
    }
    let mut items = interpreter.items(value)?;
    items.reverse();
    if let Value::Markup(_) = value {
        items.iter_mut().for_each(|item| *item = Value::Markup(item.as_str().unwrap_or_default().into()));
    }
    Ok(items)
}

/// A dictionary's items as an iterator.
pub fn entries(dict: &Dict) -> Value {
    let items = dict.entries().iter().map(|entry| view_item(View::Items, entry)).collect();
    Value::Stream(Rc::new(Stream::of("generator", items)))
}
