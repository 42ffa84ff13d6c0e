//! Finds the JSON document in an answer as a reader would: the one rule that every first-party evaluator follows.
//!
//! 1. A text that is JSON as a whole is the document, scalars included.
//! 2. Otherwise documents are objects and arrays in fences (` ```json `, or without a language), or else in the prose.
//! 3. In prose, brackets are not yet a document: `[1]` and `[2, 3]` are citations, `x["a"]` is an index, `[link](…)` is
//!    a link, `{}` is a placeholder. They count on lines of their own, or where that kind of document is wanted.
//! 4. What starts as an object or an array of texts, objects or arrays and then is no JSON is a *broken document*. What
//!    stands inside is part of it and never a document by itself: an answer that was cut off holds no document.
//! 5. Of several, [`Choice`] says which counts, broken ones included.
//!
//! A key that stands twice in one object is valid JSON, of which the last counts; [`Document::duplicates`] names it.

mod scan;
mod value;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// Which document counts where there are several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The first.
    First,
    /// The last, where an answer ends up that drafts or quotes before.
    #[default]
    Last,
    /// The longest in bytes; of equals, the first.
    Longest,
    /// There must be one: several are as good as none.
    Only,
}

/// The kind of document that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
}

/// A document that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its value.
    pub value: Value,
    /// JSON Pointers of keys that stand more than once in their object.
    pub duplicates: Vec<String>,
}

impl Kind {
    /// The kind of a value; `None` for scalars.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Object(_) => Some(Self::Object),
            Value::Array(_) => Some(Self::Array),
            _ => None,
        }
    }
}

/// Reads a text that must be JSON as a whole. An error says where it is not.
pub fn parse(text: &str) -> Result<Document, String> {
    value::whole(text.trim()).map_err(|cause| cause.to_string())
}

/// Finds the document of a text, preferring the kind that is `wanted`. An error says why there is none.
pub fn find(text: &str, choice: Choice, wanted: Option<Kind>) -> Result<Document, String> {
    match value::whole(text.trim()) {
        Ok(document) => Ok(document),
        Err(cause) => {
            let found = preferred(scan::documents(text), wanted);
            if found.is_empty() { Err(format!("no JSON document: {cause}")) } else { chosen(found, choice) }
        }
    }
}

/// The found documents that count: fenced ones before others, those of the wanted kind before others.
fn preferred(found: Vec<scan::Found>, wanted: Option<Kind>) -> Vec<scan::Found> {
    let steps: [&dyn Fn(&scan::Found) -> bool; 4] = [
        &|one| one.place == scan::Place::Fence && wanted.is_none_or(|kind| one.kind == kind),
        &|one| one.place == scan::Place::Prose && wanted.is_none_or(|kind| one.kind == kind),
        &|one| one.place == scan::Place::Aside && wanted.is_some_and(|kind| one.kind == kind),
        &|one| one.place != scan::Place::Aside,
    ];
    let step = steps.into_iter().find(|step| found.iter().any(step));
    step.map(|step| found.into_iter().filter(|one| step(one)).collect()).unwrap_or_default()
}

fn chosen(mut found: Vec<scan::Found>, choice: Choice) -> Result<Document, String> {
    let index = match choice {
        Choice::First => 0,
        Choice::Last => found.len() - 1,
        Choice::Longest => (0..found.len()).rev().max_by_key(|index| found[*index].length).unwrap_or(0),
        Choice::Only if found.len() == 1 => 0,
        Choice::Only => return Err(format!("no single JSON document: there are {}", found.len())),
    };
    found.swap_remove(index).document
}

#[cfg(test)]
mod tests;
