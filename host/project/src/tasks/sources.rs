//! Where a task's data lie.

use super::node::{self, Keys};
use super::value::{Node, Yaml, refuse};
use diapason_core::Result;
use diapason_core::schema::did_you_mean;

/// The data files of a task.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) format: Format,
    /// Each split with its files, in the order of the YAML.
    pub(super) splits: Vec<(String, Vec<String>)>,
}

/// How the files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON lines, or a list.
    Json,
    /// A table with commas, whose cells have types.
    Csv,
    /// Parquet.
    Parquet,
}

impl Sources {
    pub(super) fn of(keys: &mut Keys) -> Result<Self> {
        let line = keys.line();
        let format = match keys.take("dataset_path") {
            Some(node) => format(node)?,
            None => return Err(refuse(line, "`dataset_path` is missing", LOCAL)),
        };
        let Some(kwargs) = keys.take("dataset_kwargs") else {
            return Err(refuse(line, "`dataset_kwargs` is missing", LOCAL));
        };
        let mut kwargs = Keys::of(kwargs, "dataset_kwargs")?;
        kwargs.refuse(&[
            ("data_dir", "name the files under `data_files`"),
            ("field", "write the list in that field as a file of its own"),
            ("sep", "write the table with commas"),
            ("delimiter", "write the table with commas"),
            ("features", "types are those of the file"),
            ("streaming", "files are read whole"),
        ])?;
        kwargs.take("trust_remote_code");
        let Some(files) = kwargs.take("data_files") else {
            return Err(refuse(kwargs.line(), "`data_files` is missing", LOCAL));
        };
        kwargs.end()?;
        Ok(Self { format, splits: splits(files)? })
    }

    /// The name of a split that there is.
    pub(super) fn known(&self, name: &str, line: usize) -> Result<String> {
        let names = || self.splits.iter().map(|(name, _)| name.as_str());
        if names().any(|known| known == name) {
            return Ok(name.into());
        }
        Err(refuse(line, &format!("`data_files` has no split `{name}`"), &did_you_mean(name, names())))
    }

    pub(super) fn known_node(&self, node: Node) -> Result<String> {
        let line = node.line;
        self.known(&node::text(node, "split")?, line)
    }
}

const LOCAL: &str = "data are local files: `dataset_path: json` (or csv, parquet) with \
                     `dataset_kwargs: {data_files: {test: test.jsonl}}`";

fn format(node: Node) -> Result<Format> {
    let line = node.line;
    match node::text(node, "dataset_path")?.as_str() {
        "json" => Ok(Format::Json),
        "csv" => Ok(Format::Csv),
        "parquet" => Ok(Format::Parquet),
        other => Err(refuse(line, &format!("`dataset_path: {other}` is not supported"), LOCAL)),
    }
}

/// A split without a name is `train`, as the library `datasets` has it.
fn splits(node: Node) -> Result<Vec<(String, Vec<String>)>> {
    let named = match node.value {
        Yaml::Map(entries) => entries,
        _ => vec![("train".into(), node)],
    };
    let mut splits = Vec::new();
    for (name, node) in named {
        let line = node.line;
        let files = node::texts(node, "data_files")?;
        if files.is_empty() {
            return Err(refuse(line, &format!("split `{name}` has no file"), "name at least one"));
        }
        let remote = |file: &&String| file.contains("://") || file.contains(['*', '?', '[']) || file.is_empty();
        if let Some(file) = files.iter().find(remote) {
            let hint = "name each file by its path; a relative one starts from the task's folder";
            return Err(refuse(line, &format!("`{file}` is no path of a local file"), hint));
        }
        splits.push((name, files));
    }
    Ok(splits)
}
