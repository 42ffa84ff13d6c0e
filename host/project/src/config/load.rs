//! From the text of `diapason.toml` to a checked [`Config`] with paths that no longer depend on where it stood.

use super::numbers;
use super::{existing, rules, tasks};
use diapason_core::config::{Arm, Config, Plugin};
use diapason_core::schema::{Problem, problems};
use diapason_core::{Error, Result};
use diapason_disk::{files, foreign};
use serde_json::Value;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// At most this many problems are listed; an error has to fit on a screen.
const LISTED: usize = 10;

/// A configuration is written by hand; a larger file is none.
const LARGEST: u64 = 4 << 20;

/// The JSON Schema of `diapason.toml`, for editors; the same one that [`parse`] checks against.
pub fn schema() -> Value {
    schemars::schema_for!(Config).to_value()
}

/// Reads and checks the file at `path` with the tasks that it names; relative paths in it start from its folder.
///
/// Errors with [`diapason_core::Class::Config`]; the message lists every problem with its line.
pub fn load(path: &Path) -> Result<Config> {
    let mut config = parse(&read(path)?, &path.display().to_string(), path.parent().unwrap_or(Path::new("")))?;
    tasks::adopt(&mut config)?;
    Ok(config)
}

/// Returns the text of the configuration at `path`. Errors with [`diapason_core::Class::Config`].
pub fn read(path: &Path) -> Result<String> {
    let fail = || Error::config(format!("failed to read {}", path.display()));
    let bytes = files::contents(path, LARGEST).map_err(|source| {
        fail().because(source).hint("`diapason init` writes a starter; `--config PATH` names another file")
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count();
        fail().because(format!("line {line} is not UTF-8")).hint("save it as UTF-8, which every editor can do")
    })
}

/// Checks `text`, called `name` in messages; relative paths in it start from `folder`. Tasks are not read.
///
/// Errors with [`diapason_core::Class::Config`]; the message lists every problem with its line.
pub fn parse(text: &str, name: &str, folder: &Path) -> Result<Config> {
    foreign::guarded(name, || checked(text, name, folder))
}

fn checked(text: &str, name: &str, folder: &Path) -> Result<Config> {
    let table = table(text, name)?;
    let fail = |found: &[Problem]| refuse(text, name, found);
    let schema = schema();
    let found = numbers::problems(&table, &schema);
    if !found.is_empty() {
        return Err(fail(&found));
    }
    let document = serde_json::to_value(table)
        .map_err(|source| Error::config(format!("failed to understand {name}")).because(source))?;
    let found = problems(&schema, &document).map_err(Error::config)?;
    if !found.is_empty() {
        return Err(fail(&found));
    }
    let given = document.get("train").and_then(Value::as_object).map(|table| table.keys().cloned().collect::<Vec<_>>());
    let mut config: Config = serde_json::from_value(document)
        .map_err(|source| Error::config(format!("failed to understand {name}")).because(source))?;
    let mut found = rules::problems(&config);
    found.extend(existing::problems(&config, given.as_deref()));
    if !found.is_empty() {
        return Err(fail(&found));
    }
    resolve(&mut config, folder);
    Ok(config)
}

fn table(text: &str, name: &str) -> Result<toml::Table> {
    toml::from_str(text).map_err(|source| {
        let line = source.span().map_or(1, |span| line_of(text, span.start));
        Error::config(format!("failed to parse {name}: line {line}: {}", source.message().replace('\n', ", ")))
            .hint(remedy(source.message()))
    })
}

/// What to do about text that is not TOML, by the parser's message.
fn remedy(message: &str) -> &'static str {
    match message {
        _ if message.contains("duplicate key") => "a key stands once in its table: remove one of the two",
        _ if message.contains("too large") || message.contains("overflow") => {
            "whole numbers go from -9223372036854775808 to 9223372036854775807"
        }
        _ => "strings need quotes, tables are `[name]`, lists of tables `[[name]]`",
    }
}

/// The error that lists the problems `found` in `text`, called `name`, each with its line.
pub fn refuse(text: &str, name: &str, found: &[Problem]) -> Error {
    let mut lines: Vec<String> = found.iter().take(LISTED).map(|problem| describe(text, problem)).collect();
    if found.len() > LISTED {
        lines.push(format!("  … and {} more", found.len() - LISTED));
    }
    let hint = found.first().and_then(|problem| problem.hint.clone());
    let error = match lines.as_slice() {
        [only] => Error::config(format!("{name} is not valid: {}", only.trim_start())),
        _ => Error::config(format!("{name} is not valid:\n{}", lines.join("\n"))),
    };
    let hint = match hint {
        Some(hint) if found.len() > 1 => format!("for the first one: {hint}"),
        Some(hint) => hint,
        None => "the JSON Schema that `diapason init` writes describes every key; editors read it".into(),
    };
    error.hint(hint)
}

/// Returns the line of the deepest part of `pointer`, a JSON Pointer, that stands in `text`.
pub fn line(text: &str, pointer: &str) -> Option<usize> {
    offset_of(text, &segments(pointer)).map(|offset| line_of(text, offset))
}

fn describe(text: &str, problem: &Problem) -> String {
    let segments = segments(&problem.pointer);
    let place = segments.join(".");
    let line = line(text, &problem.pointer).map(|line| format!("line {line}: "));
    let place = if problem.message.starts_with("unknown key") {
        segments.split_last().map_or(String::new(), |(_, parents)| parents.join("."))
    } else {
        place
    };
    let place = if place.is_empty() { String::new() } else { format!("{place}: ") };
    format!("  {}{place}{}", line.unwrap_or_default(), problem.message)
}

fn segments(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect()
}

/// Byte offset of the deepest part of the path that stands in the text.
fn offset_of(text: &str, segments: &[String]) -> Option<usize> {
    let root = DeTable::parse(text).ok()?;
    let (first, rest) = segments.split_first()?;
    let (key, mut value) = root.get_ref().get_key_value(first.as_str())?;
    let mut offset = key.span().start;
    for segment in rest {
        match value.get_ref() {
            DeValue::Table(table) => {
                let Some((key, inner)) = table.get_key_value(segment.as_str()) else { break };
                (offset, value) = (key.span().start, inner);
            }
            DeValue::Array(list) => {
                let Some(inner) = segment.parse().ok().and_then(|index: usize| list.get(index)) else { break };
                (offset, value) = (inner.span().start, inner);
            }
            _ => break,
        }
    }
    Some(offset)
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
}

fn arm(arm: &mut Arm, folder: &Path) {
    if let Some(template) = arm.template.as_mut().filter(|name| is_path(name, "jinja")) {
        *template = folder.join(&*template).display().to_string();
    }
    let at = |path: &mut PathBuf| *path = folder.join(&*path);
    arm.retrieve.iter_mut().for_each(|retrieve| at(&mut retrieve.folder));
    // `train` is no file: it is the training data.
    let examples = arm.examples.iter_mut().filter(|examples| !examples.from_training());
    examples.for_each(|examples| at(&mut examples.from));
    [&mut arm.adapter, &mut arm.model, &mut arm.outputs].into_iter().flatten().for_each(at);
}

fn resolve(config: &mut Config, folder: &Path) {
    let at = |path: &mut PathBuf| *path = folder.join(&*path);
    at(&mut config.run.folder);
    if let Some(model) = &mut config.model {
        at(&mut model.path);
        model.adapter.iter_mut().for_each(at);
    }
    config.arms.iter_mut().for_each(|arm| self::arm(arm, folder));
    config.data.iter_mut().for_each(|data| at(&mut data.train));
    config.suites.iter_mut().for_each(|suite| match &suite.task {
        Some(task) => suite.data = folder.join(&task.file),
        None => at(&mut suite.data),
    });
    component(&mut config.template.plugin, folder);
    if let Some(template) = config.template.template.as_mut().filter(|name| is_path(name, "jinja")) {
        *template = folder.join(&*template).display().to_string();
    }
    let plugins = config.validators.iter_mut().chain(config.suites.iter_mut().flat_map(|suite| &mut suite.evaluators));
    plugins.for_each(|Plugin { plugin, .. }| component(plugin, folder));
}

fn component(name: &mut String, folder: &Path) {
    if is_path(name, "wasm") {
        *name = folder.join(&*name).display().to_string();
    }
}

/// Whether `name` means a file rather than something embedded: it has a separator or the given ending.
pub fn is_path(name: &str, ending: &str) -> bool {
    name.contains(['/', '\\']) || Path::new(name).extension().is_some_and(|given| given.eq_ignore_ascii_case(ending))
}
