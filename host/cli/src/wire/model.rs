//! Models by path.

use diapason_core::{Error, Result, digest, manifest};
use diapason_model::weights::Format;
use diapason_model::{Model, device};
use std::path::{Path, PathBuf};

/// Opens the model at `path` on the device of that name, with its weights in this format.
pub(crate) fn open(path: &Path, format: Format, device: &str) -> Result<Model> {
    check(path)?;
    Model::open_as(path, format, &device::parse(device)?)
}

/// The model at `path` without its weights.
pub(crate) fn outline(path: &Path) -> Result<Model> {
    check(path)?;
    Model::outline(path)
}

fn check(path: &Path) -> Result<()> {
    match path.exists() {
        true => Ok(()),
        false => Err(Error::data(format!("failed to open model {}", path.display()))
            .because("there is no such file or folder")
            .hint("`model.path` or `--model` names a safetensors folder or a GGUF file")),
    }
}

/// What the one file of a model is called that is no folder: it may be renamed.
pub(crate) const GGUF: &str = "GGUF file";

/// Name and SHA-256 of a model's or an adapter's files, sorted by name.
pub(crate) fn digests_of(path: &Path) -> Result<Vec<(String, String)>> {
    if !path.is_dir() {
        let digest = digest::of_file(path).map_err(|error| error.hint("check the path"))?;
        return Ok(vec![(GGUF.into(), digest)]);
    }
    let mut files = files(path)?;
    files.sort();
    let name = |file: &PathBuf| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    files.iter().map(|file| Ok((name(file), digest::of_file(file)?))).collect()
}

/// One digest of a model's or an adapter's files: what it is, without opening it.
pub(crate) fn joined(files: &[(String, String)]) -> String {
    match files {
        [(name, digest)] if name == GGUF => digest.clone(),
        _ => manifest::digest_of(files.iter().map(|(name, digest)| (name.as_str(), digest.as_str()))),
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let fail = |source| Error::data(format!("failed to list {}", folder.display())).because(source);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.is_file() {
            found.push(path);
        }
    }
    Ok(found)
}
