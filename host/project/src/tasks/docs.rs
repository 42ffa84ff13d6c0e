//! Rows as the library `datasets` has them: every row has every column, and a column has one type. What the library would
//! convert in a way that nobody sees in the file is refused.

use super::field::Doc;
use diapason_core::{Error, Result};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What the values of a column are.
#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// Nothing is known: all are null.
    Null,
    Bool,
    Int,
    Float,
    Text,
    /// Texts that are all dates, which the library takes for times.
    Time,
    List(Box<Kind>),
    /// Fields in their order, in which a template prints them.
    Map(Vec<(String, Kind)>),
}

/// The rows of a split, alike.
#[derive(Debug, Default)]
pub(super) struct Docs {
    /// In the order in which they first appear.
    pub(super) columns: Vec<String>,
    kinds: BTreeMap<String, Kind>,
    pub(super) rows: Vec<Doc>,
}

impl Docs {
    /// # Errors
    /// A column has values of several types, dates, or integers of more than 64 bits.
    pub(super) fn of(mut rows: Vec<Doc>) -> Result<Self> {
        let (mut columns, mut kinds): (Vec<String>, BTreeMap<String, Kind>) = (Vec::new(), BTreeMap::new());
        for (number, row) in (1..).zip(&rows) {
            for (name, value) in row {
                let fail = |what: String| mixed(name, number, &what);
                let kind = Kind::of(value).map_err(fail)?;
                let known = kinds.remove(name).unwrap_or_else(|| {
                    columns.push(name.clone());
                    Kind::Null
                });
                kinds.insert(name.clone(), known.with(kind).map_err(fail)?);
            }
        }
        if let Some((name, _)) = kinds.iter().find(|(_, kind)| kind.has_time()) {
            let error = Error::data(format!("all texts of the column `{name}` are dates"));
            return Err(error.hint("the library `datasets` makes times of them: write them in another form"));
        }
        for row in &mut rows {
            *row = columns.iter().map(|name| (name.clone(), kinds[name].cast(row.remove(name)))).collect();
        }
        Ok(Self { columns, kinds, rows })
    }

    /// Errors where another split has other columns, or other types in them.
    pub(super) fn same_columns(&self, own: &str, others: &Self, other: &str) -> Result<()> {
        let hint = "the splits of a task have the same columns with the same types";
        for (name, kind) in &others.kinds {
            let Some(known) = self.kinds.get(name) else {
                let message = format!("split `{own}` has no column `{name}`, which split `{other}` has");
                return Err(Error::data(message).hint(hint));
            };
            if known != kind && !(self.rows.is_empty() || others.rows.is_empty()) {
                let message = format!("the column `{name}` has another type in split `{own}` than in split `{other}`");
                return Err(Error::data(message).hint(hint));
            }
        }
        Ok(())
    }
}

fn mixed(column: &str, row: usize, what: &str) -> Error {
    Error::data(format!("the column `{column}` {what} (row {row})"))
        .hint("a column has values of one type; in nested objects all rows have the same keys")
}

impl Kind {
    fn of(value: &Value) -> std::result::Result<Self, String> {
        Ok(match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Bool,
            Value::Number(number) if number.as_i64().is_some() => Self::Int,
            Value::Number(number)
                if number.is_f64() && number.as_f64().is_none_or(|n| n != 0.0 || n.is_sign_positive()) =>
            {
                Self::Float
            }
            Value::Number(number) => return Err(format!("holds {number}, which is no integer of 64 bits")),
            Value::String(text) => {
                if is_time(text) {
                    Self::Time
                } else {
                    Self::Text
                }
            }
            Value::Array(items) => {
                let kinds = items.iter().map(Self::of);
                Self::List(Box::new(kinds.reduce(|one, other| one?.with(other?)).unwrap_or(Ok(Self::Null))?))
            }
            Value::Object(fields) => {
                let kind = |(name, value): (&String, &Value)| Ok::<_, String>((name.clone(), Self::of(value)?));
                Self::Map(fields.iter().map(kind).collect::<std::result::Result<_, _>>()?)
            }
        })
    }

    fn with(self, other: Self) -> std::result::Result<Self, String> {
        Ok(match (self, other) {
            (Self::Null, kind) | (kind, Self::Null) => kind,
            (Self::Int, Self::Float) | (Self::Float, Self::Int) => Self::Float,
            (Self::Text, Self::Time) | (Self::Time, Self::Text) => Self::Text,
            (Self::List(one), Self::List(other)) => Self::List(Box::new(one.with(*other)?)),
            (Self::Map(one), Self::Map(other)) => {
                if !one.iter().map(|(name, _)| name).eq(other.iter().map(|(name, _)| name)) {
                    return Err("has objects with different keys, or in another order".into());
                }
                let both = one.into_iter().zip(other).map(|((name, one), (_, other))| Ok((name, one.with(other)?)));
                Self::Map(both.collect::<std::result::Result<_, String>>()?)
            }
            (one, other) if one == other => one,
            (one, other) => return Err(format!("has values of different types, {} and {}", one.name(), other.name())),
        })
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "true or false",
            Self::Int | Self::Float => "a number",
            Self::Text | Self::Time => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }

    fn has_time(&self) -> bool {
        match self {
            Self::Time => true,
            Self::List(kind) => kind.has_time(),
            Self::Map(kinds) => kinds.iter().any(|(_, kind)| kind.has_time()),
            _ => false,
        }
    }

    /// A value of this kind: where a column has fractions, all of its numbers are floats.
    fn cast(&self, value: Option<Value>) -> Value {
        match (self, value.unwrap_or_default()) {
            (Self::Float, Value::Number(number)) => number.as_f64().into(),
            (Self::List(kind), Value::Array(items)) => {
                Value::Array(items.into_iter().map(|item| kind.cast(Some(item))).collect())
            }
            (Self::Map(kinds), Value::Object(mut fields)) => {
                let cast = |(name, kind): &(String, Self)| (name.clone(), kind.cast(fields.remove(name)));
                Value::Object(kinds.iter().map(cast).collect::<Map<_, _>>())
            }
            (_, value) => value,
        }
    }
}

/// Whether a text begins as ISO 8601 writes a day, and goes on as a time of day or not at all.
fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| bytes[range].iter().all(u8::is_ascii_digit);
    bytes.len() >= 10
        && digits(0..4)
        && digits(5..7)
        && digits(8..10)
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && (bytes.len() == 10 || (bytes.len() >= 13 && matches!(bytes[10], b' ' | b'T') && digits(11..13)))
}
