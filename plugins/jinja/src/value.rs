//! Python's values, as far as templates meet them. All but iterators and objects are immutable: `transformers` renders in
//! a sandbox that forbids changing lists and dictionaries.

use crate::fault::{Fault, Kind, Result};
use crate::object::Object;
use crate::stream::Stream;
use std::rc::Rc;

/// A value. Copies share their contents.
#[derive(Clone)]
pub enum Value {
    /// Jinja's `Undefined`.
    Undefined(Rc<Undefined>),
    /// `None`.
    None,
    /// A truth value, which Python also counts with.
    Bool(bool),
    /// An integer; Python's are unbounded, ours end with 128 bits and say so.
    Int(i128),
    /// A float.
    Float(f64),
    /// Text.
    Str(Rc<str>),
    /// Text that is safe in HTML: MarkupSafe's `Markup`, which escapes what it is joined with.
    Markup(Rc<str>),
    /// A list.
    List(Rc<Vec<Value>>),
    /// A tuple.
    Tuple(Rc<Tuple>),
    /// A dictionary.
    Dict(Rc<Dict>),
    /// A dictionary's keys, values or items.
    View(View, Rc<Dict>),
    /// A range.
    Range(Range),
    /// An iterator, which gives each of its items once.
    Stream(Rc<Stream>),
    /// What only templates have: macros, loops, namespaces, functions.
    Object(Rc<Object>),
}

/// Why a value is undefined.
pub struct Undefined {
    /// What is said when it is used.
    pub message: String,
    /// What using it is.
    pub kind: Kind,
    /// Whether it is what an inline `if` without `else` gives, which is nothing even where undefined values are errors.
    pub implied: bool,
}

/// A tuple; one that `groupby` made also has names for its two items.
pub struct Tuple {
    pub items: Vec<Value>,
    pub grouped: bool,
}

/// What a view shows of a dictionary.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum View {
    Keys,
    Values,
    Items,
}

/// `range(start, stop, step)`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub start: i128,
    pub stop: i128,
    pub step: i128,
}

impl Range {
    pub fn length(&self) -> usize {
        let span = if self.step > 0 { self.stop - self.start } else { self.start - self.stop };
        let step = self.step.abs();
        usize::try_from((span.max(0) + step - 1) / step).unwrap_or(usize::MAX)
    }

    pub fn get(&self, index: usize) -> Value {
        Value::Int(self.start + self.step * index as i128)
    }
}

/// A dictionary in the order of insertion.
#[derive(Clone, Default)]
pub struct Dict {
    entries: Vec<(Value, Value)>,
}

impl Dict {
    /// A dictionary of keys that are known to differ.
    pub fn of_unique(entries: Vec<(Value, Value)>) -> Self {
        Self { entries }
    }

    /// Returns keys and values in the order in which they were set.
    pub fn entries(&self) -> &[(Value, Value)] {
        &self.entries
    }

    /// Returns the value of a key.
    pub fn get(&self, key: &Value) -> Option<&Value> {
        self.entries.iter().find(|(known, _)| known.equals(key)).map(|(_, value)| value)
    }

    /// Returns the value of a key that is text.
    pub fn get_str(&self, key: &str) -> Option<&Value> {
        self.entries.iter().find(|(known, _)| known.as_str() == Some(key)).map(|(_, value)| value)
    }

    /// Sets the value of a key, which keeps its place. Errors if the key is not hashable.
    pub fn set(&mut self, key: Value, value: Value) -> Result<()> {
        key.check_hashable()?;
        match self.entries.iter_mut().find(|(known, _)| known.equals(&key)) {
            Some((_, old)) => *old = value,
            None => self.entries.push((key, value)),
        }
        Ok(())
    }

    /// Returns the number of keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Value {
    /// Returns text.
    pub fn text(text: impl Into<Rc<str>>) -> Self {
        Self::Str(text.into())
    }

    /// Text of the same sort as another: safe where that is.
    pub fn text_like(like: &Self, text: impl Into<Rc<str>>) -> Self {
        match like {
            Self::Markup(_) => Self::Markup(text.into()),
            _ => Self::Str(text.into()),
        }
    }

    /// Returns a list of these items.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Rc::new(items))
    }

    /// Returns a tuple of these items.
    pub fn tuple(items: Vec<Self>) -> Self {
        Self::Tuple(Rc::new(Tuple { items, grouped: false }))
    }

    /// Returns a dictionary as a value.
    pub fn dict(dict: Dict) -> Self {
        Self::Dict(Rc::new(dict))
    }

    /// Returns an undefined value; `message` is what is said when it is used.
    pub fn undefined(message: impl Into<String>) -> Self {
        Self::Undefined(Rc::new(Undefined { message: message.into(), kind: Kind::Undefined, implied: false }))
    }

    /// Returns what an inline `if` without `else` gives.
    pub fn implied() -> Self {
        let message = "the inline if-expression evaluated to false and no else section was defined".into();
        Self::Undefined(Rc::new(Undefined { message, kind: Kind::Undefined, implied: true }))
    }

    /// Returns whether it is undefined.
    pub fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined(_))
    }

    /// Returns whether it is `None`.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// The text of either sort of string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) | Self::Markup(text) => Some(text),
            _ => None,
        }
    }

    /// A list's or a tuple's items.
    pub fn as_items(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            Self::Tuple(tuple) => Some(&tuple.items),
            _ => None,
        }
    }

    /// An integer or a truth value as a number.
    pub fn as_int(&self) -> Option<i128> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Bool(truth) => Some(i128::from(*truth)),
            _ => None,
        }
    }

    /// A number as a float.
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(number) => Some(*number),
            other => other.as_int().map(|number| number as f64),
        }
    }

    /// An index, an error where it is none.
    pub fn index(&self) -> Result<i128> {
        self.defined()?;
        let wrong = || Fault::types(format!("'{}' object cannot be interpreted as an integer", self.type_name()));
        self.as_int().ok_or_else(wrong)
    }

    /// The name of its type in Python.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Undefined(_) => "Undefined",
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::Markup(_) => "Markup",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Dict(_) => "dict",
            Self::View(View::Keys, _) => "dict_keys",
            Self::View(View::Values, _) => "dict_values",
            Self::View(View::Items, _) => "dict_items",
            Self::Range(_) => "range",
            Self::Stream(stream) => stream.type_name(),
            Self::Object(object) => object.type_name(),
        }
    }

    /// An error if it is undefined.
    pub fn defined(&self) -> Result<()> {
        match self {
            Self::Undefined(why) => Err(Fault::new(why.kind, why.message.clone())),
            _ => Ok(()),
        }
    }

    /// Returns Python's truth value: empty, zero, `None` and undefined are false.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Undefined(_) | Self::None => false,
            Self::Bool(truth) => *truth,
            Self::Int(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Str(text) | Self::Markup(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Tuple(tuple) => !tuple.items.is_empty(),
            Self::Dict(dict) | Self::View(_, dict) => !dict.is_empty(),
            Self::Range(range) => range.length() > 0,
            Self::Stream(_) => true,
            Self::Object(object) => object.is_true(),
        }
    }

    /// Python's `len`.
    pub fn length(&self) -> Result<usize> {
        Ok(match self {
            Self::Undefined(_) => 0,
            Self::Str(text) | Self::Markup(text) => text.chars().count(),
            Self::List(items) => items.len(),
            Self::Tuple(tuple) => tuple.items.len(),
            Self::Dict(dict) | Self::View(_, dict) => dict.len(),
            Self::Range(range) => range.length(),
            Self::Object(object) if object.length().is_some() => object.length().unwrap_or(0),
            other => return Err(Fault::types(format!("object of type '{}' has no len()", other.type_name()))),
        })
    }

    /// Python's `==`.
    pub fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Undefined(_), Self::Undefined(_)) | (Self::None, Self::None) => true,
            (Self::Str(a) | Self::Markup(a), Self::Str(b) | Self::Markup(b)) => a == b,
            (Self::List(a), Self::List(b)) => Rc::ptr_eq(a, b) || same_items(a, b),
            (Self::Tuple(a), Self::Tuple(b)) => same_items(&a.items, &b.items),
            (Self::Dict(a), Self::Dict(b)) => Rc::ptr_eq(a, b) || same_dicts(a, b),
            (Self::View(View::Values, a), Self::View(View::Values, b)) => Rc::ptr_eq(a, b),
            (Self::View(View::Keys, a), Self::View(View::Keys, b)) => {
                a.len() == b.len() && a.entries().iter().all(|(key, _)| b.get(key).is_some())
            }
            (Self::View(View::Items, a), Self::View(View::Items, b)) => same_dicts(a, b),
            (Self::Range(a), Self::Range(b)) => {
                a.length() == b.length()
                    && (a.length() == 0 || a.start == b.start && (a.length() == 1 || a.step == b.step))
            }
            (Self::Stream(a), Self::Stream(b)) => Rc::ptr_eq(a, b),
            (Self::Object(a), Self::Object(b)) => Rc::ptr_eq(a, b),
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::Float(float), number) | (number, Self::Float(float)) => {
                number.as_int().is_some_and(|number| number as f64 == *float && *float as i128 == number)
            }
            (a, b) => a.as_int().is_some_and(|number| b.as_int() == Some(number)),
        }
    }

    /// Whether it can be a key; an error where it cannot.
    pub fn check_hashable(&self) -> Result<()> {
        match self {
            Self::List(_) | Self::Dict(_) => Err(Fault::types(format!("unhashable type: '{}'", self.type_name()))),
            Self::View(View::Keys | View::Items, _) => {
                Err(Fault::types(format!("unhashable type: '{}'", self.type_name())))
            }
            Self::Tuple(tuple) => tuple.items.iter().try_for_each(Self::check_hashable),
            _ => Ok(()),
        }
    }

    /// Python's `is`, for values that two names can share.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b && (-5..=256).contains(a),
            (Self::Str(a), Self::Str(b)) => Rc::ptr_eq(a, b) || a == b && a.chars().count() <= 1,
            (Self::Markup(a), Self::Markup(b)) => Rc::ptr_eq(a, b),
            (Self::Undefined(a), Self::Undefined(b)) => Rc::ptr_eq(a, b),
            (Self::List(a), Self::List(b)) => Rc::ptr_eq(a, b),
            (Self::Tuple(a), Self::Tuple(b)) => Rc::ptr_eq(a, b) || a.items.is_empty() && b.items.is_empty(),
            (Self::Dict(a), Self::Dict(b)) => Rc::ptr_eq(a, b),
            (Self::Stream(a), Self::Stream(b)) => Rc::ptr_eq(a, b),
            (Self::Object(a), Self::Object(b)) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }
}

fn same_items(a: &[Value], b: &[Value]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.equals(b))
}

fn same_dicts(a: &Dict, b: &Dict) -> bool {
    let same = |(key, value): &(Value, Value)| b.get(key).is_some_and(|other| other.equals(value));
    a.len() == b.len() && a.entries().iter().all(same)
}

impl From<&serde_json::Value> for Value {
    /// What Python's `json.loads` makes of a document.
    fn from(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::None,
            serde_json::Value::Bool(truth) => Self::Bool(*truth),
            serde_json::Value::Number(number) => number_of(number),
            serde_json::Value::String(text) => Self::text(text.as_str()),
            serde_json::Value::Array(items) => Self::list(items.iter().map(Self::from).collect()),
            serde_json::Value::Object(fields) => Self::dict(Dict::of_unique(
                fields.iter().map(|(key, value)| (Self::text(key.as_str()), Self::from(value))).collect(),
            )),
        }
    }
}

fn number_of(number: &serde_json::Number) -> Value {
    match (number.as_i64(), number.as_u64()) {
        (Some(number), _) => Value::Int(number.into()),
        (None, Some(number)) => Value::Int(number.into()),
        (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
    }
}
