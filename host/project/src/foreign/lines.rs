//! Files in which every line is an answer, in one form throughout.

use super::answer::{Answer, Format};
use super::json::{self, Problem};
use super::{batch, every, format, gather, harness, own, promptfoo, simple};

/// What the lines of a file hold.
pub(super) struct Lines {
    pub(super) format: Format,
    pub(super) answers: Vec<Answer>,
    /// Columns that nothing reads.
    pub(super) unread: Vec<String>,
}

/// Reads the lines of `text`; `name` is the file's, which some tools write the task into.
pub(super) fn answers(text: &str, name: &str) -> Result<Lines, Problem> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<(usize, &str)> = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()).collect();
    let first = lines.first().ok_or_else(|| Problem::new("it is empty", "check that the right file is named"))?;
    let format = form(first)?;
    let mut unread = Vec::new();
    let mut records = Vec::with_capacity(lines.len());
    for line in &lines {
        let other = form(line)?;
        if other != format {
            let what = format!("line {}: these are {other}, those before are {format}", line.0);
            return Err(Problem::new(what, "write each form into a file of its own"));
        }
        let place = format!("line {}", line.0);
        let record = record(format, line.1, &place, name, &mut unread);
        records.push(record.map_err(|problem| problem.at(&place))?);
    }
    Ok(Lines { format, answers: gather::answers(records)?, unread })
}

fn form((number, line): &(usize, &str)) -> Result<Format, Problem> {
    let place = format!("line {number}");
    let keys = match json::first_keys(line) {
        Some(keys) => keys,
        None => return Err(json::parsed::<serde_json::Map<_, _>>(line).err().unwrap_or_else(cut).at(&place)),
    };
    match format::of(&keys).map_err(|problem| problem.at(&place))? {
        form if form.is_document => Err(cut().at(&place)),
        form => Ok(form.format),
    }
}

fn cut() -> Problem {
    Problem::new("it is not one JSON object a line", json::NOT_AS_WRITTEN)
}

fn record(
    format: Format,
    line: &str,
    place: &str,
    name: &str,
    unread: &mut Vec<String>,
) -> Result<gather::Record, Problem> {
    match format {
        Format::Outputs => own::answer(line, place).map(gather::Record::only),
        Format::Rows => simple::answer(line, place, unread).map(gather::Record::only),
        Format::Harness => harness::record(line, place, name),
        Format::OpenAiBatch => batch::answer(line, place).map(gather::Record::only),
        Format::EveryEvalEver => every::record(line, place),
        Format::Promptfoo => promptfoo::answer(line, place).map(gather::Record::only),
        Format::Inspect => Err(cut()),
    }
}
