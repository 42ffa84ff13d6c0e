//! `junit.xml` in the dialect of Jenkins: one suite for the gate with a test case for each rule, and one for each
//! evaluation suite with a test case for each sample of every two arms that are compared. A case's name says which they are
//! where they are not tuned and base.
//!
//! A rule that failed is a `failure`; one that could not be settled is `skipped` with its reason (the gate's exit code
//! says inconclusive, and no green build hides it: the case is not counted as passed). A sample that got worse is a
//! `skipped` case too, not a failure: single flips are for reading, the rules decide.

use super::about::{About, Fact, Plugin};
use super::arms;
use super::flips::{self, Worse};
use super::words::{self, Subject};
use diapason_core::arm::{Arm, Contrast};
use diapason_core::compare::Comparison;
use diapason_core::escape;
use diapason_core::gate::{ConditionResult, Verdict};
use diapason_core::report::{Report, SampleScore, SideBySide};
use diapason_core::score::Outcome;
use diapason_core::{Error, Result};
use quick_junit::{NonSuccessKind, Property, Report as Document, TestCase, TestCaseStatus, TestSuite, XmlString};

/// The report as JUnit XML.
pub(crate) fn render(report: &Report) -> Result<String> {
    let gate = report.gate.iter().map(|gate| {
        let cases = gate.conditions.iter().map(|condition| rule(report, condition));
        suite(format!("{}.gate", report.name), cases)
    });
    let cases: Vec<Cases<'_>> = all_cases(&report.comparison);
    let suites = report.comparison.suites.iter().map(|compared| {
        let mine: Vec<&SideBySide> = report.samples.iter().filter(|sample| sample.suite == compared.name).collect();
        let ended = cases.iter().flat_map(|cases| mine.iter().map(|sample| cases.case(sample)));
        suite(format!("{}.{}", report.name, compared.name), ended)
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

/// The cases of an arm, held against another one or by itself.
struct Cases<'a> {
    arm: &'a Arm,
    /// Its place among the arms.
    place: usize,
    against: Option<&'a Arm>,
    worse: Worse<'a>,
}

/// Those of every contrast, and of every arm that is in none.
fn all_cases(comparison: &Comparison) -> Vec<Cases<'_>> {
    let Comparison { arms, contrasts, .. } = comparison;
    let place = |arm: &Arm| arms.iter().position(|known| known == arm);
    let compared = contrasts.iter().filter_map(|contrast| {
        let Contrast { candidate: arm, reference } = contrast;
        Some(Cases { arm, place: place(arm)?, against: Some(reference), worse: flips::worse(comparison, contrast) })
    });
    let alone = arms.iter().enumerate().filter(|(_, arm)| {
        !contrasts.iter().any(|contrast| contrast.candidate == **arm || contrast.reference == **arm)
    });
    let alone = alone.map(|(place, arm)| Cases { arm, place, against: None, worse: Worse::new() });
    compared.chain(alone).collect()
}

impl Cases<'_> {
    fn case(&self, sample: &SideBySide) -> TestCase {
        case(&self.name(&sample.sample), self.outcome(sample))
    }

    fn name(&self, sample: &str) -> String {
        let arm = if self.arm.is_tuned() { String::new() } else { format!(", {}", self.arm) };
        let against = self.against.filter(|arm| !arm.is_base()).map(|arm| format!(", against {arm}"));
        format!("{sample}{arm}{}", against.unwrap_or_default())
    }

    fn outcome(&self, sample: &SideBySide) -> TestCaseStatus {
        let mine = |score: &&SampleScore| {
            score.arm == *self.arm && score.against.as_ref().is_none_or(|arm| self.against == Some(arm))
        };
        let unscored = sample.scores.iter().filter(mine).find_map(|score| match &score.judgement.outcome {
            Outcome::Unscored(reason) => Some(format!("{}: {reason}", score.evaluator)),
            Outcome::Scored(_) => None,
        });
        let silent = sample.answers.get(self.place).is_none_or(Option::is_none);
        let worse = self.worse.get(&(sample.suite.as_str(), sample.sample.as_str()));
        match (worse.zip(self.against), unscored) {
            _ if silent => error(&format!("{} has no output", arms::who(self.arm))),
            (_, Some(reason)) => skipped(&format!("unscored by {reason}")),
            (Some((by, against)), None) => skipped(&format!("got worse than {against} by {}", by.join(", "))),
            (None, None) => TestCaseStatus::success(),
        }
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
        let lost = Reason::Lost { of: Scored::Arm(Arm::tuned()), lost: 1, samples: 4, first: hostile.clone() };
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

    #[test]
    fn cases_name_the_arms_that_are_not_tuned_and_base() {
        let mut report = fixture::four_arms(4, 3);
        report.samples[0].answers[3] = None;
        let xml = render(&report).unwrap();
        let document = roxmltree::Document::parse(&xml).unwrap();
        let cases: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
        let found = |name: &str| cases.iter().filter(|case| case.attribute("name") == Some(name)).count();
        for name in ["", ", against few-shot", ", against production", ", production, against few-shot"] {
            assert_eq!(found(&format!("address-0001{name}")), 1, "address-0001{name}");
        }
        let silent =
            cases.iter().find(|case| case.attribute("name") == Some("address-0001, production, against few-shot"));
        let error = silent.unwrap().children().find(|node| node.has_tag_name("error")).unwrap();
        assert_eq!(error.attribute("message"), Some("arm production has no output"));
    }
}
