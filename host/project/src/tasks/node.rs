//! Taking values of a certain kind out of nodes.

use super::value::{Node, Yaml, refuse};
use diapason_core::schema::did_you_mean;
use diapason_core::{Error, Result};
use serde_json::{Map, Value};

/// The keys of a mapping, each asked for once: those that are left are unknown. Absent and null are the same.
pub(super) struct Keys {
    /// The mapping's own name, for messages.
    of: String,
    line: usize,
    left: Vec<(String, Node)>,
    known: Vec<&'static str>,
}

impl Keys {
    /// # Errors
    /// The node is no mapping.
    pub(super) fn of(node: Node, name: &str) -> Result<Self> {
        match node.value {
            Yaml::Map(left) => Ok(Self { of: name.into(), line: node.line, left, known: Vec::new() }),
            _ => Err(wrong(&node, name, "a mapping")),
        }
    }

    pub(super) fn line(&self) -> usize {
        self.line
    }

    pub(super) fn take(&mut self, key: &'static str) -> Option<Node> {
        self.known.push(key);
        let at = self.left.iter().position(|(known, _)| known == key)?;
        Some(self.left.remove(at).1).filter(|node| node.value != Yaml::Null)
    }

    pub(super) fn text(&mut self, key: &'static str) -> Result<Option<String>> {
        self.take(key).map(|node| text(node, key)).transpose()
    }

    pub(super) fn count(&mut self, key: &'static str) -> Result<Option<usize>> {
        let count = |node: Node| match node.value {
            Yaml::Int(count) => usize::try_from(count).map_err(|_| wrong(&node, key, "a number from 0")),
            _ => Err(wrong(&node, key, "a whole number")),
        };
        self.take(key).map(count).transpose()
    }

    pub(super) fn truth(&mut self, key: &'static str) -> Result<Option<bool>> {
        let truth = |node: Node| match node.value {
            Yaml::Bool(truth) => Ok(truth),
            _ => Err(wrong(&node, key, "true or false")),
        };
        self.take(key).map(truth).transpose()
    }

    /// Refuses keys by what is said of them.
    pub(super) fn refuse(&mut self, reasons: &[(&'static str, &str)]) -> Result<()> {
        for (key, hint) in reasons {
            if let Some(node) = self.take(key) {
                return Err(refuse(node.line, &format!("`{key}` is not supported"), hint));
            }
        }
        Ok(())
    }

    /// # Errors
    /// A key is left that nobody asked for.
    pub(super) fn end(self) -> Result<()> {
        match self.left.iter().find(|(_, node)| node.value != Yaml::Null) {
            Some((key, node)) => {
                let hint = did_you_mean(key, self.known.iter().copied());
                Err(refuse(node.line, &format!("unknown key `{key}` in {}", self.of), &hint))
            }
            None => Ok(()),
        }
    }
}

pub(super) fn text(node: Node, name: &str) -> Result<String> {
    match node.value {
        Yaml::Text(text) => Ok(text),
        _ => Err(wrong(&node, name, "a text")),
    }
}

/// A text, or a list of texts.
pub(super) fn texts(node: Node, name: &str) -> Result<Vec<String>> {
    match node.value {
        Yaml::Text(text) => Ok(vec![text]),
        Yaml::List(items) => items.into_iter().map(|item| text(item, name)).collect(),
        _ => Err(wrong(&node, name, "a text or a list of texts")),
    }
}

pub(super) fn list(node: Node, name: &str) -> Result<Vec<Node>> {
    match node.value {
        Yaml::List(items) => Ok(items),
        _ => Err(wrong(&node, name, "a list")),
    }
}

/// The error of a node of the wrong kind; a function is refused as such.
pub(super) fn wrong(node: &Node, name: &str, expected: &str) -> Error {
    match &node.value {
        Yaml::Function(function) => refuse(
            node.line,
            &format!("`{name}` is the Python function `{function}`, which is not run"),
            "write what it does as a Jinja template, or prepare the data with it beforehand",
        ),
        _ => refuse(node.line, &format!("`{name}` is not {expected}"), &format!("`{name}` is {expected}")),
    }
}

/// A node as JSON.
///
/// # Errors
/// It has a function.
pub(super) fn json(node: &Node) -> Result<Value> {
    Ok(match &node.value {
        Yaml::Null => Value::Null,
        Yaml::Bool(truth) => (*truth).into(),
        Yaml::Int(number) => (*number).into(),
        Yaml::Float(number) => (*number).into(),
        Yaml::Text(text) => text.as_str().into(),
        Yaml::List(items) => Value::Array(items.iter().map(json).collect::<Result<_>>()?),
        Yaml::Map(entries) => {
            let entry = |(key, value): &(String, Node)| Ok((key.clone(), json(value)?));
            Value::Object(entries.iter().map(entry).collect::<Result<Map<_, _>>>()?)
        }
        Yaml::Function(_) => return Err(wrong(node, "a value", "a value")),
    })
}
