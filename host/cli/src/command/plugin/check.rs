//! Holds what a plugin gave against what its case expects. Errors say the first disagreement.

use super::case::{Case, Expected, ExpectedFinding, Planned};
use diapason_core::finding::Finding;
use diapason_core::sample::Segment;
use diapason_core::score::{Judgement, Outcome};
use serde_json::{Value, json};

const TOLERANCE: f64 = 1e-9;

type Checked = Result<(), String>;

pub(super) fn plan(case: &Case, given: &[Planned]) -> Checked {
    match &case.plan {
        Some(expected) if expected != given => Err(format!("expected the plan {expected:?}, got {given:?}")),
        _ => Ok(()),
    }
}

pub(super) fn judgements(case: &Case, given: &[Judgement]) -> Checked {
    let Some(expected) = case.expected::<Expected>()? else { return Ok(()) };
    same_length(expected.len(), given.len(), "judgements")?;
    for (index, (expected, given)) in expected.iter().zip(given).enumerate() {
        judgement(expected, given).map_err(|text| format!("sample {}: {text}", index + 1))?;
    }
    Ok(())
}

fn judgement(expected: &Expected, given: &Judgement) -> Checked {
    match (&expected.scored, &expected.unscored, &given.outcome) {
        (Some(expected), None, Outcome::Scored(measures)) => {
            let same = expected.len() == measures.len()
                && measures
                    .iter()
                    .all(|one| expected.get(&one.name).is_some_and(|value| (value - one.value).abs() <= TOLERANCE));
            let shown: Vec<_> = measures.iter().map(|one| format!("{} {}", one.name, one.value)).collect();
            if !same {
                return Err(format!("expected {}, got {}", json!(expected), shown.join(", ")));
            }
        }
        (None, Some(part), Outcome::Unscored(reason)) if reason.contains(part) => {}
        (None, Some(part), Outcome::Unscored(reason)) => {
            return Err(format!("expected unscored for `{part}`, got `{reason}`"));
        }
        (Some(_), None, Outcome::Unscored(reason)) => return Err(format!("expected a score, got unscored: {reason}")),
        (None, Some(_), Outcome::Scored(_)) => return Err("expected unscored, got a score".into()),
        _ => return Err("`expect` has either `scored` or `unscored`".into()),
    }
    notes(expected, given)
}

fn notes(expected: &Expected, given: &Judgement) -> Checked {
    for (name, part) in &expected.notes {
        if !given.notes.iter().any(|(known, text)| known == name && text.contains(part)) {
            return Err(format!("expected a note `{name}` with `{part}`, got {:?}", given.notes));
        }
    }
    Ok(())
}

pub(super) fn findings(case: &Case, given: &[Finding]) -> Checked {
    let Some(expected) = case.expected::<ExpectedFinding>()? else { return Ok(()) };
    let mut left: Vec<&Finding> = given.iter().collect();
    for wanted in &expected {
        match left.iter().position(|finding| fits(wanted, finding)) {
            Some(index) => drop(left.remove(index)),
            None => return Err(format!("expected {wanted:?}, got {}", shown(&left))),
        }
    }
    if left.is_empty() { Ok(()) } else { Err(format!("not expected: {}", shown(&left))) }
}

fn fits(wanted: &ExpectedFinding, finding: &Finding) -> bool {
    let severity = json!(finding.severity);
    let equal = |wanted: &Option<String>, given: &str| wanted.as_deref().is_none_or(|wanted| wanted == given);
    let contained =
        |wanted: &Option<String>, given: &str| wanted.as_deref().is_none_or(|wanted| given.contains(wanted));
    wanted.rule == finding.rule
        && wanted.line == finding.line
        && equal(&wanted.split, &finding.split)
        && equal(&wanted.severity, severity.as_str().unwrap_or_default())
        && equal(&wanted.path, &finding.path)
        && contained(&wanted.message, &finding.message)
        && contained(&wanted.hint, &finding.hint)
}

fn shown(findings: &[&Finding]) -> String {
    let one = |finding: &&Finding| format!("{} on {} line {}", finding.rule, finding.split, finding.line);
    let list = findings.iter().map(one).collect::<Vec<_>>().join(", ");
    if list.is_empty() { "no other finding".into() } else { list }
}

pub(super) fn prompts(case: &Case, given: &[String]) -> Checked {
    let Some(expected) = case.expected::<String>()? else { return Ok(()) };
    same_length(expected.len(), given.len(), "prompts")?;
    match expected.iter().zip(given).find(|(expected, given)| expected != given) {
        Some((expected, given)) => Err(format!("expected {expected:?}, got {given:?}")),
        None => Ok(()),
    }
}

pub(super) fn training(case: &Case, given: &[Vec<Segment>]) -> Checked {
    let Some(expected) = case.expected::<Value>()? else { return Ok(()) };
    same_length(expected.len(), given.len(), "renderings")?;
    for (expected, given) in expected.into_iter().zip(given) {
        if let Value::String(text) = &expected {
            let joined: String = given.iter().map(|segment| segment.text.as_str()).collect();
            if *text != joined {
                return Err(format!("expected {text:?}, got {joined:?}"));
            }
            continue;
        }
        let wanted: Vec<Segment> = serde_json::from_value(expected).map_err(|cause| format!("`expect`: {cause}"))?;
        let (wanted, given) = (joined(&wanted), joined(given));
        if wanted != given {
            return Err(format!("expected {}, got {}", json!(wanted), json!(given)));
        }
    }
    Ok(())
}

/// Neighbours with the same `learn` joined, empty ones dropped.
fn joined(segments: &[Segment]) -> Vec<Segment> {
    let mut joined: Vec<Segment> = Vec::new();
    for segment in segments.iter().filter(|segment| !segment.text.is_empty()) {
        match joined.last_mut().filter(|last| last.learn == segment.learn) {
            Some(last) => last.text.push_str(&segment.text),
            None => joined.push(segment.clone()),
        }
    }
    joined
}

fn same_length(expected: usize, given: usize, what: &str) -> Checked {
    if expected == given { Ok(()) } else { Err(format!("expected {expected} {what}, got {given}")) }
}
