//! Filters of lists and other iterables.

use crate::arguments::Given;
use crate::ast::Binary;
use crate::checks;
use crate::fault::{Fault, Result};
use crate::interpreter::Interpreter;
use crate::methods;
use crate::operators::{self, check_size, order};
use crate::show;
use crate::stream::Stream;
use crate::value::{Dict, Tuple, Value};
use std::cmp::Ordering;
use std::rc::Rc;

pub fn apply(interpreter: &Interpreter<'_>, name: &str, value: &Value, given: Given) -> Result<Value> {
    match name {
        "first" | "last" | "list" | "items" | "reverse" => {
            given.none(name)?;
            whole(interpreter, name, value)
        }
        "join" => {
            let [separator, attribute] = given.bind(name, ["d", "attribute"], 0)?;
            join(interpreter, value, separator, attribute)
        }
        "map" => map(interpreter, value, given),
        "select" | "reject" | "selectattr" | "rejectattr" => select(interpreter, name, value, given),
        "batch" | "slice" => {
            let [count, fill] =
                given.bind(name, [if name == "batch" { "linecount" } else { "slices" }, "fill_with"], 1)?;
            let count = count.unwrap_or(Value::None).index()?;
            chunks(interpreter, name, value, count, fill.filter(|fill| !fill.is_none()))
        }
        "sort" => {
            let [reverse, case, attribute] = given.bind(name, ["reverse", "case_sensitive", "attribute"], 0)?;
            let keys = Key::several(attribute, is_true(&case));
            sort(interpreter, interpreter.items(value)?, &keys, is_true(&reverse)).map(Value::list)
        }
        "dictsort" => {
            let [case, by, reverse] = given.bind(name, ["case_sensitive", "by", "reverse"], 0)?;
            dict_sort(interpreter, value, is_true(&case), by, is_true(&reverse))
        }
        "unique" => {
            let [case, attribute] = given.bind(name, ["case_sensitive", "attribute"], 0)?;
            unique(interpreter, value, Key::one(attribute, is_true(&case), None))
        }
        "min" | "max" => {
            let [case, attribute] = given.bind(name, ["case_sensitive", "attribute"], 0)?;
            extreme(interpreter, name, value, &Key::one(attribute, is_true(&case), None))
        }
        "sum" => {
            let [attribute, start] = given.bind(name, ["attribute", "start"], 0)?;
            let key = Key::one(attribute, true, None);
            let start = start.unwrap_or(Value::Int(0));
            if start.as_str().is_some() {
                return Err(Fault::types("sum() can't sum strings [use ''.join(seq) instead]"));
            }
            interpreter.items(value)?.iter().try_fold(start, |sum, item| {
                operators::binary(interpreter, Binary::Add, &sum, &key.of(interpreter, item)?)
            })
        }
        "groupby" => {
            let [attribute, default, case] = given.bind(name, ["attribute", "default", "case_sensitive"], 1)?;
            group(interpreter, value, attribute, default, is_true(&case))
        }
        other => Err(Fault::types(format!("unknown filter `{other}`"))),
    }
}

fn is_true(value: &Option<Value>) -> bool {
    value.as_ref().is_some_and(Value::is_true)
}

fn stream(items: Vec<Value>) -> Value {
    Value::Stream(Rc::new(Stream::of("generator", items)))
}

fn whole(interpreter: &Interpreter<'_>, name: &str, value: &Value) -> Result<Value> {
    let none = || Value::undefined(format!("No {name} item, sequence was empty."));
    Ok(match name {
        "first" => match value {
            Value::Stream(stream) => stream.next(interpreter)?.unwrap_or_else(none),
            other => interpreter.items(other)?.into_iter().next().unwrap_or_else(none),
        },
        "last" => methods::reversed(interpreter, value)?.into_iter().next().unwrap_or_else(none),
        "list" => Value::list(interpreter.items(value)?),
        "items" => match value {
            Value::Undefined(_) => stream(Vec::new()),
            Value::Dict(dict) => methods::entries(dict),
            _ => return Err(Fault::types("Can only get item pairs from a mapping.")),
        },
        _ => match value {
            Value::Str(text) | Value::Markup(text) => Value::text_like(value, text.chars().rev().collect::<String>()),
            _ => {
                let mut items = interpreter.items(value)?;
                items.reverse();
                match methods::is_reversible(value) {
                    true => Value::Stream(Rc::new(Stream::of("reversed", items))),
                    false => Value::list(items),
                }
            }
        },
    })
}

fn join(
    interpreter: &Interpreter<'_>,
    value: &Value,
    separator: Option<Value>,
    attribute: Option<Value>,
) -> Result<Value> {
    let key = Key::one(attribute, true, None);
    let items = interpreter.items(value)?;
    let items = items.iter().map(|item| key.of(interpreter, item)).collect::<Result<Vec<_>>>()?;
    let separator = separator.unwrap_or_else(|| Value::text(""));
    if interpreter.escapes() {
        return Err(Fault::unsupported("`join` inside `autoescape` is not supported"));
    }
    let mut out = String::new();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(&show::text(&separator)?);
        }
        out.push_str(&show::text(item)?);
    }
    check_size(out.len())?;
    Ok(Value::text(out))
}

/// An attribute that items are compared or grouped by: a path of names and numbers.
struct Key {
    path: Vec<Value>,
    case_sensitive: bool,
    default: Option<Value>,
}

impl Key {
    fn one(attribute: Option<Value>, case_sensitive: bool, default: Option<Value>) -> Self {
        let path = match &attribute {
            None | Some(Value::None) => Vec::new(),
            Some(value) => match value.as_str() {
                Some(text) => path(text),
                None => vec![value.clone()],
            },
        };
        Self { path, case_sensitive, default: default.filter(|default| !default.is_none()) }
    }

    /// One for each name between commas.
    fn several(attribute: Option<Value>, case_sensitive: bool) -> Vec<Self> {
        match attribute.as_ref().and_then(Value::as_str) {
            Some(text) => {
                text.split(',').map(|part| Self::one(Some(Value::text(part)), case_sensitive, None)).collect()
            }
            None => vec![Self::one(attribute, case_sensitive, None)],
        }
    }

    fn of(&self, interpreter: &Interpreter<'_>, item: &Value) -> Result<Value> {
        interpreter.spend(1)?;
        let mut value = item.clone();
        for part in &self.path {
            value = interpreter.item(&value, part)?;
            if let (Some(default), true) = (&self.default, value.is_undefined()) {
                value = default.clone();
            }
            interpreter.check_defined(&value)?;
        }
        Ok(match value.as_str() {
            Some(text) if !self.case_sensitive => Value::text(text.to_lowercase()),
            _ => value,
        })
    }
}

fn path(text: &str) -> Vec<Value> {
    let part = |part: &str| match !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
        true => part.parse().map_or_else(|_| Value::text(part), Value::Int),
        false => Value::text(part),
    };
    text.split('.').map(part).collect()
}

fn map(interpreter: &Interpreter<'_>, value: &Value, mut given: Given) -> Result<Value> {
    if !value.is_true() {
        return Ok(stream(Vec::new()));
    }
    if given.positional.is_empty() && given.named.iter().any(|(name, _)| &**name == "attribute") {
        let [attribute, default] = given.bind("map", ["attribute", "default"], 1)?;
        let key = Key::one(attribute, true, default);
        let step = move |interpreter: &Interpreter<'_>, item: Value| key.of(interpreter, &item).map(Some);
        return Ok(Value::Stream(Rc::new(Stream::computed(interpreter, value, Box::new(step))?)));
    }
    if given.positional.is_empty() {
        return Err(Fault::types("map requires a filter argument"));
    }
    let name = given.positional.remove(0);
    let name = name.as_str().ok_or_else(|| Fault::types("map: the filter's name is no text"))?.to_owned();
    let step = move |interpreter: &Interpreter<'_>, item: Value| {
        let given = Given { positional: given.positional.clone(), named: given.named.clone() };
        interpreter.filter(&name, &item, given).map(Some)
    };
    Ok(Value::Stream(Rc::new(Stream::computed(interpreter, value, Box::new(step))?)))
}

fn select(interpreter: &Interpreter<'_>, filter: &str, value: &Value, mut given: Given) -> Result<Value> {
    if !value.is_true() {
        return Ok(stream(Vec::new()));
    }
    let wanted = filter.starts_with("select");
    let key = match (filter.ends_with("attr"), given.positional.is_empty()) {
        (false, _) => Key::one(None, true, None),
        (true, true) => return Err(Fault::types("Missing parameter for attribute name")),
        (true, false) => Key::one(Some(given.positional.remove(0)), true, None),
    };
    let test = match given.positional.is_empty() {
        true => None,
        false => {
            let name = given.positional.remove(0);
            Some(name.as_str().ok_or_else(|| Fault::types("the test's name is no text"))?.to_owned())
        }
    };
    let step = move |interpreter: &Interpreter<'_>, item: Value| {
        let value = key.of(interpreter, &item)?;
        let passes = match &test {
            None => value.is_true(),
            Some(name) => {
                let given = Given { positional: given.positional.clone(), named: given.named.clone() };
                if !checks::exists(name) {
                    return Err(Fault::types(format!("unknown test `{name}`")));
                }
                checks::test(interpreter, name, &value, given)?
            }
        };
        Ok((passes == wanted).then_some(item))
    };
    Ok(Value::Stream(Rc::new(Stream::computed(interpreter, value, Box::new(step))?)))
}

fn chunks(interpreter: &Interpreter<'_>, name: &str, value: &Value, count: i128, fill: Option<Value>) -> Result<Value> {
    let items = interpreter.items(value)?;
    let Some(count) = usize::try_from(count).ok().filter(|count| *count > 0) else {
        return Err(Fault::unsupported(format!("`{name}` into {count} is not supported")));
    };
    check_size(count)?;
    if name == "batch" {
        let mut rows: Vec<Vec<Value>> = items.chunks(count).map(<[Value]>::to_vec).collect();
        if let (Some(last), Some(fill)) = (rows.last_mut(), fill) {
            last.resize(count, fill);
        }
        return Ok(stream(rows.into_iter().map(Value::list).collect()));
    }
    let (each, extra) = (items.len() / count, items.len() % count);
    let (mut slices, mut rest) = (Vec::new(), items.as_slice());
    for index in 0..count {
        let (part, after) = rest.split_at(each + usize::from(index < extra));
        let mut part = part.to_vec();
        part.extend(fill.iter().filter(|_| index >= extra).cloned());
        slices.push(Value::list(part));
        rest = after;
    }
    Ok(stream(slices))
}

/// Sorts by keys, keeping the order of what is alike.
fn sort(interpreter: &Interpreter<'_>, items: Vec<Value>, keys: &[Key], reverse: bool) -> Result<Vec<Value>> {
    let mut keyed = Vec::with_capacity(items.len());
    for item in items {
        let key = keys.iter().map(|key| key.of(interpreter, &item)).collect::<Result<Vec<_>>>()?;
        keyed.push((Value::list(key), item));
    }
    sort_keyed(interpreter, &mut keyed, reverse)?;
    Ok(keyed.into_iter().map(|(_, item)| item).collect())
}

fn sort_keyed(interpreter: &Interpreter<'_>, keyed: &mut [(Value, Value)], reverse: bool) -> Result<()> {
    interpreter.spend(keyed.len() as u64)?;
    let mut wrong = None;
    keyed.sort_by(|(a, _), (b, _)| {
        let (a, b) = if reverse { (b, a) } else { (a, b) };
        let order = order(a, b, "<").unwrap_or_else(|fault| {
            wrong.get_or_insert(fault);
            None
        });
        order.unwrap_or(Ordering::Equal)
    });
    wrong.map_or(Ok(()), Err)
}

fn dict_sort(
    interpreter: &Interpreter<'_>,
    value: &Value,
    case_sensitive: bool,
    by: Option<Value>,
    reverse: bool,
) -> Result<Value> {
    let position = match by.as_ref().map_or(Some("key"), Value::as_str) {
        Some("key") => 0,
        Some("value") => 1,
        _ => return Err(Fault::types("You can only sort by either \"key\" or \"value\"")),
    };
    let Value::Dict(dict) = value else {
        value.defined()?;
        return Err(Fault::types(format!("'{}' object has no attribute 'items'", value.type_name())));
    };
    let items = interpreter.items(&Value::View(crate::value::View::Items, dict.clone()))?;
    let key = Key::one(Some(Value::Int(position)), case_sensitive, None);
    let mut keyed = Vec::new();
    for item in items {
        keyed.push((key.of(interpreter, &item)?, item));
    }
    sort_keyed(interpreter, &mut keyed, reverse)?;
    Ok(Value::list(keyed.into_iter().map(|(_, item)| item).collect()))
}

fn unique(interpreter: &Interpreter<'_>, value: &Value, key: Key) -> Result<Value> {
    let mut seen = Dict::default();
    let mut kept = Vec::new();
    for item in interpreter.items(value)? {
        let key = key.of(interpreter, &item)?;
        key.check_hashable()?;
        if seen.get(&key).is_none() {
            interpreter.spend(seen.len() as u64 / 8)?;
            seen.set(key, Value::None)?;
            kept.push(item);
        }
    }
    Ok(stream(kept))
}

fn extreme(interpreter: &Interpreter<'_>, name: &str, value: &Value, key: &Key) -> Result<Value> {
    let mut best: Option<(Value, Value)> = None;
    for item in interpreter.items(value)? {
        let rank = key.of(interpreter, &item)?;
        let better = match &best {
            None => true,
            Some((known, _)) if name == "min" => order(&rank, known, "<")?.is_some_and(Ordering::is_lt),
            Some((known, _)) => order(&rank, known, ">")?.is_some_and(Ordering::is_gt),
        };
        if better {
            best = Some((rank, item));
        }
    }
    Ok(best.map_or_else(|| Value::undefined("No aggregated item, sequence was empty."), |(_, item)| item))
}

fn group(
    interpreter: &Interpreter<'_>,
    value: &Value,
    attribute: Option<Value>,
    default: Option<Value>,
    case_sensitive: bool,
) -> Result<Value> {
    let key = Key::one(attribute.clone(), case_sensitive, default.clone());
    let shown = Key::one(attribute, true, default);
    let mut keyed = Vec::new();
    for item in interpreter.items(value)? {
        keyed.push((key.of(interpreter, &item)?, item));
    }
    sort_keyed(interpreter, &mut keyed, false)?;
    let mut groups = Vec::new();
    for alike in keyed.chunk_by(|(a, _), (b, _)| a.equals(b)) {
        let items: Vec<Value> = alike.iter().map(|(_, item)| item.clone()).collect();
        let grouper = shown.of(interpreter, &items[0])?;
        groups.push(Value::Tuple(Rc::new(Tuple { items: vec![grouper, Value::list(items)], grouped: true })));
    }
    Ok(Value::list(groups))
}
