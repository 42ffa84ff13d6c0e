//! Python's `str` and `repr` of values.

use crate::fault::{Fault, Result};
use crate::object::Object;
use crate::python::{float, quoted};
use crate::value::{Value, View};
use std::borrow::Cow;

/// `str(value)`. What Python would show with an address in memory is refused.
pub fn text(value: &Value) -> Result<Cow<'_, str>> {
    Ok(match value {
        Value::Undefined(_) => Cow::Borrowed(""),
        Value::Str(text) | Value::Markup(text) => Cow::Borrowed(text),
        other => Cow::Owned(repr(other)?),
    })
}

/// `repr(value)`.
pub fn repr(value: &Value) -> Result<String> {
    let mut out = String::new();
    write(&mut out, value)?;
    Ok(out)
}

fn write(out: &mut String, value: &Value) -> Result<()> {
    match value {
        Value::Undefined(_) => out.push_str("Undefined"),
        Value::None => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Int(number) => out.push_str(&number.to_string()),
        Value::Float(number) => out.push_str(&float(*number)),
        Value::Str(text) => out.push_str(&quoted(text)),
        Value::Markup(text) => out.push_str(&format!("Markup({})", quoted(text))),
        Value::List(items) => sequence(out, items, "[", "]")?,
        Value::Tuple(tuple) => sequence(out, &tuple.items, "(", if tuple.items.len() == 1 { ",)" } else { ")" })?,
        Value::Dict(dict) => {
            out.push('{');
            for (index, (key, value)) in dict.entries().iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                write(out, key)?;
                out.push_str(": ");
                write(out, value)?;
            }
            out.push('}');
        }
        Value::View(kind, dict) => {
            let items: Vec<Value> = dict.entries().iter().map(|entry| view_item(*kind, entry)).collect();
            out.push_str(value.type_name());
            sequence(out, &items, "([", "])")?;
        }
        Value::Range(range) if range.step == 1 => out.push_str(&format!("range({}, {})", range.start, range.stop)),
        Value::Range(range) => out.push_str(&format!("range({}, {}, {})", range.start, range.stop, range.step)),
        Value::Stream(_) => return Err(address(value)),
        Value::Object(object) => write_object(out, value, object)?,
    }
    Ok(())
}

/// One item of a view.
pub fn view_item(kind: View, (key, value): &(Value, Value)) -> Value {
    match kind {
        View::Keys => key.clone(),
        View::Values => value.clone(),
        View::Items => Value::tuple(vec![key.clone(), value.clone()]),
    }
}

fn sequence(out: &mut String, items: &[Value], open: &str, close: &str) -> Result<()> {
    out.push_str(open);
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index > 0 { ", " } else { "" });
        write(out, item)?;
    }
    out.push_str(close);
    Ok(())
}

fn write_object(out: &mut String, value: &Value, object: &Object) -> Result<()> {
    match object {
        Object::Macro(definition, _) => match &definition.name {
            Some(name) => out.push_str(&format!("<Macro {}>", quoted(name))),
            None => out.push_str("<Macro anonymous>"),
        },
        Object::Loop(state) => out.push_str(&format!("<LoopContext {}/{}>", state.at.get() + 1, state.length())),
        Object::Namespace(fields) => {
            out.push_str("<Namespace ");
            write(out, &Value::dict(fields.borrow().clone()))?;
            out.push('>');
        }
        Object::Blocks => out.push_str("<TemplateReference None>"),
        _ => return Err(address(value)),
    }
    Ok(())
}

fn address(value: &Value) -> Fault {
    let name = value.type_name();
    let hint = if name == "generator" { "; use `| list` or `| join`" } else { "" };
    Fault::unsupported(format!("a `{name}` is printed, which Python shows with its address in memory{hint}"))
}
