//! Finds rows that are not what a training or test file may hold. See the package's README for the rules.

mod text;

use diapason_plugin::{Finding, Result, Row, Validator};
use diapason_rows::{Fault, Reading, Shape, Turn, read};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What a file may hold.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Accept rows without an answer: conversations that end with the user's turn.
    pub allow_unanswered: bool,
}

/// One pass over rows, looking at each by itself and at their ids and shapes together.
pub struct Shapes {
    settings: Settings,
    /// The first row's shape and line, by split.
    first: BTreeMap<String, (Shape, u32)>,
    /// Line of the first row with this id, by split and id.
    ids: BTreeMap<(String, String), u32>,
    /// Columns of the training data that nothing reads, said once each.
    unread: BTreeSet<String>,
}

impl Validator for Shapes {
    type Settings = Settings;

    fn start(settings: Settings) -> Result<Self> {
        Ok(Self { settings, first: BTreeMap::new(), ids: BTreeMap::new(), unread: BTreeSet::new() })
    }

    fn push(&mut self, row: &Row) -> Result<Vec<Finding>> {
        let mut report = Report { row, findings: Vec::new() };
        if row.text.starts_with('\u{feff}') {
            let message = "the line begins with a byte order mark";
            report.warning("byte-order-mark", "", message, "save the file as UTF-8 without one");
        }
        match read(&row.text) {
            Ok(reading) => self.check(&reading, &mut report),
            Err(faults) => faults.iter().for_each(|fault| report.fault(fault)),
        }
        Ok(report.findings)
    }
}

impl Shapes {
    fn check(&mut self, reading: &Reading, report: &mut Report<'_>) {
        self.id(reading, report);
        self.mixed(reading, report);
        self.unread(reading, report);
        for turn in reading.messages.iter().chain(&reading.answer) {
            report.turn(turn);
        }
        if reading.has_reference {
            reading.references.iter().for_each(|reference| report.text(reference, "/reference"));
        }
        reading.doubts.iter().for_each(|doubt| report.fault(doubt));
        // Of an unknown role nobody knows whether it answers.
        let known = reading.doubts.iter().all(|doubt| doubt.rule != "unknown-role");
        if known && reading.answer.is_none() && !reading.has_reference && !self.settings.allow_unanswered {
            report.unanswered(reading);
        }
    }

    fn id(&mut self, reading: &Reading, report: &mut Report<'_>) {
        let Some(id) = &reading.id else { return };
        let (key, line) = ((report.row.split.clone(), id.clone()), report.row.line);
        let first = *self.ids.entry(key).or_insert(line);
        if first != line {
            let message = format!("the id `{id}` is line {first}'s too");
            report.error("duplicate-id", "/id", &message, "give every row its own id: base and tuned are paired by it");
        }
    }

    fn mixed(&mut self, reading: &Reading, report: &mut Report<'_>) {
        let shape = reading.shape;
        let (first, line) = *self.first.entry(report.row.split.clone()).or_insert((shape, report.row.line));
        if first != shape {
            let message =
                format!("a row of shape {} in a file whose first row (line {line}) is {}", shape.name(), first.name());
            report.warning("mixed-shapes", "", &message, "write all rows of a file in one shape");
        }
        for other in &reading.other_shapes {
            let key = other.key();
            let message = format!("the row is read as {}, but has `{key}` of {} too", shape.name(), other.name());
            report.warning("ambiguous-shape", &format!("/{key}"), &message, "remove the keys of one shape");
        }
    }

    /// Says once what of the training data nothing reads. Columns of a suite are its evaluators'.
    fn unread(&mut self, reading: &Reading, report: &mut Report<'_>) {
        let train = report.row.split == "train";
        for column in reading.unread.iter().filter(|_| train) {
            if self.unread.insert(column.clone()) {
                let message = format!("the column `{column}` is not read, here and in later rows");
                let hint = "if it matters, give it one of the known names by `columns` in the configuration";
                report.note("unread-column", &format!("/{column}"), &message, hint);
            }
        }
        for column in unasked(reading).into_iter().filter(|_| train) {
            if self.unread.insert(column.into()) {
                let message = format!("the column `{column}` is no part of what is asked, here and in later rows");
                let hint = "only evaluators see it: write it into the prompt if the model is to see it";
                report.note("unread-column", &format!("/{column}"), &message, hint);
            }
        }
    }
}

/// Columns of evaluators that say what no turn says: elsewhere they belong to the prompt.
fn unasked(reading: &Reading) -> Vec<&'static str> {
    let asked = |text: &String| reading.messages.iter().any(|turn| turn.text().contains(text.trim()));
    let context = reading.context.iter().any(|text| !asked(text)).then_some("context");
    let choices = reading.choices.iter().any(|text| !asked(text)).then_some("choices");
    context.into_iter().chain(choices).collect()
}

/// The findings of one row.
struct Report<'a> {
    row: &'a Row,
    findings: Vec<Finding>,
}

impl Report<'_> {
    /// Reports what must be repaired before training.
    fn error(&mut self, rule: &str, path: &str, message: &str, hint: &str) {
        self.findings.push(Finding::error(rule, self.row, message).at(path).hint(hint));
    }

    fn warning(&mut self, rule: &str, path: &str, message: &str, hint: &str) {
        self.findings.push(Finding::warning(rule, self.row, message).at(path).hint(hint));
    }

    fn note(&mut self, rule: &str, path: &str, message: &str, hint: &str) {
        self.findings.push(Finding::note(rule, self.row, message).at(path).hint(hint));
    }

    /// Reports what the reader says.
    fn fault(&mut self, fault: &Fault) {
        let message = match fault.column {
            Some(column) => format!("{} at column {column}", fault.message),
            None => fault.message.clone(),
        };
        self.error(fault.rule, &fault.path, &message, &fault.hint);
    }

    fn turn(&mut self, turn: &Turn) {
        match turn.text().trim().is_empty() && turn.may_be_empty() {
            true => self.encoding(turn.text(), &turn.at),
            false => self.text(turn.text(), &turn.at),
        }
    }

    /// Checks a text that must hold something.
    fn text(&mut self, text: &str, path: &str) {
        if text.trim().is_empty() {
            self.error("empty-text", path, "the text is empty", "write the text, or remove the row");
        }
        self.encoding(text, path);
    }

    fn encoding(&mut self, text: &str, path: &str) {
        for fault in text::faults(text) {
            self.warning(fault.rule, path, &fault.message, fault.hint);
        }
    }

    fn unanswered(&mut self, reading: &Reading) {
        let hint = "add the answer, or remove the row";
        match reading.shape.answer() {
            Some(answer) => self.error("no-answer", &format!("/{answer}"), "the answer is missing", hint),
            None => {
                // A system message of its own column is none of the list.
                let turns = reading.messages.iter().filter(|turn| turn.at != "/system").count();
                let place = format!("/{}/{}", reading.shape.key(), turns.saturating_sub(1));
                self.error("no-answer", &place, "the conversation does not end with the assistant's turn", hint);
            }
        }
    }
}

diapason_plugin::plugin! { validator: Shapes }
