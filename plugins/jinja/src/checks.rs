//! Jinja's tests: what stands after `is`.

use crate::arguments::Given;
use crate::ast::{Binary, Compare};
use crate::fault::{Fault, Result};
use crate::filters;
use crate::interpreter::Interpreter;
use crate::operators;
use crate::python;
use crate::show;
use crate::value::{Value, View};

const NAMES: &[&str] = &[
    "odd",
    "even",
    "divisibleby",
    "defined",
    "undefined",
    "filter",
    "test",
    "none",
    "boolean",
    "false",
    "true",
    "integer",
    "float",
    "lower",
    "upper",
    "string",
    "mapping",
    "number",
    "sequence",
    "iterable",
    "callable",
    "sameas",
    "escaped",
    "in",
    "==",
    "eq",
    "equalto",
    "!=",
    "ne",
    ">",
    "gt",
    "greaterthan",
    "ge",
    ">=",
    "<",
    "lt",
    "lessthan",
    "<=",
    "le",
];

pub fn exists(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Whether the value passes the test.
pub fn test(interpreter: &Interpreter<'_>, name: &str, value: &Value, given: Given) -> Result<bool> {
    let remainder = |by: i128| operators::binary(interpreter, Binary::Remainder, value, &Value::Int(by));
    let comparison = match name {
        "==" | "eq" | "equalto" => Some(Compare::Equal),
        "!=" | "ne" => Some(Compare::Unequal),
        ">" | "gt" | "greaterthan" => Some(Compare::Greater),
        ">=" | "ge" => Some(Compare::GreaterOrEqual),
        "<" | "lt" | "lessthan" => Some(Compare::Less),
        "<=" | "le" => Some(Compare::LessOrEqual),
        "in" => Some(Compare::In),
        _ => None,
    };
    if let Some(comparison) = comparison {
        let parameter = if name == "in" { "seq" } else { "/b" };
        let [other] = given.bind(name, [parameter], 1)?;
        return operators::compare(interpreter, comparison, value, &other.unwrap_or(Value::None));
    }
    match name {
        "divisibleby" => {
            let [number] = given.bind(name, ["num"], 1)?;
            let number = number.unwrap_or(Value::None);
            return Ok(operators::binary(interpreter, Binary::Remainder, value, &number)?.equals(&Value::Int(0)));
        }
        "sameas" => {
            let [other] = given.bind(name, ["other"], 1)?;
            return Ok(value.is_same(&other.unwrap_or(Value::None)));
        }
        _ => given.none(name)?,
    }
    Ok(match name {
        "odd" => remainder(2)?.equals(&Value::Int(1)),
        "even" => remainder(2)?.equals(&Value::Int(0)),
        "defined" => !value.is_undefined(),
        "undefined" => value.is_undefined(),
        "filter" | "test" if value.check_hashable().is_err() => return value.check_hashable().map(|()| false),
        "filter" => value.as_str().is_some_and(filters::exists),
        "test" => value.as_str().is_some_and(exists),
        "none" => value.is_none(),
        "boolean" => matches!(value, Value::Bool(_)),
        "false" => matches!(value, Value::Bool(false)),
        "true" => matches!(value, Value::Bool(true)),
        "integer" => matches!(value, Value::Int(_)),
        "float" => matches!(value, Value::Float(_)),
        "lower" | "upper" => python::is_case(&show::text(value)?, name == "upper"),
        "string" => value.as_str().is_some(),
        "mapping" => matches!(value, Value::Dict(_)),
        "number" => value.as_float().is_some(),
        "sequence" => is_sequence(value),
        "iterable" => interpreter.is_iterable(value),
        "callable" => match value {
            Value::Undefined(_) => true,
            Value::Object(object) => object.is_callable(),
            _ => false,
        },
        "escaped" => matches!(value, Value::Markup(_)),
        other => return Err(Fault::types(format!("unknown test `{other}`"))),
    })
}

/// Whether Python finds a length and items: texts and dictionaries have both.
fn is_sequence(value: &Value) -> bool {
    match value {
        Value::View(View::Keys | View::Values | View::Items, _) | Value::Object(_) => false,
        other => other.length().is_ok(),
    }
}
