//! `--allow RULE`: findings that someone has looked at and accepts. They stay in the manifest and in the report.

use super::Session;
use diapason_core::finding::{Finding, Severity};
use diapason_core::schema::did_you_mean;
use diapason_core::{Error, Result};
use diapason_project::config::is_path;
use std::collections::{BTreeMap, BTreeSet};

/// Rules with the numbers of their findings.
pub(crate) type Allowed = BTreeMap<String, usize>;

/// Rules of the built-in validators, and of the host, whose findings are errors.
const ERRORS: [&str; 25] = [
    "ambiguous-shape",
    "constant-answer",
    "duplicate-id",
    "duplicate-key",
    "empty-line",
    "empty-text",
    "inexact-number",
    "invalid-json",
    "leaked-prompt",
    "missing-text",
    "no-answer",
    "no-turns",
    "not-an-object",
    "not-text",
    "partial-weight",
    "role-order",
    "two-systems",
    "unknown-role",
    "unknown-shape",
    "unsupported-column",
    "unsupported-field",
    "wrong-call",
    "wrong-tools",
    "wrong-type",
    "wrong-weight",
];

/// The rules that the session allows, with the numbers of errors among the findings; kept in the manifest.
///
/// Errors if no validator has such a rule.
pub(crate) fn record(session: &mut Session, findings: &[Finding]) -> Result<Allowed> {
    let allowed = counts(session, findings)?;
    // A rule without findings overrides nothing.
    let used: Allowed =
        allowed.iter().filter(|(_, count)| **count > 0).map(|(rule, count)| (rule.clone(), *count)).collect();
    if session.manifest.allowed != used {
        session.manifest.allowed = used;
        session.manifest.save(session.plan.folder())?;
    }
    Ok(allowed)
}

/// The rules that the session allows, with the numbers of errors among the findings.
///
/// Errors if no validator has such a rule.
pub(crate) fn counts(session: &Session, findings: &[Finding]) -> Result<Allowed> {
    let errors = || findings.iter().filter(|finding| finding.severity == Severity::Error);
    let validators = &session.plan.config.validators;
    let foreign = validators.iter().any(|entry| is_path(&entry.plugin, "wasm"));
    known(&session.allow, errors().map(|finding| finding.rule.as_str()), foreign)?;
    let count = |rule: &String| errors().filter(|finding| finding.rule == *rule).count();
    Ok(session.allow.iter().map(|rule| (rule.clone(), count(rule))).collect())
}

/// Refuses names that cannot be a rule's. Validators of one's own do not say which rules they have, so with one of those
/// any name may be right.
fn known<'a>(allow: &[String], found: impl Iterator<Item = &'a str>, foreign: bool) -> Result<()> {
    let known: BTreeSet<&str> = ERRORS.into_iter().chain(found).collect();
    match allow.iter().find(|rule| !foreign && !known.contains(rule.as_str())) {
        None => Ok(()),
        Some(rule) => Err(Error::config(format!("--allow {rule}: no validator reports errors of that rule"))
            .hint(did_you_mean(rule, known.iter().copied()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_rule_is_refused_with_the_nearest() {
        let error = known(&["leaked-promt".into()], [].into_iter(), false).expect_err("refused");
        assert_eq!(error.hint_text(), Some("did you mean `leaked-prompt`?"));
        assert_eq!(error.class(), diapason_core::Class::Config);
        assert!(known(&["own-rule".into()], ["own-rule"].into_iter(), false).is_ok(), "it was found");
        assert!(known(&["own-rule".into()], [].into_iter(), true).is_ok(), "a validator of one's own may find it");
    }

    /// The list above against the tables in the validators' READMEs.
    #[test]
    fn every_rule_with_errors_is_known() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins");
        let mut documented = BTreeSet::new();
        for name in ["validate-shape", "validate-duplicates", "validate-leakage", "validate-balance"] {
            let text = std::fs::read_to_string(format!("{folder}/{name}/README.md")).expect("a README");
            for line in text.lines().filter(|line| line.starts_with("| `") && line.contains("| error |")) {
                let cell = line.split('|').nth(1).unwrap_or_default();
                documented.extend(cell.split(',').map(|name| name.trim().trim_matches('`').to_owned()));
            }
        }
        assert_eq!(documented.iter().map(String::as_str).collect::<Vec<_>>(), ERRORS);
    }
}
