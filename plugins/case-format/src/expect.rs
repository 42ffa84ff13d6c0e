//! What a case expects of a plugin, held against what it gave. Errors say the first disagreement.

use crate::{Case, Result, from_value};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// How far numbers may be apart.
const TOLERANCE: f64 = 1e-9;

/// What an evaluator asks the model for, for one sample.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// How many completions.
    #[serde(default)]
    pub completions: u32,
    /// Continuations whose likelihood is wanted.
    #[serde(default)]
    pub continuations: Vec<String>,
}

/// What a plugin said of one sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Its measures, or why there are none.
    pub outcome: std::result::Result<Vec<(String, f64)>, String>,
    /// Name and text.
    pub notes: Vec<(String, String)>,
}

/// What a validator found.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The rule that is broken.
    pub rule: String,
    /// The dataset.
    pub split: String,
    /// The row's line.
    pub line: u32,
    /// `error`, `warning` or `note`.
    pub severity: &'static str,
    /// Where in the row.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// A piece of a conversation rendered for training.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// The text.
    pub text: String,
    /// Whether it is learned.
    pub learn: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedJudgement {
    scored: Option<BTreeMap<String, f64>>,
    unscored: Option<String>,
    #[serde(default)]
    notes: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedFinding {
    rule: String,
    line: u32,
    split: Option<String>,
    severity: Option<String>,
    path: Option<String>,
    message: Option<String>,
    hint: Option<String>,
}

/// Compares plans. A case without one expects none in particular.
///
/// # Errors
/// They differ.
pub fn plan(case: &Case, given: &[Plan]) -> Result<()> {
    match &case.plan {
        Some(expected) => equal(expected.as_slice(), given),
        None => Ok(()),
    }
}

/// Compares judgements, in their order.
///
/// # Errors
/// They differ, or `expect` is no list of judgements.
pub fn judgements(case: &Case, given: &[Judgement]) -> Result<()> {
    let Some(expected) = list(case)? else { return Ok(()) };
    let expected: Vec<ExpectedJudgement> = each(expected)?;
    same_count(expected.len(), given.len(), "judgements")?;
    let pairs = (1..).zip(expected.iter().zip(given));
    pairs.into_iter().try_for_each(|(number, (expected, given))| {
        expected.holds(given).map_err(|cause| format!("judgement {number}: {cause}"))
    })
}

/// Compares findings: each expected one takes one that was given, and none may be left on either side.
///
/// # Errors
/// They differ, or `expect` is no list of findings.
pub fn findings(case: &Case, mut given: Vec<Finding>) -> Result<()> {
    let Some(expected) = list(case)? else { return Ok(()) };
    for expected in each::<ExpectedFinding>(expected)? {
        let Some(place) = given.iter().position(|finding| expected.matches(finding)) else {
            return Err(format!("expected {expected:?}, got {}", shown(&given)));
        };
        given.remove(place);
    }
    if given.is_empty() { Ok(()) } else { Err(format!("not expected: {}", shown(&given))) }
}

/// Compares renderings for training: with a text the pieces joined, with a list of pieces these.
///
/// # Errors
/// They differ, or `expect` is no list of renderings.
pub fn segments(case: &Case, given: &[Vec<Segment>]) -> Result<()> {
    let Some(expected) = list(case)? else { return Ok(()) };
    same_count(expected.len(), given.len(), "renderings")?;
    expected.into_iter().zip(given).try_for_each(|(expected, given)| match expected {
        Value::String(text) => {
            let joined: String = given.iter().map(|segment| segment.text.as_str()).collect();
            equal(text.as_str(), joined.as_str())
        }
        pieces => {
            let pieces: Vec<Segment> = from_value(pieces).map_err(in_expect)?;
            equal(&merge(&pieces), &merge(given))
        }
    })
}

/// Compares prompts.
///
/// # Errors
/// They differ, or `expect` is no list of texts.
pub fn prompts(case: &Case, given: &[String]) -> Result<()> {
    let Some(expected) = list(case)? else { return Ok(()) };
    let expected: Vec<String> = each(expected)?;
    same_count(expected.len(), given.len(), "prompts")?;
    expected.iter().zip(given).try_for_each(|(expected, given)| equal(expected, given))
}

impl ExpectedJudgement {
    fn holds(&self, given: &Judgement) -> Result<()> {
        match (&self.scored, &self.unscored, &given.outcome) {
            (Some(expected), None, Ok(measures)) => same_measures(expected, measures)?,
            (None, Some(part), Err(reason)) if reason.contains(part) => {}
            (None, Some(part), Err(reason)) => return Err(format!("expected unscored for `{part}`, got `{reason}`")),
            (Some(_), None, Err(reason)) => return Err(format!("expected a score, got unscored: {reason}")),
            (None, Some(_), Ok(measures)) => return Err(format!("expected unscored, got {measures:?}")),
            _ => return Err("needs one of `scored` and `unscored`".into()),
        }
        self.notes.iter().try_for_each(|(name, part)| has_note(given, name, part))
    }
}

impl ExpectedFinding {
    fn matches(&self, given: &Finding) -> bool {
        let same = |expected: &Option<String>, given: &str| expected.as_deref().is_none_or(|text| text == given);
        let within =
            |expected: &Option<String>, given: &str| expected.as_deref().is_none_or(|text| given.contains(text));
        self.rule == given.rule
            && self.line == given.line
            && same(&self.split, &given.split)
            && same(&self.severity, given.severity)
            && same(&self.path, &given.path)
            && within(&self.message, &given.message)
            && within(&self.hint, &given.hint)
    }
}

fn shown(findings: &[Finding]) -> String {
    if findings.is_empty() { "no other finding".into() } else { format!("{findings:#?}") }
}

fn same_measures(expected: &BTreeMap<String, f64>, given: &[(String, f64)]) -> Result<()> {
    let close = |(name, value): (&String, &f64)| {
        given.iter().any(|(known, given)| known == name && (given - value).abs() <= TOLERANCE)
    };
    let same = expected.len() == given.len() && expected.iter().all(close);
    if same { Ok(()) } else { Err(format!("expected {expected:?}, got {given:?}")) }
}

fn has_note(given: &Judgement, name: &str, part: &str) -> Result<()> {
    let found = given.notes.iter().any(|(known, text)| known == name && text.contains(part));
    if found { Ok(()) } else { Err(format!("expected a note `{name}` with `{part}`, got {:?}", given.notes)) }
}

/// Joins neighbours that are learned alike and drops empty pieces.
fn merge(pieces: &[Segment]) -> Vec<Segment> {
    let mut merged: Vec<Segment> = Vec::new();
    for piece in pieces.iter().filter(|piece| !piece.text.is_empty()) {
        match merged.last_mut() {
            Some(last) if last.learn == piece.learn => last.text.push_str(&piece.text),
            _ => merged.push(piece.clone()),
        }
    }
    merged
}

fn equal<T: PartialEq + Debug + ?Sized>(expected: &T, given: &T) -> Result<()> {
    if expected == given { Ok(()) } else { Err(format!("expected {expected:?}\n     got {given:?}")) }
}

fn same_count(expected: usize, given: usize, of: &str) -> Result<()> {
    if expected == given { Ok(()) } else { Err(format!("expected {expected} {of}, got {given}")) }
}

fn list(case: &Case) -> Result<Option<Vec<Value>>> {
    case.expect.clone().map(from_value).transpose().map_err(in_expect)
}

fn each<T: serde::de::DeserializeOwned>(list: Vec<Value>) -> Result<Vec<T>> {
    let one = |(number, value)| from_value(value).map_err(|cause| in_expect(format!("entry {number}: {cause}")));
    (1..).zip(list).map(one).collect()
}

fn in_expect(cause: String) -> String {
    format!("`expect`: {cause}")
}

#[cfg(test)]
mod tests;
