//! `diapason init`: a project for one's own data, or a starter.

use crate::args::Init;
use crate::embedded;
use crate::exit::Exit;
use crate::lock::Lock;
use crate::starter::own::{self, Wanted};
use crate::starter::{File, address, write};
use crate::ui::Ui;
use diapason_core::config::Columns;
use diapason_core::escape::line;
use diapason_core::{Error, Result};
use diapason_disk::files;
use diapason_project::config;
use serde_json::{Map, Value, json};
use std::path::Path;

/// For editors: `diapason.toml` refers to it in its first line.
const SCHEMA: &str = "diapason.schema.json";
const CONFIG: &str = "diapason.toml";

/// Seeds the split into training and test data; a constant, so that everyone who starts here has the same rows.
const SEED: u64 = 42;

pub(super) fn run(arguments: &Init, ui: &Ui) -> Result<Exit> {
    let (mut contents, summary) = match &arguments.data {
        Some(data) => of_data(data, arguments)?,
        None => (of_starter(arguments)?, Vec::new()),
    };
    contents.push((SCHEMA, format!("{:#}\n", config::schema()).into_bytes().into()));
    let _lock = Lock::write(&arguments.folder)?;
    let written = write(&arguments.folder, &contents)?;
    let human = |paint: crate::paint::Paint| {
        let list: String = written.iter().map(|name| format!("  {}\n", line(name))).collect();
        let facts: String = summary.iter().map(|(what, text)| format!("{what:<12} {}\n", line(text))).collect();
        let next = format!("diapason run --config {}", arguments.folder.join(CONFIG).display());
        format!("{facts}{}\n{list}Next: {}\n", paint.bold("Written:"), line(&next))
    };
    let facts: Map<String, Value> = summary.iter().map(|(what, text)| ((*what).to_owned(), json!(text))).collect();
    ui.result(human, &json!({"written": written, "summary": facts}));
    Ok(Exit::Passed)
}

/// What is said of a project's data: a name and a text.
type Facts = Vec<(&'static str, String)>;

/// A project for one's own data, and what is to be said of it.
fn of_data(data: &Path, arguments: &Init) -> Result<(Vec<File<'static>>, Facts)> {
    // The command line asks for it.
    let model = arguments.model.as_deref().ok_or_else(|| Error::config("`--model` is missing"))?;
    let columns = columns(&arguments.columns)?;
    let wanted = Wanted { data, columns, task: arguments.task, model, template: arguments.template.as_deref() };
    let project = own::project(&wanted, SEED)?;
    Ok((project.files, project.summary))
}

fn of_starter(arguments: &Init) -> Result<Vec<File<'static>>> {
    let starter = embedded::starter(&arguments.starter)?.into_iter();
    let mut contents: Vec<File<'static>> = starter.map(|(path, content)| (path, content.into())).collect();
    if let Some(model) = &arguments.model {
        name_model(&mut contents, model)?;
    }
    if let Some(labels) = &arguments.labels {
        contents.extend(data(labels)?);
    }
    Ok(contents)
}

/// Columns as they are typed, `prompt=question`.
fn columns(given: &[String]) -> Result<Columns> {
    let mut names = Map::new();
    for pair in given {
        let fail = |message: String| Error::config(message).hint("write our name first: `--column prompt=question`");
        let (ours, theirs) =
            pair.split_once('=').ok_or_else(|| fail(format!("`--column {pair}` names no column of the file")))?;
        if names.insert(ours.to_owned(), json!(theirs)).is_some() {
            return Err(fail(format!("`--column {ours}=…` is given twice")));
        }
    }
    serde_json::from_value(Value::Object(names)).map_err(|source| {
        Error::config("failed to understand `--column`")
            .because(source)
            .hint("write our name first: `--column prompt=question`")
    })
}

/// Puts the model's whole path into the starter's configuration.
fn name_model(contents: &mut [File<'_>], model: &Path) -> Result<()> {
    let path = std::path::absolute(model)
        .map_err(|source| Error::config(format!("failed to understand {}", model.display())).because(source))?;
    for (_, content) in contents.iter_mut().filter(|(name, _)| *name == CONFIG) {
        let text = String::from_utf8_lossy(content);
        let line = |line: &str| match line.starts_with("path = ") {
            // JSON's quotes and escapes are TOML's too.
            true => format!("path = {}\n", json!(path.display().to_string())),
            false => format!("{line}\n"),
        };
        let changed: String = text.lines().map(line).collect();
        *content = changed.into_bytes().into();
    }
    Ok(())
}

fn data(labels: &Path) -> Result<[File<'static>; 2]> {
    let split = address::split(&files::read_text(labels)?, SEED)?;
    Ok([("train.jsonl", split.train.into_bytes().into()), ("test.jsonl", split.test.into_bytes().into())])
}
