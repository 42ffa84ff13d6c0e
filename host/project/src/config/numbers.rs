//! Numbers that TOML can write and a configuration cannot mean: not a number, infinity, and `8.0` where 8 is meant.
//!
//! JSON has none of the first two. On the way to it they would become `null`, and a limit of `nan` no limit at all.

use diapason_core::schema::Problem;
use serde_json::Value;
use toml::Value as Toml;

/// Every such number of `table`. `schema` says where whole numbers are expected.
pub(super) fn problems(table: &toml::Table, schema: &Value) -> Vec<Problem> {
    let mut found = Vec::new();
    for (key, value) in table {
        let inner = Place { schema, node: schema }.key(key);
        look(value, &format!("/{}", escaped(key)), inner.as_ref(), &mut found);
    }
    found
}

fn look(value: &Toml, pointer: &str, place: Option<&Place<'_>>, found: &mut Vec<Problem>) {
    match value {
        Toml::Float(number) => found.extend(wrong(*number, place).map(|(message, hint)| Problem {
            pointer: pointer.into(),
            message,
            hint: Some(hint.into()),
        })),
        Toml::Array(list) => {
            let inner = place.and_then(Place::items);
            for (index, value) in list.iter().enumerate() {
                look(value, &format!("{pointer}/{index}"), inner.as_ref(), found);
            }
        }
        Toml::Table(table) => {
            for (key, value) in table {
                let inner = place.and_then(|place| place.key(key));
                look(value, &format!("{pointer}/{}", escaped(key)), inner.as_ref(), found);
            }
        }
        _ => {}
    }
}

/// Message and hint.
fn wrong(number: f64, place: Option<&Place<'_>>) -> Option<(String, &'static str)> {
    if number.is_nan() {
        return Some(("`nan` is not a number".into(), "leave the key out where there is no value"));
    }
    if number.is_infinite() {
        return Some((format!("{number} is not a finite number"), "leave the key out where there is no limit"));
    }
    let whole = place.is_some_and(Place::is_integer);
    whole.then(|| (format!("{number:?} is not a whole number"), "write it without a point and without an exponent"))
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A place in the schema.
struct Place<'s> {
    schema: &'s Value,
    node: &'s Value,
}

impl<'s> Place<'s> {
    fn at(&self, node: &'s Value) -> Self {
        Place { schema: self.schema, node }
    }

    /// What the node and those that it refers to say of `keyword`.
    fn find(&self, keyword: &str) -> Option<&'s Value> {
        let mut nodes = vec![self.node];
        while let Some(node) = nodes.pop() {
            if let Some(found) = node.get(keyword) {
                return Some(found);
            }
            let reference = node.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
            nodes.extend(reference.and_then(|pointer| self.schema.pointer(pointer)));
            nodes.extend(node.get("anyOf").and_then(Value::as_array).into_iter().flatten());
        }
        None
    }

    fn key(&self, key: &str) -> Option<Self> {
        let named = self.find("properties").and_then(|properties| properties.get(key));
        named.or_else(|| self.find("additionalProperties")).map(|node| self.at(node))
    }

    fn items(&self) -> Option<Self> {
        self.find("items").map(|node| self.at(node))
    }

    fn is_integer(&self) -> bool {
        match self.node.get("type") {
            Some(Value::String(name)) => name == "integer",
            Some(Value::Array(names)) => names.iter().any(|name| name == "integer"),
            _ => false,
        }
    }
}
