//! What a person reads on the terminal: the verdict first, then why, then where the rest is.

pub(crate) use super::terminal_tables::comparison;
use super::words::{self, Subject};
use super::worth;
use crate::number::counted;
use crate::paint::Paint;
use diapason_core::compare::Comparison;
use diapason_core::escape::line;
use diapason_core::finding::{Finding, Severity};
use diapason_core::gate::{GateResult, Verdict};
use diapason_core::report::{FindingCounts, Report};
use std::fmt::Write as _;
use std::path::Path;

/// At most this many findings are shown; the file has them all.
const FINDINGS: usize = 20;

/// A whole run: verdict, measures, files.
pub(crate) fn report(report: &Report, folder: &Path, paint: Paint) -> String {
    let mut text = gate(report.gate.as_ref(), &report.comparison, paint);
    for sentence in worth::sentences(report) {
        let _ = writeln!(text, "\n{}", line(&sentence));
    }
    for (rule, count) in &report.allowed {
        let _ = writeln!(text, "\n{}", paint.yellow(&line(&words::allowed(rule, *count))));
    }
    let _ = writeln!(text, "\nreport  {}", line(&folder.join("report.html").display().to_string()));
    text
}

/// The decision and what it rests on.
pub(crate) fn gate(gate: Option<&GateResult>, comparison: &Comparison, paint: Paint) -> String {
    let mut text = match gate {
        Some(gate) => decision(gate, comparison, paint),
        None => format!("{}  No rules are configured, so there is nothing to decide.\n", paint.bold("No verdict")),
    };
    text.push('\n');
    text + &self::comparison(comparison, paint)
}

fn decision(gate: &GateResult, comparison: &Comparison, paint: Paint) -> String {
    let mut text = verdict(gate, paint) + "\n";
    if gate.conditions.len() > 1 || gate.look.1 > 1 || gate.candidates > 1 || gate.models > 1 || gate.looked_before > 0
    {
        let _ = writeln!(text, "{}\n", paint.dim(&words::method(gate)));
    }
    for condition in &gate.conditions {
        let mark = match condition.verdict {
            Verdict::Passed if condition.jointly => "(✓)",
            Verdict::Passed => "✓",
            Verdict::Failed => "✗",
            Verdict::Inconclusive => "?",
        };
        let mark = coloured(condition.verdict, mark, paint);
        let name = paint.bold(&line(&format!("{} {}", condition.suite, condition.measure)));
        let subject = Subject::of(comparison, condition);
        let (required, shown) = (words::required(condition, subject), words::shown(condition, subject));
        let _ = writeln!(text, "{mark} {name}: {required}\n  {}", line(&shown));
        if let Some(outlook) = words::outlook(condition, subject) {
            let _ = writeln!(text, "  {}", paint.dim(&line(&outlook)));
        }
    }
    text
}

/// The verdict and what it says, on a line.
pub(crate) fn verdict(gate: &GateResult, paint: Paint) -> String {
    let word = words::verdict(gate.verdict).to_uppercase();
    format!("{}  {}\n", coloured(gate.verdict, &word, paint), words::summary(gate))
}

fn coloured(verdict: Verdict, text: &str, paint: Paint) -> String {
    match verdict {
        Verdict::Passed => paint.green(text),
        Verdict::Failed => paint.red(text),
        Verdict::Inconclusive => paint.yellow(text),
    }
}

/// Findings, the worst first.
pub(crate) fn findings(findings: &[Finding], paint: Paint) -> String {
    let FindingCounts { errors, warnings, notes } = FindingCounts::of(findings);
    let verdict = match errors {
        0 => paint.green("No errors"),
        _ => paint.red(&counted(errors, "error")),
    };
    let mut text = format!("{verdict}, {}, {}\n", counted(warnings, "warning"), counted(notes, "note"));
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    for finding in sorted.iter().take(FINDINGS) {
        let mark = match finding.severity {
            Severity::Error => paint.red("error"),
            Severity::Warning => paint.yellow("warning"),
            Severity::Note => paint.dim("note"),
        };
        let _ = writeln!(text, "{mark}  {}", line(&words::finding(finding)));
        if !finding.hint.is_empty() {
            let _ = writeln!(text, "  {}", paint.dim(&line(&finding.hint)));
        }
    }
    if findings.len() > FINDINGS {
        let _ = writeln!(text, "… and {} more in findings.jsonl", findings.len() - FINDINGS);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture;

    #[test]
    fn every_arm_and_every_difference_has_a_line() {
        // A file is no terminal, so nothing is coloured.
        let paint = tempfile::tempfile().map_or_else(|error| panic!("{error}"), |file| Paint::on(&file));
        insta::assert_snapshot!(report(&fixture::four_arms(20, 15), Path::new("runs/latest"), paint));
    }
}
