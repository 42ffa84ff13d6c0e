//! `report.md`: the verdict for a pull-request comment, always under 64 kB. What does not fit is counted, never cut silently.

use super::about::{self, About, Fact};
use super::flips::{self, Flips};
use super::words::{self, Subject};
use crate::number::{Unit, confidence, count, counted, p_value};
use diapason_core::compare::{MeasureComparison, SuiteComparison};
use diapason_core::escape;
use diapason_core::gate::{ConditionResult, Verdict};
use diapason_core::report::{Report, SideBySide};
use std::fmt::Write as _;

/// Bytes that the comment may have; GitHub takes 65,536 characters.
const LIMIT: usize = 64_000;
/// Bytes of one cell of model text.
const CELL: usize = 300;
/// Flips that are shown at most.
const FLIPS: usize = 10;

/// The report as GitHub-flavoured Markdown.
pub(crate) fn render(report: &Report) -> String {
    let mut page = Page::new(LIMIT);
    page.always(&headline(report));
    allowed(&mut page, report);
    rules(&mut page, report);
    for suite in &report.comparison.suites {
        measures(&mut page, suite, report.comparison.level);
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
        words::required(condition, subject),
        cell(&condition.suite),
        cell(&condition.measure),
        cell_of(&shown, 4 * CELL),
    )
}

fn measures(page: &mut Page, suite: &SuiteComparison, level: f64) {
    let head = format!(
        "\n### {}\n\n{}, {} intervals\n\n| Measure | Base | Tuned | Tuned − base | Better / same / worse | p |\n|---|---:|---:|---:|---:|---:|\n",
        cell(&suite.name),
        words::samples(suite),
        confidence(level),
    );
    page.table(&head, suite.measures.iter().map(measure), "measure", usize::MAX);
}

fn measure(measure: &MeasureComparison) -> String {
    let unit = Unit::of(&measure.info);
    let level = |level: Option<&diapason_core::compare::Level>| {
        level.and_then(|it| Some((it.mean?, &it.interval))).map_or("–".into(), |(mean, interval)| {
            format!("{}{}", unit.level(mean), in_brackets(unit.levels(interval)))
        })
    };
    let difference = measure.difference.as_ref();
    let change = difference.and_then(|it| Some((it.mean?, &it.interval))).map_or("–".into(), |(mean, interval)| {
        format!("**{}**{}", unit.difference(mean), in_brackets(unit.differences(interval)))
    });
    let pairs = difference.map_or("–".into(), |it| format!("{} / {} / {}", it.wins, it.ties, it.losses));
    let p = difference.and_then(|it| it.test.as_ref()).map_or("–".into(), |test| p_value(test.p));
    let missing = words::missing(measure).map(|text| format!(" ({text})")).unwrap_or_default();
    format!(
        "| {}{missing} | {} | {} | {change} | {pairs} | {} |\n",
        cell(&measure.full_name()),
        level(measure.base.as_ref()),
        level(measure.tuned.as_ref().or(measure.pair.as_ref())),
        cell(&p),
    )
}

fn in_brackets(interval: Option<String>) -> String {
    interval.map(|text| format!("<br>{text}")).unwrap_or_default()
}

/// How many pairs each binary measure calls better and worse, and the samples that got worse.
fn flips(page: &mut Page, report: &Report) {
    let counted: Vec<Flips<'_>> = report.comparison.suites.iter().flat_map(flips::of_suite).collect();
    let head = "\n### Flips\n\n| Suite | Measure | Better | Same | Worse |\n|---|---|---:|---:|---:|\n";
    let number = |number: usize| count(number as u64);
    let row = |it: &Flips<'_>| {
        let (suite, measure) = (cell(it.suite), cell(&it.measure));
        format!("| {suite} | {measure} | {} | {} | {} |\n", number(it.better), number(it.same), number(it.worse))
    };
    page.table(head, counted.iter().map(row), "measure", usize::MAX);
    let worse = flips::worse(report);
    let head = "\n| Got worse | By | Reference | Base | Tuned |\n|---|---|---|---|---|\n";
    page.table(head, worse.iter().map(|(sample, by)| flip(sample, by)), "sample", FLIPS);
}

fn flip(sample: &SideBySide, by: &[String]) -> String {
    let text = |text: &Option<String>| text.as_deref().map_or("–".into(), cell);
    let id = format!("{} {}", cell(&sample.suite), cell(&sample.sample));
    let by = cell(&by.join(", "));
    format!("| {id} | {by} | {} | {} | {} |\n", text(&sample.reference), text(&sample.base), text(&sample.tuned))
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

fn cell(text: &str) -> String {
    cell_of(text, CELL)
}

/// Text as one cell of a table that means nothing to Markdown or HTML: every character with a meaning is a character
/// reference. Cut, and said so, after `most` bytes.
fn cell_of(text: &str, most: usize) -> String {
    let mut safe = String::new();
    for (place, character) in text.char_indices() {
        if place >= most {
            return safe + " … (cut)";
        }
        match character {
            // `\u{202e}` without what Markdown reads as an escape.
            _ if escape::is_hidden(character) => safe.push_str(&cell_of(&escape::text(&character.to_string()), most)),
            '\n' => safe.push_str("<br>"),
            // A zero-width space keeps `@name` from calling somebody and `#1` or a bare address from becoming a link.
            '@' | '#' => {
                safe.push(character);
                safe.push('\u{200b}');
            }
            ':' if text[place..].starts_with("://") => safe.push_str(":\u{200b}"),
            '.' if ends_in_www(&text[..place]) => safe.push_str("\u{200b}."),
            '|' | '<' | '>' | '&' | '`' | '*' | '_' | '[' | ']' | '\\' | '~' | '!' | '$' => {
                let _ = write!(safe, "&#{};", character as u32);
            }
            '\t' => safe.push(' '),
            _ => safe.push(character),
        }
    }
    safe
}

/// GitHub makes a link of `www.` too.
fn ends_in_www(text: &str) -> bool {
    text.len() >= 3 && text.as_bytes()[text.len() - 3..].eq_ignore_ascii_case(b"www")
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
    fn stays_under_the_limit_and_counts_what_it_leaves_out() {
        let mut report = fixture::report(200, 150);
        let ids: Vec<String> = report.samples.iter().map(|sample| sample.sample.clone()).collect();
        for suite in &mut report.comparison.suites {
            if let Some(difference) = &mut suite.measures[0].difference {
                difference.harmful.clone_from(&ids);
            }
        }
        for sample in &mut report.samples {
            sample.tuned = Some("<|>".repeat(40_000));
        }
        let suite = report.comparison.suites[0].clone();
        report.comparison.suites = vec![suite; 400];
        let text = render(&report);
        assert!(text.len() < 65_536, "{} bytes", text.len());
        report.comparison.suites.truncate(1);
        let few = render(&report);
        assert!(few.contains("… and 190 more samples in `report.html`.") || few.contains("190 samples more"), "{few}");
    }

    #[test]
    fn model_text_is_only_text() {
        let hidden = cell("a\u{1b}[2J\u{9b}\u{202e}\u{200b}\u{2028}\r\tb www.x.example WWW.x");
        assert!(hidden.replace('\u{200b}', "").chars().all(|c| !escape::is_hidden(c) && c != '\t'), "{hidden}");
        assert!(hidden.contains("&#92;u{202e}") && !hidden.to_lowercase().contains("www."), "{hidden}");
        let hostile = "a|b <img src=x> `code` [x](javascript:1) **b** @team #12 https://x.example\r\n| new | row |";
        let safe = cell(hostile);
        for character in ['|', '`', '[', '*', '\n', '\r'] {
            assert!(!safe.contains(character), "{character:?} is left in {safe}");
        }
        assert_eq!(safe.replace("<br>", "").matches(['<', '>']).count(), 0);
        assert!(safe.contains("@\u{200b}team") && safe.contains(" #\u{200b}12 ") && !safe.contains("://"), "{safe}");
    }

    #[test]
    fn a_long_answer_is_cut_between_characters_and_says_so() {
        let safe = cell(&"é".repeat(400));
        assert!(safe.ends_with(" … (cut)"));
        assert_eq!(safe.chars().filter(|c| *c == 'é').count(), CELL / 2);
    }
}
