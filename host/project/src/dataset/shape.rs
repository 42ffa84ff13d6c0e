//! One row as `diapason-rows` reads it to one [`Sample`].

use super::Fault;
use diapason_core::sample::{Message, Sample};
use diapason_rows::{Reading, Turn};

/// The sample in `text`, which stands on `line` of its file. Its id is the row's `id`, else the line's number.
pub(super) fn sample(text: &str, line: u32) -> Result<Sample, Vec<Fault>> {
    match diapason_rows::read(text) {
        Ok(row) => Ok(of(row, text, line)),
        Err(faults) => Err(faults.into_iter().map(|fault| Fault::of(line, fault)).collect()),
    }
}

fn of(row: Reading, text: &str, line: u32) -> Sample {
    let mut references = row.references.into_iter();
    Sample {
        id: row.id.unwrap_or_else(|| line.to_string()),
        messages: row.messages.into_iter().map(message).collect(),
        reference: references.next(),
        alternatives: references.collect(),
        answer: row.answer.map(message),
        choices: row.choices,
        context: row.context,
        tags: row.tags,
        tools: row.tools,
        variables: row.variables,
        plain: false,
        row: text.into(),
        place: String::new(),
    }
}

fn message(turn: Turn) -> Message {
    let no_content = turn.content.is_none();
    Message { role: turn.role, content: turn.content.unwrap_or_default(), no_content, extra: turn.extra }
}
