//! `diapason init`: a starter project.

use crate::args::Init;
use crate::embedded;
use crate::exit::Exit;
use crate::lock::Lock;
use crate::starter::{File, address, write};
use crate::ui::Ui;
use diapason_core::escape::line;
use diapason_core::{Error, Result};
use diapason_disk::files;
use diapason_project::config;
use serde_json::json;
use std::path::Path;

/// For editors: `diapason.toml` refers to it in its first line.
const SCHEMA: &str = "diapason.schema.json";
const CONFIG: &str = "diapason.toml";

/// Seeds the split into training and test data; a constant, so that everyone who starts here has the same rows.
const SEED: u64 = 42;

pub(super) fn run(arguments: &Init, ui: &Ui) -> Result<Exit> {
    let mut contents: Vec<File<'_>> =
        embedded::starter(&arguments.starter)?.into_iter().map(|(path, content)| (path, content.into())).collect();
    contents.push((SCHEMA, format!("{:#}\n", config::schema()).into_bytes().into()));
    if let Some(model) = &arguments.model {
        name_model(&mut contents, model)?;
    }
    if let Some(labels) = &arguments.labels {
        contents.extend(data(labels)?);
    }
    let _lock = Lock::write(&arguments.folder)?;
    let written = write(&arguments.folder, &contents)?;
    let human = |paint: crate::paint::Paint| {
        let list: String = written.iter().map(|name| format!("  {}\n", line(name))).collect();
        let next = format!("diapason run --config {}", arguments.folder.join(CONFIG).display());
        format!("{}\n{list}Next: {}\n", paint.bold("Written:"), line(&next))
    };
    ui.result(human, &json!({"written": written}));
    Ok(Exit::Passed)
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
