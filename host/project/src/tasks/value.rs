//! What a YAML document is made of.

use diapason_core::Error;

/// A node and its line, from 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) value: Yaml,
    pub(super) line: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Yaml {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
    /// A function in Python, by its name.
    Function(String),
}

/// The error of something on a line, and what to do about it.
pub(super) fn refuse(line: usize, what: &str, hint: &str) -> Error {
    Error::config(format!("line {line}: {what}")).hint(hint)
}
