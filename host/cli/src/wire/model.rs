//! Models by path.

use diapason_core::{Error, Result, digest};
use diapason_disk::files;
use diapason_models::formats::Format;
use diapason_models::{Model, decoding, templates};
use diapason_nn::device;
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

/// What is to be said of a head that is not the embedding although `config.json` calls it so.
pub(crate) fn untied(model: &Model) -> Option<String> {
    model.unties().then(|| {
        "`tie_word_embeddings` in config.json is true, but the weights have another `lm_head`: it is used, as in \
         transformers, and what is written says false"
            .to_owned()
    })
}

/// What is to be said where answers are sampled and the model's files name more than the project does, if they do.
pub(crate) fn left_out(path: &Path) -> Option<String> {
    let fields: Vec<String> = decoding::sampling_left_out(path).iter().map(|field| format!("`{field}`")).collect();
    let verb = if fields.len() == 1 { "is" } else { "are" };
    (!fields.is_empty()).then(|| {
        format!(
            "{} of the model's files {verb} not used: temperature and top_p alone say how answers are sampled",
            fields.join(", ")
        )
    })
}

/// What the one file of a model is called that is no folder: it may be renamed.
pub(crate) const GGUF: &str = "GGUF file";

/// Name and SHA-256 of a model's or an adapter's files, sorted by name.
pub(crate) fn digests_of(path: &Path) -> Result<Vec<(String, String)>> {
    if !path.is_dir() {
        let digest = files::digest(path).map_err(|error| error.hint("check the path"))?;
        return Ok(vec![(GGUF.into(), digest)]);
    }
    let mut files =
        files(path).map_err(|source| Error::data(format!("failed to list {}", path.display())).because(source))?;
    files.sort();
    let name = |file: &PathBuf| file.strip_prefix(path).unwrap_or(file).to_string_lossy().replace('\\', "/");
    files.iter().map(|file| Ok((name(file), files::digest(file)?))).collect()
}

/// One digest of a model's or an adapter's files: what it is, without opening it.
pub(crate) fn joined(files: &[(String, String)]) -> String {
    match files {
        [(name, digest)] if name == GGUF => digest.clone(),
        _ => digest::of_parts(files.iter().map(|(name, digest)| (name.as_str(), digest.as_str()))),
    }
}

/// The files of a model's or an adapter's folder, those of its further chat templates included.
pub(crate) fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for part in [folder.to_owned(), folder.join(templates::FOLDER)] {
        if part != folder && !part.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(part)? {
            found.push(entry?.path());
        }
    }
    found.retain(|path| path.is_file());
    Ok(found)
}
