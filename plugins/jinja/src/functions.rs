//! What templates call by name: `range`, `dict`, `namespace`, …

use crate::arguments::{Given, text_of};
use crate::fault::{Fault, Kind, Result};
use crate::interpreter::Interpreter;
use crate::object::{Object, check_field};
use crate::operators::merge;
use crate::show;
use crate::value::{Dict, Range, Value};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The longest range that the sandbox allows.
const LONGEST: usize = 100_000;

const NAMES: [&str; 8] =
    ["range", "dict", "namespace", "cycler", "joiner", "lipsum", "raise_exception", "strftime_now"];

/// The last of them are `transformers`' own.
const OWN: usize = 2;

/// A function by its name; in a plain template one of Jinja's.
pub fn find(name: &str, plain: bool) -> Option<Value> {
    let known = if plain { &NAMES[..NAMES.len() - OWN] } else { &NAMES[..] };
    let name = known.iter().copied().find(|known| *known == name)?;
    Some(Value::Object(Rc::new(Object::Function(name))))
}

pub fn call(interpreter: &Interpreter<'_>, name: &str, given: Given) -> Result<Value> {
    let object = |object: Object| Value::Object(Rc::new(object));
    match name {
        "range" => range(given),
        "dict" => Ok(Value::dict(dict(interpreter, given)?)),
        "namespace" => {
            let fields = dict(interpreter, given)?;
            for (name, _) in fields.entries() {
                check_field(name.as_str().unwrap_or_default())?;
            }
            Ok(object(Object::Namespace(RefCell::new(fields))))
        }
        "cycler" if given.positional.is_empty() => Err(Fault::value("at least one item has to be provided")),
        "cycler" => Ok(object(Object::Cycler(given.positional, Cell::new(0)))),
        "joiner" => {
            let [separator] = given.bind(name, ["sep"], 0)?;
            Ok(object(Object::Joiner(separator.unwrap_or_else(|| Value::text(", ")), Cell::new(false))))
        }
        "raise_exception" => {
            let [message] = given.bind(name, ["message"], 1)?;
            Err(Fault::new(Kind::Raised, show::text(&message.unwrap_or(Value::None))?.into_owned()))
        }
        "strftime_now" => {
            let [format] = given.bind(name, ["format"], 1)?;
            let format = format.unwrap_or(Value::None);
            Ok(Value::text(interpreter.clock().format(text_of(&format, "strftime() argument 1")?)?))
        }
        other => Err(Fault::unsupported(format!("the function `{other}` gives random text and is not supported"))),
    }
}

fn range(given: Given) -> Result<Value> {
    let [first, second, step] = given.bind("range", ["/start", "/stop", "/step"], 1)?;
    let first = first.map_or(Ok(0), |value| value.index())?;
    let (start, stop) = match second {
        Some(stop) => (first, stop.index()?),
        None => (0, first),
    };
    let step = step.map_or(Ok(1), |step| step.index())?;
    if step == 0 {
        return Err(Fault::value("range() arg 3 must not be zero"));
    }
    let range = Range { start, stop, step };
    match range.length() > LONGEST {
        true => Err(Fault::value(format!("Range too big. The sandbox blocks ranges larger than {LONGEST}."))),
        false => Ok(Value::Range(range)),
    }
}

/// Python's `dict`: of another, of pairs, and of named values.
fn dict(interpreter: &Interpreter<'_>, given: Given) -> Result<Dict> {
    let named = given.named;
    let [source] = Given { positional: given.positional, named: Vec::new() }.bind("dict", ["/iterable"], 0)?;
    let mut dict = Dict::default();
    match source {
        None => {}
        Some(Value::Dict(other)) => merge(&mut dict, &other)?,
        Some(Value::Object(object)) if matches!(&*object, Object::Namespace(_)) => {
            return Err(Fault::types("'TemplateNamespace' object is not iterable"));
        }
        Some(pairs) => {
            for (index, pair) in interpreter.items(&pairs)?.iter().enumerate() {
                if !interpreter.is_iterable(pair) {
                    let message = format!("cannot convert dictionary update sequence element #{index} to a sequence");
                    return Err(Fault::types(message));
                }
                let items = interpreter.items(pair)?;
                let [key, value] = <[Value; 2]>::try_from(items).map_err(|items| {
                    let length = items.len();
                    Fault::value(format!(
                        "dictionary update sequence element #{index} has length {length}; 2 is required"
                    ))
                })?;
                dict.set(key, value)?;
            }
        }
    }
    for (name, value) in named {
        dict.set(Value::Str(name), value)?;
    }
    Ok(dict)
}
