//! Models by path.

use diapason_core::{Error, Result, digest, manifest};
use diapason_model::weights::Format;
use diapason_model::{Model, device};
use std::path::{Path, PathBuf};

/// Opens the model at `path` on the device of that name, with its weights in this format.
pub(crate) fn open(path: &Path, format: Format, device: &str) -> Result<Model> {
    if !path.exists() {
        return Err(Error::data(format!("failed to open model {}", path.display()))
            .because("there is no such file or folder")
            .hint("`model.path` or `--model` names a safetensors folder or a GGUF file"));
    }
    Model::open_as(path, format, &device::parse(device)?)
}

/// SHA-256 of a file, or of a folder's files by name: what a model or an adapter is, without opening it.
pub(crate) fn digest_of(path: &Path) -> Result<String> {
    if !path.is_dir() {
        return digest::of_file(path).map_err(|error| error.hint("check the path"));
    }
    let mut files = files(path)?;
    files.sort();
    let digests = files.iter().map(|file| digest::of_file(file)).collect::<Result<Vec<_>>>()?;
    let names: Vec<String> =
        files.iter().map(|file| file.file_name().unwrap_or_default().to_string_lossy().into_owned()).collect();
    Ok(manifest::digest_of(names.iter().map(String::as_str).zip(digests.iter().map(String::as_str))))
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
