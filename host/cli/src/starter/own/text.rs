//! The configuration of a project for one's own data.

use super::data::Data;
use super::model::Facts;
use super::parts::Parts;
use super::schema::{self, inline, quoted};
use super::{answers, labels};
use crate::args::Task;
use diapason_core::{Error, Result};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, context};
use serde_json::{Value, json};

const TEMPLATE: &str = include_str!("../../../../../templates/own/diapason.toml.jinja");

/// Writes the configuration.
///
/// Errors if the template does not fit its values, which the tests exclude.
pub(super) fn config(task: Task, data: &Data, parts: &Parts, facts: &Facts, seed: u64) -> Result<String> {
    let values = context! {
        task => task.name(),
        measure => task.measure(),
        rows => data.samples.len(),
        train => parts.train.len(),
        test => parts.test.len(),
        shows => parts.shows(),
        seed => seed,
        name => quoted(&name(data, task)),
        model => quoted(&facts.path.display().to_string()),
        template => facts.template.as_deref().map(quoted),
        max_sequence_length => facts.max_sequence_length,
        longest_answer => facts.longest_answer,
        max_tokens => facts.max_tokens,
        accuracy => inline(&accuracy(task)),
        format => format(task, data).map(|settings| inline(&settings)),
        grounded => task != Task::Choice && data.tested().all(|sample| sample.context.is_some()),
    };
    fill(values).map_err(|source| Error::run("failed to write the configuration").because(source))
}

fn fill(values: minijinja::Value) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
        .set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()?);
    environment.render_str(TEMPLATE, values)
}

/// The file's name without folder and ending, and the task.
fn name(data: &Data, task: Task) -> String {
    let stem = std::path::Path::new(&data.name).file_name().map(|name| name.to_string_lossy().into_owned());
    let stem = stem.unwrap_or_default().chars().take(100).collect::<String>();
    format!("{}: {}", diapason_core::escape::line(&stem), task.name())
}

/// Settings of `eval-accuracy`.
fn accuracy(task: Task) -> Value {
    match task {
        Task::Generation => json!({"metrics": ["token-f1"]}),
        Task::ShortAnswer => json!({"metrics": ["exact-match", "normalised-match", "token-f1"]}),
        Task::Classification => json!({"metrics": ["exact-match", "normalised-match"]}),
        Task::Choice => json!({"metrics": ["choice", "choice-per-byte"]}),
        Task::Extraction => json!({"json": true}),
        Task::Numeric => json!({"metrics": ["numeric"]}),
    }
}

/// Settings of `eval-format`: the form that all answers have. Choices are not written but weighed.
fn format(task: Task, data: &Data) -> Option<Value> {
    match task {
        Task::Choice => None,
        Task::Generation | Task::ShortAnswer | Task::Numeric => Some(json!({"min_characters": 1})),
        Task::Classification => {
            let labels: Vec<String> = labels::of(data.tested()).keys().map(|label| literal(label)).collect();
            Some(json!({"pattern": labels.join("|")}))
        }
        Task::Extraction => {
            let documents: Vec<Value> = data.tested().filter_map(answers::document).collect();
            Some(schema::of(&documents).map_or(json!({"json": true}), |schema| json!({"schema": schema})))
        }
    }
}

/// A regular expression for this text alone.
fn literal(text: &str) -> String {
    let is_special = |letter: char| r"\.+*?()|[]{}^$#&-~".contains(letter);
    text.chars().flat_map(|letter| is_special(letter).then_some('\\').into_iter().chain([letter])).collect()
}
