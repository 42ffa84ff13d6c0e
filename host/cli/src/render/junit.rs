//! `junit.xml` in the dialect of Jenkins: one suite for the gate with a test case for each rule, and one for each
//! evaluation suite with a test case for each sample.
//!
//! A rule that failed is a `failure`; one that could not be settled is `skipped` with its reason (the gate's exit code
//! says inconclusive, and no green build hides it: the case is not counted as passed). A sample that got worse is a
//! `skipped` case too, not a failure: single flips are for reading, the rules decide.

use super::about::{About, Fact, Plugin};
use super::flips;
use super::words::{self, Subject};
use diapason_core::escape;
use diapason_core::gate::{ConditionResult, Verdict};
use diapason_core::report::{Report, SideBySide};
use diapason_core::score::{Arm, Outcome};
use diapason_core::{Error, Result};
use quick_junit::{NonSuccessKind, Property, Report as Document, TestCase, TestCaseStatus, TestSuite, XmlString};
use std::collections::HashMap;

/// The report as JUnit XML.
pub(crate) fn render(report: &Report) -> Result<String> {
    let gate = report.gate.iter().map(|gate| {
        let cases = gate.conditions.iter().map(|condition| rule(report, condition));
        suite(format!("{}.gate", report.name), cases)
    });
    let worse: HashMap<(&str, &str), Vec<String>> = flips::worse(report)
        .into_iter()
        .map(|(sample, by)| ((sample.suite.as_str(), sample.sample.as_str()), by))
        .collect();
    let suites = report.comparison.suites.iter().map(|compared| {
        let mine = report.samples.iter().filter(|sample| sample.suite == compared.name);
        let ended =
            |it: &SideBySide| case(&it.sample, outcome(it, worse.get(&(it.suite.as_str(), it.sample.as_str()))));
        suite(format!("{}.{}", report.name, compared.name), mine.map(ended))
    });
    let data = (!report.allowed.is_empty()).then(|| allowed(report));
    let mut suites: Vec<TestSuite> = gate.chain(data).chain(suites).collect();
    if let Some(first) = suites.first_mut() {
        first.add_properties(properties(report));
    }
    let mut document = Document::new(attribute(&report.name));
    document.add_test_suites(suites);
    document.to_string().map_err(|source| Error::run("failed to write junit.xml").because(source))
}

/// Errors in the data that someone accepted: not counted as passed.
fn allowed(report: &Report) -> TestSuite {
    let accepted = |(rule, count): (&String, &usize)| {
        case(&words::allowed(rule, *count), skipped("errors in the data, accepted with --allow"))
    };
    suite(format!("{}.data", report.name), report.allowed.iter().map(accepted))
}

/// What the report is about; readers show it with the first suite.
fn properties(report: &Report) -> impl Iterator<Item = Property> {
    let About { facts, training, decoding, plugins, .. } = About::of(report);
    let facts = facts.into_iter().map(|Fact { name, value, digest }| {
        (name, digest.map_or(value.clone(), |digest| format!("{value} (sha256 {digest})")))
    });
    let plugins = plugins.into_iter().map(|plugin| {
        let Plugin { place, name, settings, permissions, digest, .. } = plugin;
        (place, format!("{name}, settings {settings}, may use {permissions} (sha256 {digest})"))
    });
    let all = facts.chain(training).chain(decoding).chain(plugins);
    all.map(|(name, value)| Property::new(attribute(&name), attribute(&value)))
}

fn rule(report: &Report, condition: &ConditionResult) -> TestCase {
    let subject = Subject::of(&report.comparison, condition);
    let shown = words::shown(condition, subject);
    let outlook = words::outlook(condition, subject).unwrap_or_default();
    let name = format!("{} on {}, {}", words::required(condition, subject), condition.suite, condition.measure);
    let status = match condition.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Failed => failure(&shown),
        Verdict::Inconclusive if condition.estimate.is_none() => error(&shown),
        Verdict::Inconclusive => skipped(format!("{shown} {outlook}").trim_end()),
    };
    let mut case = case(&name, status);
    case.set_system_out(text(&shown));
    case
}

fn outcome(sample: &SideBySide, worse: Option<&Vec<String>>) -> TestCaseStatus {
    let unscored = sample.scores.iter().find_map(|score| match (&score.judgement.outcome, score.arm) {
        (Outcome::Unscored(reason), Some(Arm::Tuned) | None) => Some(format!("{}: {reason}", score.evaluator)),
        _ => None,
    });
    match (worse, unscored) {
        _ if sample.tuned.is_none() => error("the tuned model has no output"),
        (_, Some(reason)) => skipped(&format!("unscored by {reason}")),
        (Some(by), None) => skipped(&format!("got worse than base by {}", by.join(", "))),
        (None, None) => TestCaseStatus::success(),
    }
}

fn case(name: &str, status: TestCaseStatus) -> TestCase {
    TestCase::new(attribute(name), status)
}

/// Cases belong to a class of the suite's name.
fn suite(name: String, cases: impl Iterator<Item = TestCase>) -> TestSuite {
    let name = attribute(&name);
    let mut suite = TestSuite::new(name.clone());
    suite.add_test_cases(cases.map(|mut case| {
        case.set_classname(name.clone());
        case
    }));
    suite
}

fn with_message(mut status: TestCaseStatus, message: &str) -> TestCaseStatus {
    status.set_message(attribute(message));
    status
}

fn failure(message: &str) -> TestCaseStatus {
    with_message(TestCaseStatus::non_success(NonSuccessKind::Failure), message)
}

fn error(message: &str) -> TestCaseStatus {
    with_message(TestCaseStatus::non_success(NonSuccessKind::Error), message)
}

fn skipped(message: &str) -> TestCaseStatus {
    with_message(TestCaseStatus::skipped(), message)
}

/// Text with what XML 1.0 cannot hold, even as a reference, shown by its number.
fn text(raw: &str) -> XmlString {
    XmlString::new(escape::text(raw))
}

/// The same for an attribute, in which a reader would turn line breaks and tabs into spaces.
fn attribute(raw: &str) -> XmlString {
    XmlString::new(escape::line(raw))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::render::fixture;
    use diapason_core::gate::{Reason, Scored};
    use diapason_core::stats::Interval;

    #[test]
    fn one_suite_for_the_gate_and_one_for_each_suite() {
        insta::assert_snapshot!(render(&fixture::report(4, 3)).unwrap());
    }

    #[test]
    fn rules_end_as_jenkins_counts_them() {
        let mut report = fixture::report(20, 15);
        let conditions = &mut report.gate.as_mut().unwrap().conditions;
        conditions[0].verdict = Verdict::Failed;
        conditions.push(ConditionResult {
            estimate: None,
            interval: Interval::TooFew { n: 0 },
            ..conditions[3].clone()
        });
        let xml = render(&report).unwrap();
        let document = roxmltree::Document::parse(&xml).unwrap();
        let gate = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
        let count = |name| gate.attribute(name).unwrap().parse::<usize>().unwrap();
        assert_eq!([count("tests"), count("failures"), count("errors"), count("skipped")], [5, 1, 1, 1]);
        let made = |name| gate.descendants().filter(|node| node.has_tag_name(name)).count();
        assert_eq!([made("testcase"), made("failure"), made("error"), made("skipped")], [5, 1, 1, 1]);
    }

    #[test]
    fn well_formed_whatever_the_text() {
        let every_control: String = ('\0'..'\u{a0}').collect();
        // Rust strings hold no surrogates; what stands for one in broken input is U+FFFD or the escape as text.
        let hostile = format!(
            "{every_control}]]></testcase><!-- & \" ' \\ud800 \u{fffd}\u{fffe}\u{ffff}\u{1fffe}\u{fdd0}\u{feff}\u{10ffff}"
        );
        let mut report = fixture::report(4, 3);
        report.name = hostile.clone();
        report.samples[0].sample = hostile.clone();
        report.samples[1].scores[1].judgement.outcome = Outcome::Unscored(hostile.clone());
        let lost = Reason::Lost { of: Scored::Tuned, lost: 1, samples: 4, first: hostile.clone() };
        report.gate.as_mut().unwrap().conditions[0].reason = lost;
        report.gate.as_mut().unwrap().conditions[0].suite = hostile.clone();
        let xml = render(&report).unwrap();
        let document = roxmltree::Document::parse(&xml).unwrap();
        let names: Vec<&str> = document.descendants().filter_map(|node| node.attribute("name")).collect();
        let shown = escape::line(&hostile);
        assert!(names.contains(&shown.as_ref()), "nothing is lost: {names:?}");
        assert!(shown.contains("]]></testcase><!-- & \" ' \\ud800 \u{fffd}\\u{fffe}"), "{shown}");
        assert!(!xml.contains(escape::is_hidden), "{xml:?}");
    }
}
