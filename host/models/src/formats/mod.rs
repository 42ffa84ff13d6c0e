//! Reading model files. Every tensor is checked against the shape that the configuration asks for, and becomes f32.

mod folder;
mod format;
pub(crate) mod gguf;
mod gguf_config;
mod gguf_header;
mod index;
pub(crate) mod json;
mod save;

pub use folder::Folder;
pub use format::Format;
pub use gguf::Gguf;
pub use save::{Entry, save, save_sharded, write};

use diapason_core::{Error, Result};
use diapason_disk::files;
use memmap2::Mmap;
use std::path::Path;

/// Largest size of a file of weights in bytes, as in transformers: 5 GB.
pub const SHARD: u64 = 5_000_000_000;

/// Maps a file into memory.
fn map(path: &Path) -> Result<Mmap> {
    let fail = |source| {
        Error::data(format!("failed to open {}", path.display())).because(source).hint("check the path of the model")
    };
    let file = files::open(path).map_err(fail)?;
    // SAFETY: the map is only read. A file that another process shortens meanwhile ends this process, as it would with
    // every reader of mapped weights.
    unsafe { Mmap::map(&file) }.map_err(fail)
}

/// Refuses a tensor whose shape is not the one that the configuration asks for.
fn check_shape(path: &Path, name: &str, expected: &[usize], found: &[usize]) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(Error::data(format!("tensor `{name}` in {} has shape {found:?}, expected {expected:?}", path.display()))
        .hint("weights and configuration belong to different models, or one of them was edited"))
}

fn missing(path: &Path, name: &str, expected: &[usize]) -> Error {
    Error::data(format!("{} has no tensor `{name}` of shape {expected:?}", path.display()))
        .hint("the file is incomplete, or its architecture is not the one that it declares")
}

/// The error about tensors that the configuration has no place for.
fn unused(path: &Path, names: &[&str]) -> Error {
    let more = names.len().saturating_sub(3);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    let list: Vec<String> = names.iter().take(3).map(|name| format!("`{name}`")).collect();
    Error::data(format!("{} has tensors that its configuration has no place for: {}{rest}", path.display(), list.join(", ")))
        .hint(
        "weights and configuration belong to different models (other layers, architecture or biases); take both from one \
         place, or remove these tensors",
    )
}
