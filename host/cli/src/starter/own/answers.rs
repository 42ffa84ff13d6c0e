//! Whether rows fit a task.

use super::data::Data;
use super::labels;
use crate::args::Task;
use diapason_core::sample::Sample;
use diapason_core::{Error, Result};
use serde_json::Value;
use std::collections::BTreeSet;

/// Answers of more words are never written again word for word.
const SHORT: usize = 20;

impl Task {
    /// All tasks, the most particular one first.
    const ALL: [Self; 6] =
        [Self::Choice, Self::Extraction, Self::Numeric, Self::Classification, Self::ShortAnswer, Self::Generation];

    /// As the command line has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Generation => "generation",
            Self::ShortAnswer => "short-answer",
            Self::Classification => "classification",
            Self::Choice => "choice",
            Self::Extraction => "extraction",
            Self::Numeric => "numeric",
        }
    }

    /// The measure that decides.
    pub(super) fn measure(self) -> &'static str {
        match self {
            Self::Generation => "eval-accuracy.token-f1",
            Self::ShortAnswer => "eval-accuracy.normalised-match",
            Self::Classification => "eval-accuracy.exact-match",
            Self::Choice => "eval-accuracy.choice",
            Self::Extraction => "eval-accuracy.field-accuracy",
            Self::Numeric => "eval-accuracy.numeric",
        }
    }
}

/// Returns the task, if the rows fit it.
///
/// Errors with the reason if they do not, and with the tasks that they fit if none is given.
pub(super) fn check(task: Option<Task>, data: &Data) -> Result<Task> {
    let answers: BTreeSet<&str> = data.tested().filter_map(|sample| sample.reference.as_deref()).collect();
    if let [only] = answers.iter().collect::<Vec<_>>().as_slice() {
        return Err(Error::data(format!("all answers in {} are the same: `{}`", data.name, beginning(only)))
            .hint("nothing can be measured by them; check that the right column is read as the answer"));
    }
    let Some(task) = task else {
        let fits: Vec<&str> =
            Task::ALL.into_iter().filter(|task| misfit(*task, data).is_none()).map(Task::name).collect();
        return Err(Error::config("`--task` is missing").hint(format!(
            "what a good answer is, only you know; {} fits: {}",
            data.name,
            fits.join(", ")
        )));
    };
    match misfit(task, data) {
        None => Ok(task),
        Some((message, hint)) => {
            Err(Error::data(format!("{} does not fit `--task {}`", data.name, task.name())).because(message).hint(hint))
        }
    }
}

/// Why the rows do not fit a task, and what to do about it.
fn misfit(task: Task, data: &Data) -> Option<(String, &'static str)> {
    match task {
        Task::Generation => None,
        Task::ShortAnswer => long(data),
        Task::Classification => labels::problem(&labels::of(data.tested())),
        Task::Choice => first(data, without_choice),
        Task::Extraction => first(data, without_json),
        Task::Numeric => first(data, without_number),
    }
}

/// The first row with something wrong, by its place.
fn first(data: &Data, problem: fn(&Sample) -> Option<(&'static str, &'static str)>) -> Option<(String, &'static str)> {
    let (sample, (message, hint)) = data.tested().find_map(|sample| Some((sample, problem(sample)?)))?;
    Some((format!("{} {message}", sample.place), hint))
}

fn without_choice(sample: &Sample) -> Option<(&'static str, &'static str)> {
    let hint = "write `choices`, at least two texts, and as the answer one of them or its letter";
    let answer = sample.reference.as_deref().unwrap_or_default().trim();
    let letters = (b'A'..=b'Z').map(|letter| char::from(letter).to_string());
    let is_choice = sample.choices.iter().any(|choice| choice.trim() == answer);
    let is_letter = letters.take(sample.choices.len()).any(|letter| letter == answer);
    match sample.choices.len() {
        0 | 1 => Some(("has no choices", hint)),
        _ if !is_choice && !is_letter => Some(("has an answer that is none of its choices", hint)),
        _ => None,
    }
}

fn without_json(sample: &Sample) -> Option<(&'static str, &'static str)> {
    let hint = "write the answer as a JSON object or list and nothing else, or choose another task";
    document(sample).is_none().then_some(("has an answer that is no JSON object or list", hint))
}

fn without_number(sample: &Sample) -> Option<(&'static str, &'static str)> {
    let answer = sample.reference.as_deref().unwrap_or_default();
    let hint = "write a number in every answer, or choose another task";
    match document(sample) {
        Some(_) => Some(("has a JSON document as its answer, not a number", hint)),
        None => (!answer.contains(|letter: char| letter.is_ascii_digit()))
            .then_some(("has an answer without a number", hint)),
    }
}

fn long(data: &Data) -> Option<(String, &'static str)> {
    let words = |sample: &&Sample| sample.reference.as_deref().unwrap_or_default().split_whitespace().count();
    let (all, long) = (data.tested().count(), data.tested().filter(|sample| words(sample) > SHORT).count());
    let message = format!("{long} of {all} answers have more than {SHORT} words, which nobody writes twice alike");
    (2 * long > all).then_some((message, "choose `--task generation`"))
}

/// The answer as a JSON object or list, if it is one.
pub(super) fn document(sample: &Sample) -> Option<Value> {
    let answer = serde_json::from_str(sample.reference.as_deref()?).ok()?;
    matches!(answer, Value::Object(_) | Value::Array(_)).then_some(answer)
}

fn beginning(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
