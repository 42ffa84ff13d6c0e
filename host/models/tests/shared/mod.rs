//! What several tests do to golden folders.

use serde_json::{Value, json};
use std::path::Path;

/// Changes a JSON file of a folder.
pub(crate) fn edit(folder: &Path, name: &str, change: impl FnOnce(&mut Value)) {
    let path = folder.join(name);
    let mut json = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    change(&mut json);
    std::fs::write(path, json.to_string()).unwrap();
}

/// Gives a folder's tokenizer a merge: llama.cpp opens none without.
pub(crate) fn add_merge(folder: &Path) {
    edit(folder, "tokenizer.json", |json| {
        json["model"]["vocab"]["ab"] = 256.into();
        json["model"]["merges"] = json!([["a", "b"]]);
    });
}

/// A copy of a folder whose tokenizer has a merge.
pub(crate) fn with_merge(from: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    add_merge(folder.path());
    folder
}
