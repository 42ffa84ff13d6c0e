//! `report.md`: the verdict for a pull-request comment, always under 64 kB. What does not fit is counted, never cut silently.

use super::about::{self, About, Fact};
use super::cell::{CELL, cell, cell_of};
use super::flips::{self, Flips};
use super::words::{self, Subject};
use super::worth::{self, Costs};
use super::{arms, markdown_tables as tables};
use crate::number::{count, counted};
use diapason_core::arm::Contrast;
use diapason_core::gate::{ConditionResult, Verdict};
use diapason_core::report::{Report, SideBySide};
use std::fmt::Write as _;

/// Bytes that the comment may have; GitHub takes 65,536 characters.
const LIMIT: usize = 64_000;
/// Flips that are shown at most.
const FLIPS: usize = 10;

/// The report as GitHub-flavoured Markdown.
pub(crate) fn render(report: &Report) -> String {
    let mut page = Page::new(LIMIT);
    page.always(&headline(report));
    for sentence in worth::sentences(report) {
        page.always(&format!("\n{}\n", cell_of(&sentence, 4 * CELL)));
    }
    allowed(&mut page, report);
    rules(&mut page, report);
    costs(&mut page, report);
    for suite in &report.comparison.suites {
        for (head, rows) in tables::of(&report.comparison, suite) {
            page.table(&head, rows.into_iter(), "measure", usize::MAX);
        }
    }
    flips(&mut page, report);
    about(&mut page, report);
    page.finish()
}

/// Text that is kept below a limit: a table ends early with a line that counts what is left out.
struct Page {
    text: String,
    limit: usize,
}

/// Kept free for the closing line of a table and of the page.
const RESERVE: usize = 2_000;

impl Page {
    fn new(limit: usize) -> Self {
        Self { text: String::new(), limit }
    }

    fn always(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// A heading with a table, of which as many rows are kept as fit.
    fn table(&mut self, head: &str, rows: impl ExactSizeIterator<Item = String>, what: &str, most: usize) {
        let total = rows.len();
        if total == 0 || !self.fits(head.len()) {
            return;
        }
        self.always(head);
        let mut kept = 0;
        for row in rows.take(most) {
            if !self.fits(row.len()) {
                break;
            }
            self.always(&row);
            kept += 1;
        }
        if kept < total {
            let _ = write!(self.text, "\n… and {} more in `report.html`.\n", counted(total - kept, what));
        }
    }

    fn fits(&self, bytes: usize) -> bool {
        self.text.len() + bytes + RESERVE <= self.limit
    }

    fn finish(mut self) -> String {
        self.always("\nEvery sample is side by side in `report.html`.\n");
        self.text
    }
}

fn headline(report: &Report) -> String {
    let name = cell(&report.name);
    match &report.gate {
        Some(gate) => {
            let word = words::verdict(gate.verdict);
            format!("## {} {word}: {name}\n\n{} {}\n", sign(gate.verdict), words::summary(gate), words::method(gate))
        }
        None => format!("## {name}\n\nNo rules, no verdict: the configuration has no gate.\n"),
    }
}

/// Errors in the data that someone accepted.
fn allowed(page: &mut Page, report: &Report) {
    if !report.allowed.is_empty() {
        page.always("\n");
    }
    for (rule, count) in &report.allowed {
        page.always(&format!("- {}\n", cell(&words::allowed(rule, *count))));
    }
}

fn rules(page: &mut Page, report: &Report) {
    let conditions = report.gate.as_ref().map(|gate| gate.conditions.as_slice()).unwrap_or_default();
    let head = "\n| Verdict | Requirement | Result |\n|---|---|---|\n";
    page.table(head, conditions.iter().map(|condition| rule(report, condition)), "rule", usize::MAX);
}

fn rule(report: &Report, condition: &ConditionResult) -> String {
    let subject = Subject::of(&report.comparison, condition);
    let outlook = words::outlook(condition, subject).map(|text| format!(" {text}")).unwrap_or_default();
    let shown = words::shown(condition, subject) + &outlook;
    format!(
        "| {} {} | {} on {}, {} | {} |\n",
        sign(condition.verdict),
        words::verdict(condition.verdict),
        cell(&words::required(condition, subject)),
        cell(&condition.suite),
        cell(&condition.measure),
        cell_of(&shown, 4 * CELL),
    )
}

/// What each arm is, and what its answers cost.
fn costs(page: &mut Page, report: &Report) {
    let (money, line) = if worth::has_money(report) { (" Money |", "---:|") } else { ("", "") };
    let head = format!(
        "\n### Arms\n\nTokens and time are of a thousand answers.\n\n| Arm | What it is | Prompt tokens | Answer tokens | Time |{money}\n|---|---|---:|---:|---:|{line}\n"
    );
    let row = |it: &Costs| {
        let money = if money.is_empty() { String::new() } else { format!(" {} |", it.money) };
        let Costs { arm, what, prompt_tokens, completion_tokens, seconds, .. } = it;
        let (arm, what) = (cell(arm), cell(what));
        format!("| {arm} | {what} | {prompt_tokens} | {completion_tokens} | {seconds} |{money}\n")
    };
    page.table(&head, worth::costs(report).iter().map(row), "arm", usize::MAX);
}

/// How many pairs each binary measure calls better and worse, and the samples that got worse.
fn flips(page: &mut Page, report: &Report) {
    let counted: Vec<Flips<'_>> = report.comparison.suites.iter().flat_map(flips::of_suite).collect();
    let only = arms::only_two(&report.comparison).is_some();
    let (compared, line) = if only { ("", "") } else { (" Compared |", "---|") };
    let head = format!(
        "\n### Flips\n\n| Suite | Measure |{compared} Better | Same | Worse |\n|---|---|{line}---:|---:|---:|\n"
    );
    let number = |number: usize| count(number as u64);
    let row = |it: &Flips<'_>| {
        let (suite, measure) = (cell(it.suite), cell(&it.measure));
        let compared = if only { String::new() } else { format!(" {} |", cell(&it.contrast.to_string())) };
        let (better, same, worse) = (number(it.better), number(it.same), number(it.worse));
        format!("| {suite} | {measure} |{compared} {better} | {same} | {worse} |\n")
    };
    page.table(&head, counted.iter().map(row), "measure", usize::MAX);
    for contrast in &report.comparison.contrasts {
        got_worse(page, report, contrast);
    }
}

/// The samples that got worse from the reference to the candidate.
fn got_worse(page: &mut Page, report: &Report, contrast: &Contrast) {
    let place = |arm| report.comparison.arms.iter().position(|known| known == arm);
    let (Some(reference), Some(candidate)) = (place(&contrast.reference), place(&contrast.candidate)) else { return };
    let head = format!(
        "\n| Got worse | By | Reference | {} | {} |\n|---|---|---|---|---|\n",
        cell(arms::capital(&contrast.reference)),
        cell(arms::capital(&contrast.candidate)),
    );
    let worse = flips::listed(report, contrast);
    let rows = worse.iter().map(|(sample, by)| flip(sample, by, [reference, candidate]));
    page.table(&head, rows, "sample", FLIPS);
}

fn flip(sample: &SideBySide, by: &[String], sides: [usize; 2]) -> String {
    let text = |text: &Option<String>| text.as_deref().map_or("–".into(), cell);
    let [before, after] = sides.map(|place| text(sample.answers.get(place).unwrap_or(&None)));
    let id = format!("{} {}", cell(&sample.suite), cell(&sample.sample));
    format!("| {id} | {} | {} | {before} | {after} |\n", cell(&by.join(", ")), text(&sample.reference))
}

/// What the report is about, with the beginnings of digests; the page has all of it.
fn about(page: &mut Page, report: &Report) {
    let About { facts, plugins, .. } = About::of(report);
    let row = |Fact { name, value, digest }: &Fact| {
        let digest = digest.as_deref().map_or(String::new(), about::short);
        format!("| {} | {} | {digest} |\n", cell(name), cell(value))
    };
    let names = plugins.iter().map(|plugin| plugin.name.as_str()).collect::<std::collections::BTreeSet<_>>();
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    let plugins = (!names.is_empty()).then(|| Fact { name: "Plugins".into(), value: names, digest: None });
    let facts: Vec<Fact> = facts.into_iter().chain(plugins).collect();
    let head = "\n### What this report is about\n\n| | | sha-256 |\n|---|---|---|\n";
    page.table(head, facts.iter().map(row), "fact", usize::MAX);
}

fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "✅",
        Verdict::Failed => "❌",
        Verdict::Inconclusive => "❔",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::render::fixture;

    #[test]
    fn reads_as_a_comment() {
        insta::assert_snapshot!(render(&fixture::report(20, 15)));
    }

    #[test]
    fn four_arms_read_as_a_comment() {
        insta::assert_snapshot!(render(&fixture::four_arms(20, 15)));
    }

    #[test]
    fn stays_under_the_limit_and_counts_what_it_leaves_out() {
        let mut report = fixture::report(200, 150);
        let ids: Vec<String> = report.samples.iter().map(|sample| sample.sample.clone()).collect();
        for suite in &mut report.comparison.suites {
            suite.measures[0].differences[0].harmful.clone_from(&ids);
        }
        for sample in &mut report.samples {
            sample.answers[1] = Some("<|>".repeat(40_000));
        }
        let suite = report.comparison.suites[0].clone();
        report.comparison.suites = vec![suite; 400];
        let text = render(&report);
        assert!(text.len() < 65_536, "{} bytes", text.len());
        report.comparison.suites.truncate(1);
        let few = render(&report);
        assert!(few.contains("… and 190 more samples in `report.html`.") || few.contains("190 samples more"), "{few}");
    }
}
