//! The files of a hand-over.

use diapason_core::config::Train;
use diapason_core::{Error, Result};
use diapason_disk::files;
use diapason_models::Model;
use diapason_models::adapters;
use diapason_models::templates::ChatTemplates;
use diapason_project::dataset::lists;
use diapason_train::encode::Example;
use diapason_train::hand_off::rows::TokenRow;
use diapason_train::hand_off::{self, Job, Tool};
use serde_json::Value;
use std::path::Path;

/// What a tokenizer is read from.
const TOKENIZER: [&str; 8] = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
];

/// Writes the rows to train on, in order, and those to watch.
pub(super) fn rows(folder: &Path, job: &Job<'_>, held_out: &[Example]) -> Result<()> {
    let packing = job.config.packing;
    let columns = columns(job.tool, packing);
    let row = |row: TokenRow| row_of(row, job.tool, packing);
    lists::write(&folder.join("rows.parquet"), columns, job.layout.rows().map(row))?;
    if !held_out.is_empty() {
        let rows = held_out.iter().map(|example| row_of(TokenRow::of(example), job.tool, packing));
        lists::write(&folder.join("held_out.parquet"), columns, rows)?;
    }
    Ok(())
}

fn columns(tool: Tool, packing: bool) -> &'static [&'static str] {
    match tool {
        Tool::Trl if packing => &["input_ids", "labels", "seq_lengths"],
        Tool::Trl => &["input_ids", "labels"],
        Tool::Axolotl | Tool::LlamaFactory => &["input_ids", "labels", "attention_mask"],
    }
}

fn row_of(row: TokenRow, tool: Tool, packing: bool) -> Vec<Vec<i32>> {
    let TokenRow { ids, labels, lengths } = row;
    let attended = vec![1; ids.len()];
    let mut lists: Vec<Vec<i32>> =
        vec![ids.iter().map(|id| *id as i32).collect(), labels.iter().map(|label| *label as i32).collect()];
    match tool {
        Tool::Trl if packing => lists.push(lengths.iter().map(|length| *length as i32).collect()),
        Tool::Trl => {}
        Tool::Axolotl | Tool::LlamaFactory => lists.push(attended),
    }
    lists
}

/// Writes the adapter that training starts from.
pub(super) fn adapter(folder: &Path, model: &Model, config: &Train) -> Result<()> {
    let folder = folder.join("adapter");
    adapters::save(model, config, &folder)?;
    // They say that it is trained, and on which weights.
    for name in ["README.md", "diapason.json"] {
        let path = folder.join(name);
        let fail = |source| Error::run(format!("failed to remove {}", path.display())).because(source);
        std::fs::remove_file(&path).map_err(fail)?;
    }
    Ok(())
}

/// Writes the base's tokenizer as it stands, with the templates that the rows were rendered in.
pub(super) fn tokenizer(folder: &Path, model: &Path, templates: &ChatTemplates) -> Result<()> {
    let folder = folder.join("tokenizer");
    for name in TOKENIZER {
        let path = model.join(name);
        if path.symlink_metadata().is_ok() {
            let content = files::contents(&path, files::LARGEST_TEXT);
            files::write(&folder.join(name), &content.map_err(|source| files::unreadable(&path, source))?)?;
        }
    }
    templates.save(&folder)
}

/// Writes the trainer's configuration and, where it needs some, a script.
pub(super) fn settings(folder: &Path, job: &Job<'_>) -> Result<()> {
    let write = |name: &str, text: &str| files::write(&folder.join(name), text.as_bytes());
    write(configuration(job.tool), &hand_off::text(job))?;
    match job.tool {
        Tool::Trl => {
            write("train.py", include_str!("../../../../../templates/hand-off/train.py"))?;
            write("ray_train.py", include_str!("../../../../../templates/hand-off/ray_train.py"))
        }
        Tool::Axolotl => {
            write("diapason_handoff.py", include_str!("../../../../../templates/hand-off/diapason_handoff.py"))
        }
        Tool::LlamaFactory => write("prepare.py", include_str!("../../../../../templates/hand-off/prepare.py")),
    }
}

/// What the trainer's configuration is called.
pub(super) fn configuration(tool: Tool) -> &'static str {
    match tool {
        Tool::Trl => "settings.json",
        Tool::Axolotl => "axolotl.yaml",
        Tool::LlamaFactory => "llama-factory.yaml",
    }
}

/// The number format that the model's `config.json` names.
pub(super) fn dtype(model: &Path) -> Result<Option<String>> {
    let config = config(model)?;
    let named = ["dtype", "torch_dtype"].iter().find_map(|key| config[*key].as_str());
    Ok(named.map(str::to_owned))
}

/// Whether the model's weights are quantized on disk.
pub(super) fn is_quantized(model: &Path) -> Result<bool> {
    Ok(!config(model)?["quantization_config"].is_null())
}

fn config(model: &Path) -> Result<Value> {
    let path = model.join("config.json");
    let text = files::read_text(&path)?;
    serde_json::from_str(&text)
        .map_err(|source| Error::data(format!("failed to read {}", path.display())).because(source))
}
