//! Python's operators.

use crate::ast::{Binary, Compare, Unary};
use crate::escape::escape;
use crate::fault::{Fault, Kind, Result};
use crate::interpreter::Interpreter;
use crate::printf;
use crate::show;
use crate::value::{Dict, Range, Tuple, Value, View};
use std::cmp::Ordering;
use std::rc::Rc;

/// The longest text or list that a template may make, in bytes or items.
pub const LONGEST: usize = 1 << 24;

pub fn unary(unary: Unary, value: &Value) -> Result<Value> {
    if unary == Unary::Not {
        return Ok(Value::Bool(!value.is_true()));
    }
    value.defined()?;
    let sign = if unary == Unary::Minus { "-" } else { "+" };
    match (value, value.as_int()) {
        (Value::Float(number), _) => Ok(Value::Float(if sign == "-" { -number } else { *number })),
        (_, Some(number)) => Ok(Value::Int(if sign == "-" { -number } else { number })),
        _ => Err(Fault::types(format!("bad operand type for unary {sign}: '{}'", value.type_name()))),
    }
}

pub fn binary(interpreter: &Interpreter<'_>, binary: Binary, left: &Value, right: &Value) -> Result<Value> {
    left.defined()?;
    if binary == Binary::Remainder && left.as_str().is_some() {
        return printf::format(interpreter, left, right);
    }
    right.defined()?;
    if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
        return integers(binary, a, b);
    }
    if let (Some(a), Some(b)) = (left.as_float(), right.as_float()) {
        return floats(binary, a, b);
    }
    let other = match binary {
        Binary::Add => add(left, right)?,
        Binary::Multiply => match (left.as_int(), right.as_int()) {
            (_, Some(times)) => repeat(left, times)?,
            (Some(times), _) => repeat(right, times)?,
            _ => None,
        },
        Binary::Subtract => difference(left, right)?,
        _ => None,
    };
    other.ok_or_else(|| mismatch(binary, left, right))
}

fn mismatch(binary: Binary, left: &Value, right: &Value) -> Fault {
    let (one, other) = (left.type_name(), right.type_name());
    let sequence = matches!(left, Value::Str(_) | Value::List(_) | Value::Tuple(_));
    Fault::types(match binary {
        Binary::Add if sequence => format!("can only concatenate {one} (not \"{other}\") to {one}"),
        Binary::Multiply if sequence || matches!(right, Value::Str(_) | Value::List(_) | Value::Tuple(_)) => {
            let times = if sequence { other } else { one };
            format!("can't multiply sequence by non-int of type '{times}'")
        }
        _ => format!("unsupported operand type(s) for {}: '{one}' and '{other}'", symbol(binary)),
    })
}

fn symbol(binary: Binary) -> &'static str {
    match binary {
        Binary::Add => "+",
        Binary::Subtract => "-",
        Binary::Multiply => "*",
        Binary::Divide => "/",
        Binary::FloorDivide => "//",
        Binary::Remainder => "%",
        Binary::Power => "** or pow()",
    }
}

fn integers(binary: Binary, a: i128, b: i128) -> Result<Value> {
    let zero = |message: &str| Fault::value(message);
    let number = match binary {
        Binary::Add => a.checked_add(b),
        Binary::Subtract => a.checked_sub(b),
        Binary::Multiply => a.checked_mul(b),
        Binary::Divide if b == 0 => return Err(zero("division by zero")),
        Binary::Divide => return Ok(Value::Float(a as f64 / b as f64)),
        Binary::FloorDivide | Binary::Remainder if b == 0 => {
            return Err(zero("integer division or modulo by zero"));
        }
        Binary::FloorDivide => a.checked_div_euclid(b).map(|_| floor_divide(a, b)),
        Binary::Remainder => Some(a - floor_divide(a, b) * b),
        Binary::Power if b < 0 => return floats(binary, a as f64, b as f64),
        Binary::Power => u32::try_from(b).ok().and_then(|exponent| a.checked_pow(exponent)),
    };
    let large = || Fault::unsupported("a number has more than 128 bits");
    number.map(Value::Int).ok_or_else(large)
}

/// Division that rounds down, as Python's does.
fn floor_divide(a: i128, b: i128) -> i128 {
    let quotient = a / b;
    if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient }
}

fn floats(binary: Binary, a: f64, b: f64) -> Result<Value> {
    let zero = |message: &str| Err(Fault::value(message));
    Ok(Value::Float(match binary {
        Binary::Add => a + b,
        Binary::Subtract => a - b,
        Binary::Multiply => a * b,
        Binary::Divide if b == 0.0 => return zero("float division by zero"),
        Binary::Divide => a / b,
        Binary::FloorDivide if b == 0.0 => return zero("float floor division by zero"),
        Binary::Remainder if b == 0.0 => return zero("float modulo"),
        Binary::FloorDivide => ((a - remainder(a, b)) / b).round(),
        Binary::Remainder => remainder(a, b),
        Binary::Power if a == 0.0 && b < 0.0 => return zero("0.0 cannot be raised to a negative power"),
        Binary::Power if a < 0.0 && b.fract() != 0.0 => {
            return Err(Fault::unsupported("a negative number to a fractional power is a complex number"));
        }
        Binary::Power => a.powf(b),
    }))
}

fn remainder(a: f64, b: f64) -> f64 {
    let rest = a % b;
    if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest.copysign(if rest == 0.0 { b } else { rest }) }
}

fn add(left: &Value, right: &Value) -> Result<Option<Value>> {
    Ok(match (left, right) {
        (Value::Str(a), Value::Str(b)) => Some(Value::text(format!("{a}{b}"))),
        (Value::Markup(_), _) | (_, Value::Markup(_)) if left.as_str().is_some() && right.as_str().is_some() => {
            Some(Value::Markup((escape(left)? + &escape(right)?).into()))
        }
        (Value::List(a), Value::List(b)) => Some(Value::list(a.iter().chain(b.iter()).cloned().collect())),
        (Value::Tuple(a), Value::Tuple(b)) => Some(Value::tuple(a.items.iter().chain(&b.items).cloned().collect())),
        _ => None,
    })
}

fn repeat(value: &Value, times: i128) -> Result<Option<Value>> {
    let times = usize::try_from(times.max(0)).unwrap_or(usize::MAX);
    let size = match value {
        Value::Str(text) | Value::Markup(text) => text.len(),
        other => other.as_items().map_or(0, <[Value]>::len),
    };
    check_size(size.saturating_mul(times))?;
    let items = |items: &[Value]| std::iter::repeat_n(items, times).flatten().cloned().collect();
    Ok(match value {
        Value::Str(text) | Value::Markup(text) => Some(Value::text_like(value, text.repeat(times))),
        Value::List(list) => Some(Value::list(items(list))),
        Value::Tuple(tuple) => Some(Value::tuple(items(&tuple.items))),
        _ => None,
    })
}

/// An error where a text or a list would be longer than any conversation.
pub fn check_size(size: usize) -> Result<()> {
    match size > LONGEST {
        true => Err(Fault::new(Kind::Fuel, format!("it makes a text or a list of {size} bytes or items"))),
        false => Ok(()),
    }
}

/// The difference of two dictionaries' keys is a set, which we do not have.
fn difference(left: &Value, right: &Value) -> Result<Option<Value>> {
    match (left, right) {
        (Value::View(View::Keys | View::Items, _), Value::View(..) | Value::List(_) | Value::Tuple(_)) => {
            Err(Fault::unsupported("the difference of two views is a set, which is not supported"))
        }
        _ => Ok(None),
    }
}

pub fn compare(interpreter: &Interpreter<'_>, compare: Compare, left: &Value, right: &Value) -> Result<bool> {
    Ok(match compare {
        Compare::Equal => left.equals(right),
        Compare::Unequal => !left.equals(right),
        Compare::In => contains(interpreter, right, left)?,
        Compare::NotIn => !contains(interpreter, right, left)?,
        Compare::Less => order(left, right, "<")?.is_some_and(Ordering::is_lt),
        Compare::LessOrEqual => order(left, right, "<=")?.is_some_and(Ordering::is_le),
        Compare::Greater => order(left, right, ">")?.is_some_and(Ordering::is_gt),
        Compare::GreaterOrEqual => order(left, right, ">=")?.is_some_and(Ordering::is_ge),
    })
}

/// How two values are ordered; none with a NaN. An error where Python orders them not.
pub fn order(left: &Value, right: &Value, operator: &str) -> Result<Option<Ordering>> {
    left.defined()?;
    right.defined()?;
    if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
        return Ok(Some(a.cmp(&b)));
    }
    if let (Some(a), Some(b)) = (left.as_float(), right.as_float()) {
        return Ok(a.partial_cmp(&b));
    }
    if let (Some(a), Some(b)) = (left.as_str(), right.as_str()) {
        return Ok(Some(a.cmp(b)));
    }
    let alike = matches!((left, right), (Value::List(_), Value::List(_)) | (Value::Tuple(_), Value::Tuple(_)));
    match (left.as_items(), right.as_items()) {
        (Some(a), Some(b)) if alike => match a.iter().zip(b).find(|(a, b)| !a.equals(b)) {
            Some((a, b)) => order(a, b, operator),
            None => Ok(Some(a.len().cmp(&b.len()))),
        },
        _ => Err(Fault::types(format!(
            "'{operator}' not supported between instances of '{}' and '{}'",
            left.type_name(),
            right.type_name()
        ))),
    }
}

/// Python's `item in container`.
pub fn contains(interpreter: &Interpreter<'_>, container: &Value, item: &Value) -> Result<bool> {
    Ok(match container {
        Value::Str(text) | Value::Markup(text) => {
            item.defined_or_type("in <string>' requires string as left operand, not Undefined")?;
            let part = item.as_str().ok_or_else(|| {
                Fault::types(format!("'in <string>' requires string as left operand, not {}", item.type_name()))
            })?;
            text.contains(part)
        }
        Value::Dict(dict) | Value::View(View::Keys, dict) => {
            item.check_hashable()?;
            dict.get(item).is_some()
        }
        Value::List(items) => items.iter().any(|known| known.equals(item)),
        Value::Tuple(tuple) => tuple.items.iter().any(|known| known.equals(item)),
        Value::Range(range) => in_range(range, item),
        Value::Undefined(_) => false,
        Value::Stream(stream) => {
            while let Some(known) = stream.next(interpreter)? {
                if known.equals(item) {
                    return Ok(true);
                }
            }
            false
        }
        Value::View(kind, dict) => dict.entries().iter().any(|entry| show::view_item(*kind, entry).equals(item)),
        Value::Object(object) if object.length().is_some() => {
            interpreter.items(container)?.iter().any(|known| known.equals(item))
        }
        other => return Err(Fault::types(format!("argument of type '{}' is not iterable", other.type_name()))),
    })
}

impl Value {
    fn defined_or_type(&self, message: &str) -> Result<()> {
        match self.is_undefined() {
            true => Err(Fault::types(format!("'{message}"))),
            false => Ok(()),
        }
    }
}

fn in_range(range: &Range, item: &Value) -> bool {
    (0..range.length()).any(|index| range.get(index).equals(item))
}

/// `value[key]` without attributes; none where Python raises a `TypeError` or a `LookupError`.
pub fn item(value: &Value, key: &Value) -> Result<Option<Value>> {
    if let Value::Undefined(_) = value {
        value.defined()?;
    }
    let at = |length: usize| {
        let index = key.as_int()?;
        let index = if index < 0 { index + length as i128 } else { index };
        usize::try_from(index).ok().filter(|index| *index < length)
    };
    Ok(match value {
        Value::Dict(dict) => dict.get(key).cloned(),
        Value::List(items) => at(items.len()).map(|index| items[index].clone()),
        Value::Tuple(tuple) => at(tuple.items.len()).map(|index| tuple.items[index].clone()),
        Value::Str(text) | Value::Markup(text) => {
            let character = match key.as_int() {
                Some(index @ 0..) => usize::try_from(index).ok().and_then(|index| text.chars().nth(index)),
                Some(index) => usize::try_from(-index - 1).ok().and_then(|index| text.chars().nth_back(index)),
                None => None,
            };
            character.map(|character| Value::text_like(value, character.to_string()))
        }
        Value::Range(range) => at(range.length()).map(|index| range.get(index)),
        _ => None,
    })
}

/// `value[start:stop:step]`; none where the value has no slices.
pub fn slice(value: &Value, bounds: [Option<Value>; 3]) -> Result<Option<Value>> {
    value.defined()?;
    let length = match value {
        Value::List(items) => items.len(),
        Value::Tuple(tuple) => tuple.items.len(),
        Value::Str(text) | Value::Markup(text) => text.chars().count(),
        Value::Range(range) => range.length(),
        _ => return Ok(None),
    };
    let indices = indices(length, bounds)?;
    Ok(Some(match value {
        Value::List(items) => Value::list(indices.map(|index| items[index].clone()).collect()),
        Value::Tuple(tuple) => Value::Tuple(Rc::new(Tuple {
            items: indices.map(|index| tuple.items[index].clone()).collect(),
            grouped: false,
        })),
        Value::Range(_) => {
            return Err(Fault::unsupported("a slice of a range is not supported; use `| list` before it"));
        }
        other => {
            let text: Vec<char> = other.as_str().unwrap_or_default().chars().collect();
            Value::text_like(other, indices.map(|index| text[index]).collect::<String>())
        }
    }))
}

fn indices(length: usize, [start, stop, step]: [Option<Value>; 3]) -> Result<impl Iterator<Item = usize>> {
    let bound = |value: Option<Value>| match value {
        None | Some(Value::None) => Ok(None),
        Some(value @ (Value::Int(_) | Value::Bool(_))) => Ok(value.as_int()),
        Some(value) => {
            value.defined()?;
            Err(Fault::types("slice indices must be integers or None or have an __index__ method"))
        }
    };
    let (start, stop, step) = (bound(start)?, bound(stop)?, bound(step)?.unwrap_or(1));
    if step == 0 {
        return Err(Fault::value("slice step cannot be zero"));
    }
    let length = length as i128;
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let clamp = |bound: i128| (if bound < 0 { bound + length } else { bound }).clamp(low, high);
    let start = start.map_or(if step > 0 { low } else { high }, clamp);
    let stop = stop.map_or(if step > 0 { high } else { low }, clamp);
    let range = Range { start, stop, step };
    Ok((0..range.length()).map(move |index| (start + step * index as i128) as usize))
}

/// Joins values with `~`. Where what is printed is escaped, safe text among them escapes the others.
pub fn concat(interpreter: &Interpreter<'_>, values: &[Value]) -> Result<Value> {
    let safe = interpreter.escapes() && values.iter().any(|value| matches!(value, Value::Markup(_)));
    let mut out = String::new();
    for value in values {
        match safe {
            true => out.push_str(&escape(value)?),
            false => out.push_str(&show::text(value)?),
        }
    }
    check_size(out.len())?;
    Ok(if safe { Value::Markup(out.into()) } else { Value::text(out) })
}

/// Two dictionaries as one.
pub fn merge(dict: &mut Dict, more: &Dict) -> Result<()> {
    more.entries().iter().try_for_each(|(key, value)| dict.set(key.clone(), value.clone()))
}
