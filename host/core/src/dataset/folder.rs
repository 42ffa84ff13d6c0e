//! Folders that `datasets` writes: not read, but refused with what turns them into a file that is.

use crate::Error;
use std::path::Path;

/// Why a folder is no dataset, and the command that makes one of it.
pub(super) fn refusal(path: &Path) -> Error {
    let shown = path.display();
    let name = path.file_name().map_or_else(|| "rows".into(), |name| name.to_string_lossy().into_owned());
    if path.join("dataset_dict.json").is_file() {
        return Error::data(format!(
            "failed to read {shown}: it is a folder of several splits that `save_to_disk` wrote"
        ))
        .hint(convert(&shown.to_string(), "[\"train\"]", &name));
    }
    if path.join("dataset_info.json").is_file() || path.join("state.json").is_file() {
        return Error::data(format!("failed to read {shown}: it is a folder that `save_to_disk` wrote, in Arrow"))
            .hint(convert(&shown.to_string(), "", &name));
    }
    Error::data(format!("failed to read {shown}: it is a folder, not a file")).hint(super::file::FORMATS)
}

/// Why an Arrow file is no dataset.
pub(super) fn arrow(path: &Path) -> Error {
    let stem = path.file_stem().map_or_else(|| "rows".into(), |stem| stem.to_string_lossy().into_owned());
    let code = format!(
        "from datasets import Dataset; Dataset.from_file({:?}).to_parquet(\"{stem}.parquet\")",
        path.display().to_string()
    );
    Error::data(format!("failed to read {}: it is an Arrow file", path.display()))
        .hint(format!("convert it: python -c '{code}'"))
}

fn convert(folder: &str, split: &str, name: &str) -> String {
    let code = format!(
        "from datasets import load_from_disk; load_from_disk({folder:?}){split}.to_parquet(\"{name}.parquet\")"
    );
    format!("convert it: python -c '{code}'")
}
