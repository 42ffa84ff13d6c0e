//! `junit.xml` in the dialect of Jenkins: one suite for the gate with a test case for each rule, and one for each
//! evaluation suite with a test case for each sample.
//!
//! A rule that failed is a `failure`; one that could not be settled is `skipped` with its reason (the gate's exit code
//! says inconclusive, and no green build hides it: the case is not counted as passed). A sample that got worse is a
//! `skipped` case too, not a failure: single flips are for reading, the rules decide.

use super::about::{About, Fact, Plugin};
use super::flips;
use super::words::{self, Subject};
use crate::pipeline::allow;
use diapason_core::escape;
use diapason_core::gate::{ConditionResult, Verdict};
use diapason_core::report::{Report, SideBySide};
use diapason_core::score::{Arm, Outcome};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

/// The report as JUnit XML.
pub(crate) fn render(report: &Report) -> String {
    let gate = report.gate.iter().map(|gate| {
        let cases = gate.conditions.iter().map(|condition| rule(report, condition)).collect();
        Suite { name: format!("{}.gate", report.name), cases }
    });
    let worse: HashMap<(&str, &str), Vec<String>> = flips::worse(report)
        .into_iter()
        .map(|(sample, by)| ((sample.suite.as_str(), sample.sample.as_str()), by))
        .collect();
    let suites = report.comparison.suites.iter().map(|suite| {
        let mine = report.samples.iter().filter(|sample| sample.suite == suite.name);
        let case = |it: &SideBySide| sample(it, worse.get(&(it.suite.as_str(), it.sample.as_str())));
        Suite { name: format!("{}.{}", report.name, suite.name), cases: mine.map(case).collect() }
    });
    let data = (!report.allowed.is_empty()).then(|| allowed(report));
    document(&report.name, &gate.chain(data).chain(suites).collect::<Vec<_>>(), &properties(report))
}

/// Errors in the data that someone accepted: not counted as passed.
fn allowed(report: &Report) -> Suite {
    let case = |(rule, count): (&String, &usize)| {
        let outcome = Ended::Skipped("errors in the data, accepted with --allow".into());
        Case { name: allow::line(rule, *count), outcome, output: String::new() }
    };
    Suite { name: format!("{}.data", report.name), cases: report.allowed.iter().map(case).collect() }
}

/// What the report is about; readers show it with the first suite.
fn properties(report: &Report) -> Vec<(String, String)> {
    let About { facts, training, decoding, plugins, .. } = About::of(report);
    let facts = facts.into_iter().map(|Fact { name, value, digest }| {
        (name, digest.map_or(value.clone(), |digest| format!("{value} (sha256 {digest})")))
    });
    let plugins = plugins.into_iter().map(|plugin| {
        let Plugin { place, name, settings, permissions, digest, .. } = plugin;
        (place, format!("{name}, settings {settings}, may use {permissions} (sha256 {digest})"))
    });
    facts.chain(training).chain(decoding).chain(plugins).collect()
}

struct Suite {
    name: String,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    outcome: Ended,
    /// Shown with the case.
    output: String,
}

/// How a case ended; the text is the message.
enum Ended {
    Passed,
    Failure(String),
    Error(String),
    Skipped(String),
}

fn rule(report: &Report, condition: &ConditionResult) -> Case {
    let subject = Subject::of(report, condition);
    let shown = words::shown(condition, subject);
    let outlook = words::outlook(condition, subject).unwrap_or_default();
    Case {
        name: format!("{} on {}, {}", words::required(condition, subject), condition.suite, condition.measure),
        outcome: match condition.verdict {
            Verdict::Passed => Ended::Passed,
            Verdict::Failed => Ended::Failure(shown.clone()),
            Verdict::Inconclusive if condition.estimate.is_none() => Ended::Error(shown.clone()),
            Verdict::Inconclusive => Ended::Skipped(format!("inconclusive: {shown} {outlook}")),
        },
        output: format!("{shown}\n{}", condition.reason),
    }
}

fn sample(sample: &SideBySide, worse: Option<&Vec<String>>) -> Case {
    Case { name: sample.sample.clone(), outcome: outcome(sample, worse), output: String::new() }
}

fn outcome(sample: &SideBySide, worse: Option<&Vec<String>>) -> Ended {
    let unscored = sample.scores.iter().find_map(|score| match (&score.judgement.outcome, score.arm) {
        (Outcome::Unscored(reason), Some(Arm::Tuned) | None) => Some(format!("{}: {reason}", score.evaluator)),
        _ => None,
    });
    match (worse, unscored) {
        _ if sample.tuned.is_none() => Ended::Error("the tuned model has no output".into()),
        (_, Some(reason)) => Ended::Skipped(format!("unscored by {reason}")),
        (Some(by), None) => Ended::Skipped(format!("got worse than base by {}", by.join(", "))),
        (None, None) => Ended::Passed,
    }
}

fn document(name: &str, suites: &[Suite], properties: &[(String, String)]) -> String {
    let all = || suites.iter().flat_map(|suite| &suite.cases);
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(xml, "<testsuites name=\"{}\" {}>", attribute(name), totals(all()));
    for (place, suite) in suites.iter().enumerate() {
        let _ = writeln!(xml, "  <testsuite name=\"{}\" {}>", attribute(&suite.name), totals(suite.cases.iter()));
        if place == 0 {
            listed(&mut xml, properties);
        }
        suite.cases.iter().for_each(|it| case(&mut xml, &suite.name, it));
        xml.push_str("  </testsuite>\n");
    }
    xml + "</testsuites>\n"
}

fn listed(xml: &mut String, properties: &[(String, String)]) {
    xml.push_str("    <properties>\n");
    for (name, value) in properties {
        let _ = writeln!(xml, "      <property name=\"{}\" value=\"{}\"/>", attribute(name), attribute(value));
    }
    xml.push_str("    </properties>\n");
}

fn totals<'a>(cases: impl Iterator<Item = &'a Case>) -> String {
    let (mut tests, mut failures, mut errors, mut skipped) = (0, 0, 0, 0);
    for case in cases {
        tests += 1;
        match case.outcome {
            Ended::Passed => {}
            Ended::Failure(_) => failures += 1,
            Ended::Error(_) => errors += 1,
            Ended::Skipped(_) => skipped += 1,
        }
    }
    format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"")
}

fn case(xml: &mut String, class: &str, case: &Case) {
    let _ = write!(xml, "    <testcase classname=\"{}\" name=\"{}\"", attribute(class), attribute(&case.name));
    let (element, message) = match &case.outcome {
        Ended::Passed if case.output.is_empty() => return xml.push_str("/>\n"),
        Ended::Passed => ("", ""),
        Ended::Failure(message) => ("failure", message.as_str()),
        Ended::Error(message) => ("error", message.as_str()),
        Ended::Skipped(message) => ("skipped", message.as_str()),
    };
    xml.push_str(">\n");
    if !element.is_empty() {
        let _ = writeln!(xml, "      <{element} message=\"{}\"/>", attribute(message));
    }
    if !case.output.is_empty() {
        let _ = writeln!(xml, "      <system-out>{}</system-out>", text(&case.output));
    }
    xml.push_str("    </testcase>\n");
}

/// Text with what XML 1.0 cannot hold, even as a reference, shown by its number, and with what it reads as markup replaced. `>` is replaced as
/// well, for the sake of `]]>`.
fn text(raw: &str) -> Cow<'_, str> {
    match escape::text(raw) {
        Cow::Borrowed(raw) => markup(raw),
        Cow::Owned(shown) => Cow::Owned(markup(&shown).into_owned()),
    }
}

fn markup(raw: &str) -> Cow<'_, str> {
    let plain = |c: char| is_xml(c) && !matches!(c, '<' | '>' | '&' | '"');
    if raw.chars().all(plain) {
        return Cow::Borrowed(raw);
    }
    let mut safe = String::with_capacity(raw.len() + 16);
    for character in raw.chars().filter(|c| is_xml(*c)) {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\r' => safe.push_str("&#13;"),
            _ => safe.push(character),
        }
    }
    Cow::Owned(safe)
}

/// The same for an attribute, in which a reader would turn line ends and tabs into spaces.
fn attribute(raw: &str) -> String {
    text(raw).replace('\n', "&#10;").replace('\t', "&#9;").replace('\r', "&#13;")
}

/// `Char` of XML 1.0, section 2.2, without the characters it discourages.
fn is_xml(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fdd0}'..='\u{fdef}' => false,
        _ => character >= ' ' && u32::from(character) & 0xfffe != 0xfffe,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::render::fixture;
    use diapason_core::stats::Interval;

    #[test]
    fn one_suite_for_the_gate_and_one_for_each_suite() {
        insta::assert_snapshot!(render(&fixture::report(4, 3)));
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
        let xml = render(&report);
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
        report.gate.as_mut().unwrap().conditions[0].reason = hostile.clone();
        report.gate.as_mut().unwrap().conditions[0].suite = hostile.clone();
        let xml = render(&report);
        let document = roxmltree::Document::parse(&xml).unwrap();
        let names: Vec<&str> = document.descendants().filter_map(|node| node.attribute("name")).collect();
        let shown = escape::text(&hostile);
        assert!(names.contains(&shown.as_ref()), "nothing is lost: {names:?}");
        assert!(shown.contains("]]></testcase><!-- & \" ' \\ud800 \u{fffd}\\u{fffe}"), "{shown}");
        assert!(!xml.contains(escape::is_hidden), "{xml:?}");
    }
}
