//! What a case expects of a plugin.

use super::from_value;
use crate::{Finding, Judgement, Measure, MeasureInfo, Outcome, Request, Result, Segment, Severity};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// How far numbers may be apart.
const TOLERANCE: f64 = 1e-9;

/// What `plan` must give for one sample.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    #[serde(default)]
    completions: u32,
    #[serde(default)]
    continuations: Vec<String>,
}

/// What must come of one sample.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Judged {
    scored: Option<BTreeMap<String, f64>>,
    unscored: Option<String>,
    #[serde(default)]
    notes: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Found {
    rule: String,
    line: u32,
    split: Option<String>,
    severity: Option<String>,
    path: Option<String>,
    message: Option<String>,
    hint: Option<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Piece {
    text: String,
    learn: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Rendered {
    Joined(String),
    Pieces(Vec<Piece>),
}

/// Compares requests. Without an expectation everything is as expected.
pub(super) fn plan(expected: Option<&[Plan]>, given: &[Request]) -> Result<()> {
    let given: Vec<Plan> = given.iter().map(Plan::from).collect();
    match expected {
        Some(expected) if expected != given => Err(format!("expected plan {expected:?}\n              got {given:?}")),
        _ => Ok(()),
    }
}

/// Whether every measure was described, finite and, if it is called binary, 0 or 1.
pub(super) fn declared(measures: &[MeasureInfo], judgements: &[Judgement]) -> Result<()> {
    judgements.iter().flat_map(scores).try_for_each(|score| {
        let name = &score.name;
        let Some(info) = measures.iter().find(|info| info.name == *name) else {
            return Err(format!("`{name}` is not among the measures described"));
        };
        let (least, most) = info.bounds.unwrap_or((f64::MIN, f64::MAX));
        let allowed = if info.binary { score.value == 0.0 || score.value == 1.0 } else { true };
        let good = score.value.is_finite() && (least..=most).contains(&score.value) && allowed;
        if good { Ok(()) } else { Err(format!("`{name}` is {}, against its description {info:?}", score.value)) }
    })
}

/// Compares judgements.
pub(super) fn judgements(expected: Option<&Value>, given: &[Judgement]) -> Result<()> {
    let Some(expected) = list::<Judged>(expected)? else { return Ok(()) };
    same_count(expected.len(), given.len(), "judgements")?;
    let judged = |(index, (expected, given)): (usize, (&Judged, &Judgement))| {
        expected.matches(given).map_err(|cause| format!("judgement {}: {cause}", index + 1))
    };
    expected.iter().zip(given).enumerate().try_for_each(judged)
}

/// Compares findings: each expected one takes a given one, and none may be left on either side.
pub(super) fn findings(expected: Option<&Value>, mut given: Vec<Finding>) -> Result<()> {
    for expected in list::<Found>(expected)?.unwrap_or_default() {
        let Some(place) = given.iter().position(|finding| expected.matches(finding)) else {
            return Err(format!("missing {expected:?}\namong {given:#?}"));
        };
        given.remove(place);
    }
    if given.is_empty() { Ok(()) } else { Err(format!("unexpected {given:#?}")) }
}

/// Compares renderings for training.
pub(super) fn segments(expected: Option<&Value>, given: Vec<Vec<Segment>>) -> Result<()> {
    let expected = list::<Rendered>(expected)?.unwrap_or_default();
    same_count(expected.len(), given.len(), "renderings")?;
    expected.into_iter().zip(given).try_for_each(|(expected, given)| match expected {
        Rendered::Joined(text) => {
            let joined: String = given.into_iter().map(|segment| segment.text).collect();
            same(&text, &joined)
        }
        Rendered::Pieces(pieces) => {
            let given = given.into_iter().map(|segment| Piece { text: segment.text, learn: segment.learn });
            same(&merge(pieces), &merge(given))
        }
    })
}

/// Compares prompts.
pub(super) fn prompts(expected: Option<&Value>, given: &[String]) -> Result<()> {
    let expected = list::<String>(expected)?.unwrap_or_default();
    same_count(expected.len(), given.len(), "prompts")?;
    expected.iter().zip(given).try_for_each(|(expected, given)| same(expected, given))
}

impl From<&Request> for Plan {
    fn from(request: &Request) -> Self {
        Self { completions: request.completions, continuations: request.continuations.clone() }
    }
}

impl Judged {
    fn matches(&self, given: &Judgement) -> Result<()> {
        let outcome = match (&self.scored, &self.unscored, &given.outcome) {
            (Some(expected), None, Outcome::Scored(measures)) => same_measures(expected, measures),
            (None, Some(text), Outcome::Unscored(reason)) => contains(reason, text),
            (Some(_), None, outcome) | (None, Some(_), outcome) => Err(format!("got {outcome:?}")),
            _ => Err("a judgement needs one of `scored` and `unscored`".into()),
        };
        outcome.and_then(|()| self.notes.iter().try_for_each(|(name, text)| has_note(given, name, text)))
    }
}

impl Found {
    fn matches(&self, finding: &Finding) -> bool {
        let same = |expected: &Option<String>, given: &str| expected.as_deref().is_none_or(|text| text == given);
        let within =
            |expected: &Option<String>, given: &str| expected.as_deref().is_none_or(|text| given.contains(text));
        self.rule == finding.rule
            && self.line == finding.line
            && same(&self.split, &finding.split)
            && same(&self.severity, severity(finding.severity))
            && same(&self.path, &finding.path)
            && within(&self.message, &finding.message)
            && within(&self.hint, &finding.hint)
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn scores(judgement: &Judgement) -> &[Measure] {
    match &judgement.outcome {
        Outcome::Scored(measures) => measures,
        Outcome::Unscored(_) => &[],
    }
}

fn same_measures(expected: &BTreeMap<String, f64>, given: &[Measure]) -> Result<()> {
    let found: BTreeMap<String, f64> = given.iter().map(|measure| (measure.name.clone(), measure.value)).collect();
    let close =
        |(name, value): (&String, &f64)| found.get(name).is_some_and(|found| (found - value).abs() <= TOLERANCE);
    let same = expected.len() == given.len() && expected.iter().all(close);
    if same { Ok(()) } else { Err(format!("expected {expected:?}, got {found:?}")) }
}

fn has_note(given: &Judgement, name: &str, text: &str) -> Result<()> {
    let found = given.notes.iter().any(|(known, note)| known == name && note.contains(text));
    if found { Ok(()) } else { Err(format!("no note `{name}` with `{text}` among {:?}", given.notes)) }
}

fn contains(given: &str, text: &str) -> Result<()> {
    if given.contains(text) { Ok(()) } else { Err(format!("expected `{text}` in `{given}`")) }
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(expected: &T, given: &T) -> Result<()> {
    if expected == given { Ok(()) } else { Err(format!("expected {expected:?}\n     got {given:?}")) }
}

fn same_count(expected: usize, given: usize, of: &str) -> Result<()> {
    if expected == given { Ok(()) } else { Err(format!("expected {expected} {of}, got {given}")) }
}

/// Joins neighbours that are learnt alike and drops empty pieces.
fn merge(pieces: impl IntoIterator<Item = Piece>) -> Vec<Piece> {
    let mut merged: Vec<Piece> = Vec::new();
    for piece in pieces.into_iter().filter(|piece| !piece.text.is_empty()) {
        match merged.last_mut() {
            Some(last) if last.learn == piece.learn => last.text.push_str(&piece.text),
            _ => merged.push(piece),
        }
    }
    merged
}

fn list<T: serde::de::DeserializeOwned>(expected: Option<&Value>) -> Result<Option<Vec<T>>> {
    let read = |value: &Value| from_value(value.clone()).map_err(|cause| format!("`expect`: {cause}"));
    expected.map(read).transpose()
}
