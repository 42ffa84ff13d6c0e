//! Datasets as validators see them: rows as text, before anybody understood them.

use diapason_core::Result;
use diapason_core::config::Columns;
use diapason_core::config::{Config, Suite};
use diapason_core::finding::{Finding, Row, Severity};
use diapason_core::sample::Sample;
use diapason_project::dataset::{self, Fault};
use std::path::Path;

/// A dataset's rows under the name that findings carry.
pub(super) struct Split {
    pub(super) name: String,
    pub(super) rows: Vec<Row>,
    /// Each of the rows, read, or why it cannot be.
    pub(super) samples: Vec<std::result::Result<Sample, Fault>>,
    /// What is wrong with the file as such, which no validator sees.
    pub(super) faults: Vec<Finding>,
    /// Whether only the last turn of a row is its question: the others are a task's examples.
    pub(super) has_examples: bool,
}

impl Split {
    /// The rows of `text`, read.
    pub(super) fn of(name: &str, rows: Vec<Row>, faults: Vec<Finding>) -> Self {
        let read = |row: &Row| dataset::sample(row).map_err(|mut faults| faults.swap_remove(0));
        let samples = rows.iter().map(read).collect();
        Self { name: name.into(), rows, samples, faults, has_examples: false }
    }

    /// The rows that can be read, each with its line.
    pub(super) fn readable(&self) -> impl Iterator<Item = (u32, &Sample)> {
        self.rows.iter().zip(&self.samples).filter_map(|(row, sample)| Some((row.line, sample.as_ref().ok()?)))
    }
}

/// The training data, if any are configured, and every suite.
pub(super) fn all(config: &Config) -> Result<(Option<Split>, Vec<Split>)> {
    let train = match &config.data {
        Some(data) => Some(split("train", "train", &data.train, &data.columns, data.limit)?),
        None => None,
    };
    let suite = |suite: &Suite| {
        let read = split(&suite.name, "test", &suite.data, &suite.columns, suite.limit)?;
        Ok(Split { has_examples: suite.task.is_some(), ..read })
    };
    Ok((train, config.suites.iter().map(suite).collect::<Result<_>>()?))
}

/// The rows of the file at `path`, `role` for validators; a file that is there but has none that can be read is a finding.
fn split(name: &str, role: &str, path: &Path, columns: &Columns, limit: Option<usize>) -> Result<Split> {
    let (rows, fault) = match dataset::read(path, columns) {
        // What is no text has no rows for a validator to stumble over.
        Ok((text, _)) => match fault(&text) {
            None => (dataset::rows(&text, role, limit), None),
            fault => (Vec::new(), fault),
        },
        Err(error) if path.is_file() => {
            let hint = error.hint_text().unwrap_or_default().to_owned();
            (Vec::new(), Some(("unreadable", 0, error.to_string(), hint)))
        }
        Err(error) => return Err(error),
    };
    let finding = |(rule, line, message, hint): (&str, u32, String, String)| Finding {
        validator: "diapason".into(),
        severity: Severity::Error,
        rule: rule.into(),
        split: name.into(),
        line,
        path: String::new(),
        message,
        hint,
    };
    Ok(Split::of(name, rows, fault.map(finding).into_iter().collect()))
}

/// Rule, line, message and hint of what is wrong with a file's text as a whole.
fn fault(text: &str) -> Option<(&'static str, u32, String, String)> {
    if let Some((line, _)) = (1..).zip(text.lines()).find(|(_, line)| line.contains('\0')) {
        let hint = "a text file has none: the file is damaged, or in an encoding other than UTF-8";
        return Some(("nul-bytes", line, "the line holds NUL bytes".into(), hint.into()));
    }
    dataset::rows(text, "", Some(1)).is_empty().then(|| {
        let hint = "one JSON object a line, or a Parquet file with rows; check that the right file is named";
        ("no-rows", 0, "the file has no rows".into(), hint.into())
    })
}
