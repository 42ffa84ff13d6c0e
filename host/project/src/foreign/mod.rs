//! Answers that were made elsewhere: files of ours and of other tools, read into one form and given to the samples that they
//! answer. What a file does not say stays unknown, and what belongs to no sample is named; nothing is guessed.

mod answer;
mod archive;
mod batch;
mod every;
mod evidence;
mod format;
mod gather;
mod harness;
mod inspect;
mod json;
mod lines;
mod matched;
mod own;
mod promptfoo;
mod simple;
mod suite;

pub use answer::{Answer, Answers, Asked, Completion, Finish, Format, Likelihood, Made, Usage};
pub use matched::{By, Found, Lost, Matched, Stranger, Why, matched};
pub use suite::Suite;

use crate::dataset::{file, pack};
use diapason_core::config::Columns;
use diapason_core::{Result, digest};
use diapason_disk::{files, foreign};
use std::collections::BTreeSet;
use std::path::Path;

/// Reads the answers of the file at `path`, in any form of [`Format`], told apart by what the file holds.
///
/// Errors with [`diapason_core::Class::Data`] where the form is not known, or the file is not as its tool writes it, or it has
/// no answers, or those of several models.
pub fn read(path: &Path) -> Result<Answers> {
    let bytes = files::contents(path, files::LARGEST_TEXT).map_err(|source| files::unreadable(path, source))?;
    let digest = digest::of_bytes(&bytes);
    let (format, answers, unread) = foreign::guarded(path.display(), || content(bytes, path))?;
    let model = only_model(&answers).map_err(|problem| problem.of(path))?;
    if answers.is_empty() {
        return Err(json::Problem::new("it has no answers", "check that the right file is named").of(path));
    }
    Ok(Answers { format, digest, model, answers, unread })
}

type Content = (Format, Vec<Answer>, Vec<String>);

fn content(bytes: Vec<u8>, path: &Path) -> Result<Content> {
    if bytes.starts_with(b"PK\x03\x04") {
        return archive::answers(bytes)
            .map(|answers| (Format::Inspect, answers, Vec::new()))
            .map_err(|what| what.of(path));
    }
    let (bytes, name) = pack::unpacked(bytes, path)?;
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes).trim_ascii_start();
    if start.first() == Some(&b'{') {
        let text = files::decoded(bytes, path)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        return document(text).unwrap_or_else(|| rows(text, &name)).map_err(|what| what.of(path));
    }
    let text = file::lines(bytes, &Columns::default(), Path::new(&name))?;
    rows(&text, &name).map_err(|what| what.of(path))
}

/// The answers of a text that is one document; `None` where its first object is none.
fn document(text: &str) -> Option<std::result::Result<Content, json::Problem>> {
    let form = format::of(&json::first_keys(text)?).ok().filter(|form| form.is_document)?;
    let answers = if form.format == Format::Inspect { inspect::answers(text) } else { promptfoo::answers(text) };
    Some(answers.map(|answers| (form.format, answers, Vec::new())))
}

fn rows(text: &str, name: &str) -> std::result::Result<Content, json::Problem> {
    lines::answers(text, name).map(|lines| (lines.format, lines.answers, lines.unread))
}

/// The model that made all the answers, where any of them says so.
fn only_model(answers: &[Answer]) -> Result<Option<String>, json::Problem> {
    let models: BTreeSet<&str> = answers.iter().filter_map(|answer| answer.model.as_deref()).collect();
    if models.len() <= 1 {
        return Ok(models.first().map(|model| (*model).to_owned()));
    }
    let names = json::listed(models.iter().map(|model| format!("`{model}`")));
    Err(json::Problem::new(
        format!("it holds answers of {} models: {names}", models.len()),
        "an arm is one model: write the answers of each into a file of its own",
    ))
}
